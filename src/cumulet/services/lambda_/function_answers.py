"""Functions as AWS's answers show them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from cumulet.services.lambda_.function_names import LATEST
from cumulet.services.lambda_.functions import Function

PENDING = {
    "State": "Pending",
    "StateReason": "The function is being created.",
    "StateReasonCode": "Creating",
}
ACTIVE = {"State": "Active", "LastUpdateStatus": "Successful"}


def configuration(function: Function) -> dict[str, Any]:
    """Return a FunctionConfiguration without its state."""
    settings = function.configuration
    answer: dict[str, Any] = {
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "Runtime": settings.runtime,
        "Role": settings.role_arn,
        "Handler": settings.handler,
        "CodeSize": function.package.size_bytes,
        "Description": settings.description,
        "Timeout": settings.timeout_seconds,
        "MemorySize": settings.memory_mb,
        "LastModified": iso(function.modified_ms),
        "CodeSha256": base64.b64encode(bytes.fromhex(function.package.digest)).decode(),
        "Version": LATEST,
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": function.revision,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": settings.tmp_mb},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": settings.logging.format, "LogGroup": settings.logging.group},
    }
    if settings.variables is not None:
        answer["Environment"] = {"Variables": settings.variables}
    return answer


def iso(time_ms: int) -> str:
    """Return a time as Lambda writes it: `2024-01-01T00:00:00.000+0000`."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
