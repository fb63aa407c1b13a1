"""Why an init or an invocation fails, in AWS's words: for the caller, for the log, for the REPORT line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec
import orjson

from cumulet.compute.processes import End
from cumulet.compute.runtime_api import MOST_RESPONSE_BYTES


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An error of the function or of its environment."""

    error_type: str
    body: bytes | None = None
    """What the runtime itself has said of it."""
    message: str = ""
    """Where there is no body."""
    reported_type: str | None = None
    """What the REPORT line has instead of `error_type`."""
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
    def reason(self) -> Literal["timeout", "failure"]:
        """Return what extensions are told at the shutdown that follows."""
        return "timeout" if self.is_timeout else "failure"

    @property
    def status(self) -> str:
        """Return the last fields of a REPORT or INIT_REPORT line; none for an error that the handler raised."""
        if self.is_timeout:
            return "Status: timeout"
        return f"Status: error\tError Type: {self.reported_type or self.error_type or 'Runtime.Unknown'}"


def timed_out(limit_seconds: float) -> Failure:
    """The time limit has passed."""
    message = f"Task timed out after {limit_seconds:.2f} seconds"
    return Failure(error_type="Sandbox.Timedout", message=message, is_timeout=True)


def runtime_exited(how: str) -> Failure:
    """The runtime has ended, or was killed for using too much memory; `how` as in "signal: killed"."""
    return Failure(error_type="Runtime.ExitError", message=how, is_crash=True)


def runtime_failed(end: End, executable: str) -> Failure:
    """The runtime has ended, or could not be started, by itself."""
    if end.failure is None:
        return runtime_exited(end.message)
    return runtime_exited(f"Runtime failed to start: fork/exec {executable}: {end.failure}")


OUT_OF_MEMORY = Failure(
    error_type="Runtime.ExitError",
    reported_type="Runtime.OutOfMemory",
    message="Runtime exited with error: signal: killed",
    is_crash=True,
)


def extension_exited(end: End, error_type: str = "Extension.Crash") -> Failure:
    """An external extension has ended where it should not."""
    return Failure(error_type=error_type, message=end.reason, is_crash=True)


def extension_not_launched(name: str, why: str) -> Failure:
    """An external extension could not be started."""
    return Failure(
        error_type="Extension.LaunchError", message=f"fork/exec /opt/extensions/{name}: {why}", is_crash=True
    )


def response_too_large(most_bytes: int) -> Failure:
    """The handler has returned more than it may."""
    return Failure(
        error_type="Function.ResponseSizeTooLarge",
        message=f"Response payload size exceeded maximum allowed payload size ({most_bytes} bytes).",
    )


RESPONSE_TOO_LARGE = response_too_large(MOST_RESPONSE_BYTES)
