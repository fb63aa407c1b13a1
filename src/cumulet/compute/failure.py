"""Why an init or an invocation fails, in AWS's words: for the caller, for the log, for the REPORT line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from cumulet.compute.runtime_api import MOST_RESPONSE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error of the function or of its environment."""

    error_type: str
    body: bytes | None = None
    """What the runtime itself has said of it."""
    message: str = ""
    """Where there is no body."""
    is_timeout: bool = False
    is_crash: bool = False

    def payload(self, request_id: str) -> bytes:
        """Return what the caller of an invocation gets."""
        if self.body is not None:
            return self.body
        if not (self.is_timeout or self.is_crash):
            return orjson.dumps({"errorType": self.error_type, "errorMessage": self.message})
        message = f"RequestId: {request_id} Error: {self.message}"
        return orjson.dumps({"errorType": self.error_type, "errorMessage": message})

    def line(self, request_id: str, now_ms: int) -> str:
        """Return what the log says before the END line; nothing where the runtime has said it."""
        if self.is_timeout:
            time = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            return f"{time} {request_id} {self.message}\n\n"
        if self.is_crash:
            return f"RequestId: {request_id} Error: {self.message}\n{self.error_type}\n"
        return ""

    @property
    def status(self) -> str:
        """Return the last fields of a REPORT or INIT_REPORT line; none for an error that the handler raised."""
        if self.is_timeout:
            return "Status: timeout"
        return f"Status: error\tError Type: {self.error_type}"


def timed_out(limit_seconds: float) -> Failure:
    """The time limit has passed."""
    message = f"Task timed out after {limit_seconds:.2f} seconds"
    return Failure(error_type="Sandbox.Timedout", message=message, is_timeout=True)


def runtime_exited(how: str) -> Failure:
    """The runtime has ended, or was killed for using too much memory; `how` as in "signal: killed"."""
    return Failure(error_type="Runtime.ExitError", message=how, is_crash=True)


RESPONSE_TOO_LARGE = Failure(
    error_type="Function.ResponseSizeTooLarge",
    message=f"Response payload size exceeded maximum allowed payload size ({MOST_RESPONSE_BYTES} bytes).",
)
