"""Tokens of lists, with the error of CloudWatch Logs for those that are not its own."""

from __future__ import annotations

from typing import TypeVar

from cumulet.services import list_tokens
from cumulet.services.list_tokens import token
from cumulet.services.logs.errors import invalid_token

__all__ = ["position", "token"]

T = TypeVar("T")


def position(text: str | None, listing: object, kind: type[T]) -> T | None:
    """Return the position in a token, None without one; raises InvalidParameterException for another list's token."""
    return list_tokens.position(text, listing, kind, invalid_token)
