"""When an environment that works on nothing is frozen."""

from __future__ import annotations

from cumulet.compute.boxes import Box
from cumulet.compute.telemetry import Telemetry

FREEZE_SECONDS = 0.1
"""So long an environment must have been free before it is frozen: invocations one after the other cost nothing."""
THAWED_FOR_TELEMETRY_SECONDS = 1.0


def freeze(box: Box, telemetry: Telemetry | None, free_seconds: float) -> bool:
    """Freeze the box of an environment that has been free long enough; return whether it is frozen."""
    if box.is_frozen:
        return True
    if free_seconds < FREEZE_SECONDS:
        return False
    if telemetry is not None and not telemetry.is_idle and free_seconds < THAWED_FOR_TELEMETRY_SECONDS:
        telemetry.flush()
        return False
    box.freeze()
    return box.is_frozen
