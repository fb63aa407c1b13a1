"""Pages of lists: Marker says behind what the next page begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import NamedTuple

from cumulet.services.lambda_.errors import invalid

MOST_ITEMS = 50
"""Lambda: a page of most lists has at most 50 items, however many are asked for."""


class Page(NamedTuple):
    """Which part of a list is wanted."""

    after: str
    """The key of the last item before it; empty at the beginning."""
    size: int

    def next_marker(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the answer's NextMarker, where `keys` of the items found go on behind this page."""
        if len(keys) <= self.size:
            return {}
        return {"NextMarker": base64.urlsafe_b64encode(keys[self.size - 1].encode()).decode()}


def page(max_items: int | None, marker: str | None, most_items: int = MOST_ITEMS) -> Page:
    """Return the page that a request asks for; raises InvalidParameterValueException for a marker that is not ours."""
    try:
        after = base64.b64decode(marker, b"-_", validate=True).decode() if marker else ""
    except (ValueError, binascii.Error):
        raise invalid("Invalid Marker") from None
    return Page(after, min(max_items or most_items, most_items))
