"""The words that must stand near the data: in which spellings they count, and how near.

AWS: keywords aren't case sensitive; one that has a space also matches without it, and with an underscore or hyphen
instead; it has to be within 30 characters of the data. A keyword never is a part of a longer word, but a change from
lower to upper case ends a word (`customerSsn`), and so do digits and underscores.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise

from cumulet.protection.expressions import compiled
from cumulet.protection.offsets import characters

PROXIMITY_CHARACTERS = 30
_INNER_CAPITAL = re.compile("[a-z][A-Z]")


class Keywords:
    """The keywords of one identifier, compiled."""

    __slots__ = ("_expression",)

    def __init__(self, phrases: Iterable[str]) -> None:
        spellings = "|".join(_spellings(phrase) for phrase in phrases)
        self._expression = compiled(rf"(?i)(?:^|[^\pL])({spellings})(?:[^\pL]|$)")

    def within(self, words: "Words") -> bool:
        """Whether one is anywhere in the text."""
        return self._expression.search(words.encoded) is not None

    def places(self, words: "Words") -> "Places":
        """Where they stand in a text."""
        starts = []
        ends = []
        position = 0
        while match := self._expression.search(words.encoded, position):
            start, position = match.span(1)
            starts.append(start)
            ends.append(position)
        return Places(words.indexes(starts), words.indexes(ends))


class Words:
    """A text with its words apart: `cardNumber` reads `card Number`. Made once for the keywords of all identifiers."""

    __slots__ = ("_capitals", "_length", "encoded")

    def __init__(self, text: str) -> None:
        capitals = [match.start() + 1 for match in _INNER_CAPITAL.finditer(text)]
        if capitals:
            text = " ".join(text[start:end] for start, end in pairwise([0, *capitals, len(text)]))
        self._capitals = [capital + number for number, capital in enumerate(capitals)]
        self._length = len(text)
        self.encoded = text.encode("utf-8", "surrogatepass")

    def indexes(self, offsets: list[int]) -> list[int]:
        """The characters of the text at bytes of `encoded`, ascending."""
        found = characters(self.encoded, self._length, offsets)
        if not self._capitals:
            return found
        return [index - bisect_left(self._capitals, index) for index in found]


class Places:
    """Where keywords stand in a text: characters, ascending."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, starts: list[int], ends: list[int]) -> None:
        self._starts = starts
        self._ends = ends

    def near(self, start: int, end: int) -> bool:
        """Whether a keyword ends at most 30 characters before the data, or begins at most 30 after it."""
        before = bisect_right(self._ends, start)
        if before and start - self._ends[before - 1] <= PROXIMITY_CHARACTERS:
            return True
        after = bisect_left(self._starts, end)
        return after < len(self._starts) and self._starts[after] - end <= PROXIMITY_CHARACTERS


def _spellings(phrase: str) -> str:
    words = [re.escape(word).replace("’", "'").replace("'", "['’]") for word in phrase.split()]
    return r"[\s_\-]?".join(words) + ("s?" if phrase[-1].isalpha() else "")
