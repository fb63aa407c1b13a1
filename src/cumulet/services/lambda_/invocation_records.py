"""What is told of an asynchronous invocation that has come to its end: records for destinations, dead letters."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

import orjson

from cumulet.delivery import End, QueuedDelivery

CONDITIONS = {End.DELIVERED: "Success", End.EXHAUSTED: "RetriesExhausted", End.EXPIRED: "EventAgeExceeded"}
LONGEST_MESSAGE_BYTES = 1024
"""Lambda: the error message of a dead letter is cut to 1 KB."""
UNSENDABLE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What no message of SQS may have."""


class Response(NamedTuple):
    """What an attempt came to."""

    status: int
    """200 where the function has run, if only to fail; otherwise that of the error that kept it from running."""
    version: str
    error: str | None = None
    """AWS: the function error."""
    payload: bytes = b""
    """JSON: what the function has answered, or the error."""
    trace_header: str | None = None

    @property
    def message(self) -> str:
        """The error's message."""
        try:
            said = orjson.loads(self.payload)
        except ValueError:
            return ""
        return str(said.get("errorMessage", "")) if isinstance(said, dict) else ""


def record(
    delivery: QueuedDelivery, arn: str, end: End, response: Response | None, now_ms: int, *, is_whole: bool = True
) -> str:
    """Return the invocation record as JSON text; without the payloads unless it is to be whole.

    `arn` is the function's with the qualifier.
    """
    has_run = response is not None and response.status == 200
    members: dict[str, object] = {
        "version": "1.0",
        "timestamp": _written(now_ms),
        "requestContext": {
            "requestId": delivery.request_id,
            "functionArn": arn,
            "condition": CONDITIONS[end],
            "approximateInvokeCount": delivery.attempts + has_run,
        },
    }
    if is_whole:
        members["requestPayload"] = orjson.Fragment(delivery.payload)
    if response is not None:
        context: dict[str, object] = {"statusCode": response.status, "executedVersion": response.version}
        if response.error is not None:
            context["functionError"] = response.error
        members["responseContext"] = context
        if is_whole:
            members["responsePayload"] = _json(response.payload)
    return sendable(orjson.dumps(members).decode())


def sendable(document: str) -> str:
    """Return a JSON document with the same meaning that SQS takes; only in its strings may be what SQS doesn't."""
    return UNSENDABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def attributes(delivery: QueuedDelivery, response: Response | None) -> dict[str, tuple[str, str]]:
    """Return the message attributes of a dead letter."""
    found = {"RequestID": ("String", delivery.request_id)}
    if response is not None:
        found["ErrorCode"] = ("Number", str(response.status))
        if (
            message := UNSENDABLE.sub("\ufffd", response.message)
            .encode()[:LONGEST_MESSAGE_BYTES]
            .decode(errors="ignore")
        ):
            found["ErrorMessage"] = ("String", message)
    return found


def _json(payload: bytes) -> object:
    """Return an answer as part of a JSON document; functions may answer what is no JSON."""
    try:
        orjson.loads(payload or b"null")
    except ValueError:
        return payload.decode("utf-8", "replace")
    return orjson.Fragment(payload or b"null")


def _written(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
