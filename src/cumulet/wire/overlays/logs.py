"""CloudWatch Logs: broken constraints in the service's own error."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from cumulet.kernel.errors import AwsError
from cumulet.wire.errors import modeled
from cumulet.wire.overlays.overlay import Overlay
from cumulet.wire.violations import Kind, Violation, common_writer

NAMES = (("logGroupName",), ("logStreamName",))
NAME_TOO_LONG = "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
BATCH = ("logEvents",)


def refuse(protocol: str, operation: str, violations: Sequence[Violation]) -> AwsError:
    """Return InvalidParameterException with the common words, but for names that are too long."""
    invalid = modeled("logs", "InvalidParameterException")
    if violations[0].kind == Kind.MAX and violations[0].path in NAMES:
        return invalid(NAME_TOO_LONG)
    # A batch of events has up to a megabyte; the message doesn't repeat it.
    shown = [
        replace(found, is_sensitive=found.value is not None) if found.path == BATCH else found for found in violations
    ]
    return invalid(common_writer(protocol, operation, shown).message)


OVERLAY = Overlay(refuse=refuse)
