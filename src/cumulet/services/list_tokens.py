"""Tokens of lists: where a list goes on, tied to the list and its filters."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from cumulet.kernel.errors import AwsError

T = TypeVar("T")


def token(listing: object, position: object) -> str:
    """Return the token for going on behind `position` of a list; `listing` names the list and its filters."""
    return base64.urlsafe_b64encode(msgspec.json.encode([listing, position])).decode()


def position(text: str | None, listing: object, kind: type[T], refuse: Callable[[], AwsError]) -> T | None:
    """Return the position in a token, None without one; raises what `refuse` returns for another list's token."""
    if text is None:
        return None
    found: tuple[Any, T]
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(text), type=tuple[Any, kind])  # type: ignore[valid-type]
    except (ValueError, msgspec.MsgspecError):
        raise refuse() from None
    if found[0] != msgspec.to_builtins(listing):
        raise refuse()
    return found[1]
