"""Lambda: limits that its model gives for kinds of functions that the platform lacks, and names it words itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from cumulet.kernel.errors import AwsError
from cumulet.wire.overlays.overlay import Description, Overlay
from cumulet.wire.violations import NOT_NULL, Kind, Violation, common_writer

# The developer guide's limits of functions that run on demand; the model has those of managed instances.
LIMITS: dict[str, dict[str, int]] = {
    "Timeout": {"max": 900},
    "MemorySize": {"max": 10_240},
    "EphemeralStorageSize": {"max": 10_240},
}
# Lambda refuses an unknown runtime with an error of its own.
UNCHECKED = ("Runtime",)
# ... but not for layers, where it is a value of a list or a filter like others.
OF_LAYERS = "LayerRuntime"
FILTERED_BY_RUNTIME = ("ListLayersRequest", "ListLayerVersionsRequest")
LAYER_RUNTIMES = ("CompatibleRuntimes",)
# The one map whose keys and values are told not to be null, too (recorded).
WEIGHTS = ("AdditionalVersionWeights",)


def _correct(description: Description) -> Description:
    shapes: dict[str, Any] = dict(description["shapes"])
    for name, limit in LIMITS.items():
        shapes[name] = {**shapes[name], **limit}
    shapes[OF_LAYERS] = shapes["Runtime"]
    shapes["CompatibleRuntimes"] = {**shapes["CompatibleRuntimes"], "member": {"shape": OF_LAYERS}}
    for name in FILTERED_BY_RUNTIME:
        members = {**shapes[name]["members"]}
        members["CompatibleRuntime"] = {**members["CompatibleRuntime"], "shape": OF_LAYERS}
        shapes[name] = {**shapes[name], "members": members}
    for name in UNCHECKED:
        shapes[name] = {key: value for key, value in shapes[name].items() if key != "enum"}
    return {**description, "shapes": shapes}


def refuse(protocol: str, operation: str, violations: Sequence[Violation]) -> AwsError:
    """Write violations as most services do; Lambda says of a list's items that they must not be null, too.

    Not so of those of a layer; its runtimes come first, and are written like a value alone (recorded).
    """
    if operation == "PublishLayerVersion":
        ordered = sorted(violations, key=lambda violation: violation.path != LAYER_RUNTIMES)
        return common_writer(protocol, operation, [_of_layer(violation) for violation in ordered])
    return common_writer(protocol, operation, [_completed(violation) for violation in violations])


def _completed(violation: Violation) -> Violation:
    if violation.kind == Kind.ITEM or violation.path[-1:] == WEIGHTS:
        return replace(violation, text=f"{violation.text.removesuffix(']')}, {NOT_NULL}]")
    return violation


def _of_layer(violation: Violation) -> Violation:
    if violation.kind != Kind.ITEM or violation.path != LAYER_RUNTIMES:
        return violation
    return replace(violation, text=violation.text.removeprefix("Member must satisfy constraint: [").removesuffix("]"))


# What Invoke answers is bytes to the model, and JSON to Lambda (recorded).
OVERLAY = Overlay(correct=_correct, refuse=refuse, content_types={"Invoke": b"application/json"})
