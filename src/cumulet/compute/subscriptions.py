"""What an extension asks for when it subscribes to telemetry or logs, and the limits of that."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
import orjson

TYPES = ("platform", "function", "extension")
RESERVED_PORT = 9001
"""AWS: the Runtime API's."""
HOST = "sandbox.localdomain"
HOSTS = (HOST, "sandbox")
"""AWS: the first; the second is what it said when the Logs API was new."""


class Api(msgspec.Struct, frozen=True):
    """One of the two ways to subscribe."""

    name: str
    path: bytes
    invalid: str
    """The type of the error for a request that is not valid."""
    schemas: tuple[str, ...]
    default_schema: str | None


TELEMETRY = Api(
    "Telemetry", b"/2022-07-01/telemetry", "ValidationError", ("2022-07-01", "2022-12-13", "2025-01-29"), None
)
LOGS = Api("Logs", b"/2020-08-15/logs", "Logs.ValidationError", ("2020-08-15", "2021-03-18"), "2020-08-15")

BUFFERING = {
    "maxItems": (10_000, 1_000, 10_000),
    "maxBytes": (262_144, 262_144, 1_048_576),
    "timeoutMs": (1_000, 25, 30_000),
}
"""AWS: default, least and most."""


class InvalidSubscription(Exception):
    """The request is not valid: says why, all reasons in one."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted, and where it goes: to `port` of the environment's own network."""

    api: Api
    schema: str
    types: tuple[str, ...]
    is_http: bool
    method: str
    port: int
    target: str
    """The path, for HTTP."""
    most_items: int
    most_bytes: int
    timeout_ms: int


def read_subscription(api: Api, body: bytes) -> Subscription:
    """Return what a request's body asks for. Raises `InvalidSubscription`."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidSubscription(f"request body is not valid JSON: {error}") from error
    if not isinstance(request, dict):
        raise InvalidSubscription("request body should be an object")
    wrong: list[str] = []
    destination = _destination(request.get("destination"), wrong)
    types = _types(request.get("types"), wrong)
    buffering = _buffering(request.get("buffering"), wrong)
    schema = request.get("schemaVersion", api.default_schema)
    if schema not in api.schemas:
        wrong.append(f"schemaVersion should be one of {', '.join(api.schemas)}")
    if wrong or schema is None:
        raise InvalidSubscription("; ".join(wrong))
    return Subscription(
        api=api,
        schema=schema,
        types=types,
        **destination,
        most_items=buffering["maxItems"],
        most_bytes=buffering["maxBytes"],
        timeout_ms=buffering["timeoutMs"],
    )


def _destination(value: Any, wrong: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        wrong.append("destination is not provided")
        return {}
    protocol = value.get("protocol")
    found = {"is_http": protocol == "HTTP", "method": value.get("method", "POST"), "port": None, "target": "/"}
    if protocol == "HTTP":
        _read_uri(value.get("URI"), found, wrong)
        if found["method"] not in ("POST", "PUT"):
            wrong.append("method should be POST or PUT")
    elif protocol == "TCP":
        found["port"] = value.get("port")
        if type(found["port"]) is not int or not 0 < found["port"] < 65536:
            wrong.append("port should be between 1 and 65535")
    else:
        wrong.append("protocol should be HTTP or TCP")
    if found["port"] == RESERVED_PORT:
        wrong.append(f"port {RESERVED_PORT} is reserved")
    return found


def _read_uri(uri: Any, found: dict[str, Any], wrong: list[str]) -> None:
    if not isinstance(uri, str) or not uri:
        wrong.append("URI is not provided")
        return
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        wrong.append("URI is not valid")
        return
    if parts.scheme != "http":
        wrong.append("URI scheme should be http")
    if parts.hostname not in HOSTS:
        wrong.append(f"URI host should be {HOST}")
    if not port:
        wrong.append("URI port is not provided")
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    if not target.isascii() or not target.isprintable() or " " in target:
        wrong.append("URI is not valid")
    found |= {"port": port, "target": target}


def _types(value: Any, wrong: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        wrong.append("types should not be empty")
        return ()
    if unknown := [kind for kind in value if kind not in TYPES]:
        wrong.append(f"types should be of {', '.join(TYPES)}, not {unknown[0]}")
        return ()
    return tuple(dict.fromkeys(value))


def _buffering(value: Any, wrong: list[str]) -> dict[str, int]:
    settings = {name: default for name, (default, _, _) in BUFFERING.items()}
    if value is None:
        return settings
    if not isinstance(value, dict):
        wrong.append("buffering should be an object")
        return settings
    for name, (_, least, most) in BUFFERING.items():
        given = value.get(name)
        if given is None:
            continue
        if type(given) is not int or not least <= given <= most:
            wrong.append(f"{name} should be between {least} and {most}")
        settings[name] = given
    return settings
