"""What can be set on a function besides its code: defaults, changes, and what Lambda refuses.

Lengths, ranges and patterns are checked where requests are decoded; this is what the model can't say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.lambda_ import environment_variables
from cumulet.services.lambda_.errors import invalid
from cumulet.wire.overlays.lambda_ import OF_LAYERS
from cumulet.wire.service import load

SNAP_START_RUNTIMES = frozenset(
    {
        *("java11", "java17", "java21", "java25", "java11.al2023", "java17.al2023"),
        *("python3.12", "python3.13", "python3.14", "python3.15"),
        *("dotnet8", "dotnet10"),
    }
)
IMPLEMENTED = frozenset(
    {
        *("FunctionName", "Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "Environment"),
        *("Architectures", "EphemeralStorage", "LoggingConfig", "TracingConfig", "VpcConfig", "SnapStart"),
        *("DeadLetterConfig", "KMSKeyArn", "Tags", "Layers", "CodeSigningConfigArn"),
        *("Publish", "RevisionId", "CodeSha256", "DryRun", "PackageType"),
        *("Code", "ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion", "S3ObjectStorageMode", "ImageUri"),
    }
)
"""The members of CreateFunction and of the operations that change functions that have an effect, are stored and shown,
or are refused by rules of their own."""
PLAIN = {
    "Role": "role_arn",
    "Handler": "handler",
    "Description": "description",
    "Timeout": "timeout_seconds",
    "MemorySize": "memory_mb",
}


class Layer(msgspec.Struct, frozen=True):
    """A version of a layer that a function uses, and the zip file with what is in it."""

    arn: str
    digest: str
    size_bytes: int


class Logging(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a function's log is written, and where to. Levels are set in the format JSON only."""

    format: Literal["Text", "JSON"] = "Text"
    application_level: str | None = None
    system_level: str | None = None
    group: str


class Network(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The VPC that a function asks to be in: shown, and without effect."""

    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    allows_ipv6: bool = False


class Configuration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A function's settings."""

    runtime: str
    role_arn: str
    handler: str
    description: str = ""
    timeout_seconds: int = 3
    memory_mb: int = 128
    tmp_mb: int = 512
    architecture: str = "x86_64"
    variables: dict[str, str] | None = None
    """None where none were ever set; Lambda tells that from an empty set."""
    tracing: Literal["Active", "PassThrough"] = "PassThrough"
    snap_start: str = "None"
    """When snapshots are taken, by Lambda's name: `None` or `PublishedVersions`."""
    dead_letter_arn: str | None = None
    kms_key_arn: str | None = None
    network: Network | None = None
    layers: tuple[Layer, ...] = ()
    """In the order in which they are merged; what they hold stays when a version of a layer is deleted."""
    logging: Logging


def refuse_unsupported(operation: str, request: Mapping[str, Any]) -> None:
    """Raise NotImplementedFailure for a member that asks for what functions can't do yet."""
    for name, value in request.items():
        if value and name not in IMPLEMENTED:
            raise NotImplementedFailure(f"Cumulet does not implement {name} of {operation} of lambda yet.")


def new(name: str, request: Mapping[str, Any]) -> Configuration:
    """Return the configuration of a new function; raises InvalidParameterValueException for what can't be set."""
    if not request.get("Runtime") or not request.get("Handler"):
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    blank = Configuration(runtime="", role_arn="", handler="", logging=Logging(group=f"/aws/lambda/{name}"))
    return changed(blank, request)


def changed(before: Configuration, request: Mapping[str, Any]) -> Configuration:
    """Return the configuration with what a request sets; raises InvalidParameterValueException for what can't be."""
    changes = {name: request[member] for member, name in PLAIN.items() if member in request}
    if "Runtime" in request:
        changes["runtime"] = _runtime(request["Runtime"])
    if "EphemeralStorage" in request:
        changes["tmp_mb"] = request["EphemeralStorage"]["Size"]
    if "Architectures" in request:
        changes["architecture"] = request["Architectures"][0]
    if "Environment" in request:
        changes["variables"] = environment_variables.checked(request["Environment"].get("Variables", {}))
    if mode := request.get("TracingConfig", {}).get("Mode"):
        changes["tracing"] = mode
    if apply_on := request.get("SnapStart", {}).get("ApplyOn"):
        changes["snap_start"] = apply_on
    if "DeadLetterConfig" in request:
        changes["dead_letter_arn"] = request["DeadLetterConfig"].get("TargetArn") or None
    if "KMSKeyArn" in request:
        changes["kms_key_arn"] = request["KMSKeyArn"] or None
    if "VpcConfig" in request:
        changes["network"] = _network(request["VpcConfig"])
    if "LoggingConfig" in request:
        changes["logging"] = _logging(before.logging, request["LoggingConfig"])
    after = msgspec.structs.replace(before, **changes)
    if after.snap_start != "None":
        if after.runtime not in SNAP_START_RUNTIMES:
            raise invalid(f"{after.runtime} is not supported for SnapStart enabled functions.")
        raise NotImplementedFailure("Cumulet does not implement snapshots (SnapStart) of lambda functions yet.")
    return after


def runtimes() -> tuple[str, ...]:
    """Return every identifier that the model lists, those included that AWS lets no new function use."""
    return tuple(load("lambda").model.shape_for(OF_LAYERS).traits["enum"])


def _runtime(name: str) -> str:
    if name not in runtimes():
        raise invalid(
            f"Value {name} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(runtimes())}] or be a valid ARN"
        )
    return name


def _network(given: Mapping[str, Any]) -> Network:
    network = Network(
        subnet_ids=tuple(given.get("SubnetIds", ())),
        security_group_ids=tuple(given.get("SecurityGroupIds", ())),
        allows_ipv6=given.get("Ipv6AllowedForDualStack", False),
    )
    if bool(network.subnet_ids) != bool(network.security_group_ids):
        raise invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
    return network


def _logging(before: Logging, given: Mapping[str, Any]) -> Logging:
    log_format = given.get("LogFormat", before.format)
    group = given.get("LogGroup", before.group)
    if log_format == "JSON":
        return Logging(
            format=log_format,
            application_level=given.get("ApplicationLogLevel", before.application_level or "INFO"),
            system_level=given.get("SystemLogLevel", before.system_level or "INFO"),
            group=group,
        )
    for level in ("ApplicationLogLevel", "SystemLogLevel"):
        if level in given:
            raise invalid(f"{level} can be set only when LogFormat is JSON.")
    return Logging(format=log_format, group=group)
