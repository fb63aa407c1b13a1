"""What a policy says of a request."""

from __future__ import annotations

from enum import Enum


class Decision(Enum):
    """Whether a request may go on."""

    ALLOWED = "allowed"
    DENIED = "denied"
    """By a statement, whatever others allow."""
    SILENT = "silent"
