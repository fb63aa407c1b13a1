"""What is run, what with, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import msgspec

InitType = Literal["on-demand", "provisioned-concurrency"]
"""AWS: the values of AWS_LAMBDA_INITIALIZATION_TYPE."""


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """One published state of a function. Environments are shared by invocations with the same `revision`."""

    arn: str
    """Without a qualifier."""
    account: str
    region: str
    name: str
    version: str = "$LATEST"
    revision: str
    """Changes with each change of code or configuration."""
    runtime: str
    handler: str
    role_arn: str
    memory_mb: int = 128
    timeout_seconds: int = 3
    tmp_mb: int = 512
    package: Path
    """The zip file with the code; its name is the hexadecimal SHA-256 of what it holds."""
    layers: tuple[Path, ...] = ()
    """The zip files of its layers, named like packages, in the order in which they are merged: later ones win."""
    has_network: bool = True
    """May it reach more than the platform?"""
    variables: tuple[tuple[str, str], ...] = ()
    log_group: str
    log_format: Literal["Text", "JSON"] = "Text"
    application_log_level: str | None = None
    """Lambda's name of it; None with text."""
    system_log_level: str | None = None
    tracing_mode: Literal["Active", "PassThrough"] = "PassThrough"

    @property
    def version_arn(self) -> str:
        """The ARN with the number of a published version, without a qualifier for `$LATEST`."""
        return self.arn if self.version == "$LATEST" else f"{self.arn}:{self.version}"


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """One event for a function."""

    request_id: str
    payload: bytes
    invoked_arn: str
    client_context: str | None = None
    """JSON text."""
    trace_id: str | None = None
    wants_log_tail: bool = False
    """Is the answer to wait for the invocation's last line of log, and so for extensions?"""
    on_response_start: Callable[[str], None] | None = None
    """Called with the content type when the function begins to stream its answer; with `on_chunk` only."""
    on_chunk: Callable[[bytes], Awaitable[None] | None] | None = None
    """Takes a streamed answer in pieces, up to 20 MB; what it returns is awaited before the next. Without it such an
    answer is gathered, up to 6 MB. An answer that isn't streamed comes with the outcome."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an invocation came to."""

    payload: bytes
    """Empty after a streamed answer that was taken in pieces, the error where it has broken off."""
    error: Literal["Unhandled"] | None = None
    """AWS: the value of X-Amz-Function-Error; set when the function failed, its init included."""
    log_tail: bytes = b""
    """The last 4 KB of the invocation's log."""
    duration_ms: float = 0.0
    init_ms: float | None = None
    """How long the environment's init took, where the invocation started it."""
    memory_used_mb: int = 0
    initialization_type: InitType = "on-demand"
    """How the environment came to be that it ran in."""


class CannotRun(Exception):
    """No environment can be made for a function: its interpreter is missing, its package unreadable. Says which."""


class InitFailed(CannotRun):
    """A provisioned environment can't be made, as the function's init fails. Says how; `failure_type` is AWS's name."""

    def __init__(self, message: str, failure_type: str) -> None:
        super().__init__(message)
        self.failure_type = failure_type
