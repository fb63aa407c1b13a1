"""Why a text is no event pattern."""

from __future__ import annotations


class PatternError(ValueError):
    """A pattern that is refused.

    `reason` is what EventBridge says behind "Event pattern is not valid. Reason: ", with the place in the text where
    it knows one. `path` is the field that was being read, its steps joined by dots; empty at the top.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path
