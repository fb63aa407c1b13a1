"""Pages of a list: MaxItems, Marker, IsTruncated.

A list in the store goes on behind the last key that was shown; one that is small enough to be read whole (tags,
versions, a role's attached policies) behind a position.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from cumulet.kernel.errors import AwsError
from cumulet.services.iam.errors import ValidationError

DEFAULT_MAX_ITEMS = 100
END_OF_TEXT = "\U0010ffff"

Item = TypeVar("Item")


class Page(msgspec.Struct, frozen=True):
    """One page of the list that an operation answers."""

    operation: str
    after: str
    """What the page before ended with; empty for the first page."""
    size: int

    @property
    def limit(self) -> int:
        """How many rows to read: one more than the page shows tells whether there are more."""
        return self.size + 1

    def cut(self, found: Sequence[Item], key: Callable[[Item], str]) -> tuple[Sequence[Item], dict[str, Any]]:
        """Return what the page shows of `found`, up to `limit` items behind `after`, and the members that tell so."""
        shown = found[: self.size]
        return shown, self._rest(key(shown[-1]) if len(found) > self.size else None)

    def slice(self, items: Sequence[Item]) -> tuple[Sequence[Item], dict[str, Any]]:
        """Return what the page shows of a whole list, and the members that tell so."""
        if not (self.after or "0").isdecimal():
            raise _invalid_marker()
        end = int(self.after or 0) + self.size
        return items[end - self.size : end], self._rest(str(end) if len(items) > end else None)

    def _rest(self, last: str | None) -> dict[str, Any]:
        if last is None:
            return {"IsTruncated": False}
        marker = base64.b64encode(msgspec.json.encode([self.operation, last])).decode()
        return {"IsTruncated": True, "Marker": marker}


def page(operation: str, request: Mapping[str, Any]) -> Page:
    """Return the page that a request asks for; ValidationError for a Marker of something else."""
    after = ""
    marker = request.get("Marker")
    if marker is not None:
        try:
            listed, after = msgspec.json.decode(base64.b64decode(marker, validate=True), type=tuple[str, str])
        except (ValueError, msgspec.MsgspecError):
            raise _invalid_marker() from None
        if listed != operation:
            raise _invalid_marker()
    return Page(operation, after, request.get("MaxItems", DEFAULT_MAX_ITEMS))


def _invalid_marker() -> AwsError:
    return ValidationError("Invalid Marker.")
