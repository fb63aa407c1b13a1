"""Lambda: limits that its model gives for kinds of functions that the platform lacks, and names it words itself."""

from __future__ import annotations

from typing import Any

from cumulet.wire.overlays.overlay import Description, Overlay

# The developer guide's limits of functions that run on demand; the model has those of managed instances.
LIMITS: dict[str, dict[str, int]] = {
    "Timeout": {"max": 900},
    "MemorySize": {"max": 10_240},
    "EphemeralStorageSize": {"max": 10_240},
}
# Lambda refuses an unknown runtime with an error of its own.
UNCHECKED = ("Runtime",)


def _correct(description: Description) -> Description:
    shapes: dict[str, Any] = dict(description["shapes"])
    for name, limit in LIMITS.items():
        shapes[name] = {**shapes[name], **limit}
    for name in UNCHECKED:
        shapes[name] = {key: value for key, value in shapes[name].items() if key != "enum"}
    return {**description, "shapes": shapes}


OVERLAY = Overlay(correct=_correct)
