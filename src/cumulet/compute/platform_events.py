"""What the platform says about an environment: lines in a text log, objects in a JSON log and in telemetry.

AWS: the Telemetry API's Event schema gives the types and records; system log levels are those of the developer guide's
system log level event mapping. Where there is no text, a log in text format doesn't have the event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from cumulet.compute.function import Function, InitType

LEVELS = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "ERROR": 4, "FATAL": 5}
"""AWS: the log levels, from the most detailed on. There are system logs of DEBUG, INFO and WARN."""
DEBUG, INFO, WARN = LEVELS["DEBUG"], LEVELS["INFO"], LEVELS["WARN"]

Phase = Literal["init", "invoke"]


class PlatformEvent(msgspec.Struct, frozen=True):
    """Something that the platform tells."""

    type: str
    record: Mapping[str, Any]
    level: int
    text: str = ""
    """The lines of a text log, each with its newline."""


def timestamp(time_ms: int) -> str:
    """Return a time as telemetry has it."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def init_start(
    init_type: InitType, phase: Phase, version: str, version_arn: str, function: Function, instance: str
) -> PlatformEvent:
    """An init begins; `version` is the runtime's, `instance` the environment's name."""
    record = {
        "initializationType": init_type,
        "phase": phase,
        "runtimeVersion": version,
        "runtimeVersionArn": version_arn,
        "functionName": function.name,
        "functionVersion": function.version,
        "instanceId": instance,
        "instanceMaxMemory": function.memory_mb * 1024 * 1024,
    }
    text = f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {version_arn}\n"
    return PlatformEvent("platform.initStart", record, INFO, text if phase == "init" else "")


def init_runtime_done(init_type: InitType, phase: Phase, status: str, error_type: str | None) -> PlatformEvent:
    """The runtime is initialised, or will never be."""
    record = {"initializationType": init_type, "phase": phase, "status": status}
    if error_type is not None:
        record["errorType"] = error_type
    return PlatformEvent("platform.initRuntimeDone", record, DEBUG if status == "success" else WARN)


def init_report(
    init_type: InitType, phase: Phase, duration_ms: float, status: str, error_type: str | None
) -> PlatformEvent:
    """An init has ended. AWS: a text log has a line only where it has failed."""
    record: dict[str, Any] = {"initializationType": init_type, "phase": phase, "status": status}
    if error_type is not None:
        record["errorType"] = error_type
    record["metrics"] = {"durationMs": round(duration_ms, 3)}
    if status == "success":
        return PlatformEvent("platform.initReport", record, DEBUG if init_type == "on-demand" else INFO)
    text = f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\tStatus: {status}"
    if error_type is not None:
        text += f"\tError Type: {error_type}"
    return PlatformEvent("platform.initReport", record, WARN, text + "\n")


def extension(name: str, state: str, events: Sequence[str], error_type: str | None) -> PlatformEvent:
    """What became of an extension in the init."""
    record: dict[str, Any] = {"name": name, "state": state, "events": list(events)}
    text = f"EXTENSION\tName: {name}\tState: {state}\tEvents: [{', '.join(events)}]"
    if error_type is not None:
        record["errorType"] = error_type
        text += f"\tError Type: {error_type}"
    return PlatformEvent("platform.extension", record, INFO if error_type is None else WARN, text + "\n")


def subscription(name: str, types: Sequence[str], *, is_logs_api: bool) -> PlatformEvent:
    """An extension has subscribed to telemetry, or to logs."""
    record = {"name": name, "state": "Subscribed", "types": list(types)}
    kind, word = ("logsSubscription", "LOGS") if is_logs_api else ("telemetrySubscription", "TELEMETRY")
    names = ", ".join(kind.capitalize() for kind in types)
    text = f"{word}\tName: {name}\tState: Subscribed\tTypes: [{names}]\n"
    return PlatformEvent(f"platform.{kind}", record, INFO, text)


def logs_dropped(records: int, size_bytes: int) -> PlatformEvent:
    """A subscriber was too slow."""
    record = {
        "droppedBytes": size_bytes,
        "droppedRecords": records,
        "reason": "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.",
    }
    return PlatformEvent("platform.logsDropped", record, WARN)


def start(request_id: str, function_arn: str, version: str, trace: str | None) -> PlatformEvent:
    """An invocation begins."""
    record: dict[str, Any] = {"requestId": request_id, "functionArn": function_arn, "version": version}
    text = f"START RequestId: {request_id} Version: {version}\n"
    return PlatformEvent("platform.start", _traced(record, trace), INFO, text)


def runtime_done(
    request_id: str,
    status: str,
    error_type: str | None,
    trace: str | None,
    *,
    duration_ms: float,
    produced_bytes: int,
    spans: Sequence[Mapping[str, Any]],
) -> PlatformEvent:
    """The runtime has done its part of an invocation."""
    record: dict[str, Any] = {"requestId": request_id, "status": status}
    if error_type is not None:
        record["errorType"] = error_type
    _traced(record, trace)
    if spans:
        record["spans"] = list(spans)
    record["metrics"] = {"durationMs": round(duration_ms, 3), "producedBytes": produced_bytes}
    return PlatformEvent("platform.runtimeDone", record, DEBUG if status == "success" else WARN)


def end(request_id: str) -> PlatformEvent:
    """An invocation has ended: for text and the Logs API; the Telemetry API doesn't know it."""
    return PlatformEvent("platform.end", {"requestId": request_id}, INFO, f"END RequestId: {request_id}\n")


def fault(text: str) -> PlatformEvent:
    """Something has gone wrong: for text and the Logs API, likewise."""
    return PlatformEvent("platform.fault", {"message": text.rstrip("\n")}, WARN, text)


def report(
    request_id: str, metrics: Mapping[str, float], status: str, error_type: str | None, trace: str | None, text: str
) -> PlatformEvent:
    """Account for an invocation. `text` is the line of a text log."""
    record: dict[str, Any] = {"requestId": request_id, "metrics": dict(metrics), "status": status}
    if error_type is not None:
        record["errorType"] = error_type
    level = INFO if status == "success" else WARN
    return PlatformEvent("platform.report", _traced(record, trace), level, text)


def tracing(trace: str) -> dict[str, str]:
    """Return a trace header as events have it."""
    return {"type": "X-Amzn-Trace-Id", "value": trace}


def _traced(record: dict[str, Any], trace: str | None) -> dict[str, Any]:
    if trace is not None:
        record["tracing"] = tracing(trace)
    return record
