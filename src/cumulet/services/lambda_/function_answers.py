"""Functions as AWS's answers show them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from cumulet.services.lambda_.configuration import Configuration
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.versions import code_sha256

PENDING = {
    "State": "Pending",
    "StateReason": "The function is being created.",
    "StateReasonCode": "Creating",
}
"""Of a function that was just created; the next answer shows it ready."""
UPDATING = {
    "State": "Active",
    "LastUpdateStatus": "InProgress",
    "LastUpdateStatusReason": "The function is being created.",
    "LastUpdateStatusReasonCode": "Creating",
}
"""Of a function that was just changed; the next answer shows it ready."""
READY = {"State": "Active", "LastUpdateStatus": "Successful"}


def whole(function: Function, state: dict[str, str], qualifier: str | None = None) -> dict[str, Any]:
    """Return a FunctionConfiguration; its ARN has the qualifier that was asked for."""
    return listed(function, qualifier) | state | {"RuntimeVersionConfig": _runtime_version(function)}


def listed(function: Function, qualifier: str | None = None) -> dict[str, Any]:
    """Return a FunctionConfiguration as lists have it: without its state."""
    settings = function.configuration
    answer: dict[str, Any] = {
        "FunctionName": function.name,
        "FunctionArn": f"{function.arn}:{qualifier}" if qualifier else function.arn,
        "Runtime": settings.runtime,
        "Role": settings.role_arn,
        "Handler": settings.handler,
        "CodeSize": function.package.size_bytes,
        "Description": settings.description,
        "Timeout": settings.timeout_seconds,
        "MemorySize": settings.memory_mb,
        "LastModified": written(function.modified_ms),
        "CodeSha256": code_sha256(function.package),
        "Version": function.version,
        "TracingConfig": {"Mode": settings.tracing},
        "RevisionId": function.revision,
        "PackageType": "Zip",
        "Architectures": [settings.architecture],
        "EphemeralStorage": {"Size": settings.tmp_mb},
        "SnapStart": {"ApplyOn": settings.snap_start, "OptimizationStatus": "Off"},
        "LoggingConfig": _logging(settings),
    }
    return answer | _optional(settings)


def _optional(settings: Configuration) -> dict[str, Any]:
    """Return the members that only functions have where they were set."""
    found: dict[str, Any] = {}
    if settings.variables is not None:
        found["Environment"] = {"Variables": settings.variables}
    if settings.dead_letter_arn is not None:
        found["DeadLetterConfig"] = {"TargetArn": settings.dead_letter_arn}
    if settings.layers:
        found["Layers"] = [{"Arn": layer.arn, "CodeSize": layer.size_bytes} for layer in settings.layers]
    if settings.kms_key_arn is not None:
        found["KMSKeyArn"] = settings.kms_key_arn
    if settings.network is not None:
        found["VpcConfig"] = {
            "SubnetIds": list(settings.network.subnet_ids),
            "SecurityGroupIds": list(settings.network.security_group_ids),
            "VpcId": "",
            "Ipv6AllowedForDualStack": settings.network.allows_ipv6,
        }
    return found


def _logging(settings: Configuration) -> dict[str, str]:
    members = {
        "LogFormat": settings.logging.format,
        "ApplicationLogLevel": settings.logging.application_level,
        "SystemLogLevel": settings.logging.system_level,
        "LogGroup": settings.logging.group,
    }
    return {name: value for name, value in members.items() if value is not None}


def _runtime_version(function: Function) -> dict[str, str]:
    """Return which build of the runtime it is; here a runtime has one for ever."""
    digest = hashlib.sha256(function.configuration.runtime.encode()).hexdigest()
    partition, region = function.arn.split(":")[1], function.region
    return {"RuntimeVersionArn": f"arn:{partition}:lambda:{region}::runtime:{digest}"}


def written(time_ms: int) -> str:
    """Return a time as Lambda writes it: `2024-01-01T00:00:00.000+0000`."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
