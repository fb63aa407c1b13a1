"""IAM: how it words broken constraints. Its messages never repeat the value, and say of items what others leave out."""

from __future__ import annotations

from collections.abc import Sequence

from cumulet.kernel.errors import AwsError
from cumulet.wire.errors import ValidationError
from cumulet.wire.overlays.overlay import Overlay
from cumulet.wire.violations import NOT_NULL, Kind, Violation, dotted


def refuse(protocol: str, operation: str, violations: Sequence[Violation]) -> AwsError:
    """Return IAM's error for broken constraints."""
    texts = [f"Value at '{dotted(found.path)}' failed to satisfy constraint: {_text(found)}" for found in violations]
    noun = "error" if len(texts) == 1 else "errors"
    return ValidationError(f"{len(texts)} validation {noun} detected: {'; '.join(texts)}")


def _text(violation: Violation) -> str:
    if violation.kind == Kind.ITEM:
        return f"{violation.text[:-1]}, {NOT_NULL}]"
    return violation.text


OVERLAY = Overlay(refuse=refuse)
