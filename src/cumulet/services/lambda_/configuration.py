"""What can be set on a function besides its code."""

from __future__ import annotations

from typing import Any

import msgspec


class Logging(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a function's log is written, and where to."""

    format: str = "Text"
    application_level: str | None = None
    system_level: str | None = None
    group: str


class Configuration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A function's settings, defaults filled in."""

    runtime: str
    role_arn: str
    handler: str
    description: str = ""
    timeout_seconds: int = 3
    memory_mb: int = 128
    tmp_mb: int = 512
    variables: dict[str, str] | None = None
    """None where none were ever set; AWS tells that from an empty set."""
    logging: Logging


def new(name: str, request: dict[str, Any]) -> Configuration:
    """Return the configuration of a new function; raises Lambda's error for what can't be set."""
    return Configuration(
        runtime=request["Runtime"],
        role_arn=request["Role"],
        handler=request["Handler"],
        description=request.get("Description", ""),
        timeout_seconds=request.get("Timeout", 3),
        memory_mb=request.get("MemorySize", 128),
        variables=request.get("Environment", {}).get("Variables"),
        logging=Logging(group=f"/aws/lambda/{name}"),
    )
