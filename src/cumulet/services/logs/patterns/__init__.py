"""Filter patterns: which log events a search, a metric filter or a subscription filter takes.

Four languages that a pattern's first character tells apart: `{` JSON selectors, `[` space-delimited fields, otherwise
terms, phrases and regular expressions. All run in time linear in the message; a pattern has at most 1,024 characters.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from cumulet.services.logs.errors import InvalidParameterException
from cumulet.services.logs.patterns import fields, json_documents, terms


class Pattern(Protocol):
    """A compiled pattern."""

    def matches(self, message: str) -> bool:
        """Does the pattern take this message?"""

    def extract(self, message: str) -> dict[str, str] | None:
        """Return the values that the pattern names in a message it takes, None for another message.

        Keys are as metric filters name them: `$status` or `$4` for fields, `$.a.b` for JSON properties.
        """


@lru_cache(maxsize=256)
def compiled(text: str) -> Pattern:
    """Return a pattern ready to run; raises InvalidParameterException with AWS's words for one that can't be."""
    text = text.strip()
    for opening, closing, language in (("{", "}", json_documents.compiled), ("[", "]", fields.compiled)):
        if text.startswith(opening):
            if len(text) < 2 or not text.endswith(closing):
                raise InvalidParameterException(
                    f"If a filter pattern starts with '{opening}' it must end with '{closing}'"
                )
            return language(text)
    return terms.compiled(text)


__all__ = ["Pattern", "compiled"]
