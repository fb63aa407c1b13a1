"""Tokens of lists, with the error of CloudWatch for those that are not its own."""

from __future__ import annotations

from typing import TypeVar

from cumulet.services import list_tokens
from cumulet.services.cloudwatch.errors import invalid_token
from cumulet.services.list_tokens import token

__all__ = ["position", "token"]

T = TypeVar("T")


def position(text: str | None, listing: object, kind: type[T]) -> T | None:
    """Return the position in a token, None without one; raises InvalidNextToken for another list's token."""
    return list_tokens.position(text, listing, kind, invalid_token)
