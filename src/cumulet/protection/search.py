"""The search for one identifier: its patterns, its check, its keywords, compiled."""

import re
from collections.abc import Iterable
from functools import lru_cache

from cumulet.protection.contents import Contents
from cumulet.protection.documents import Value
from cumulet.protection.expressions import compiled
from cumulet.protection.findings import Finding
from cumulet.protection.identifier import Identifier
from cumulet.protection.keywords import Keywords
from cumulet.protection.surroundings import Surroundings
from cumulet.protection.work import Work

_WORD = re.compile(rb"[0-9A-Za-z]+")
# A pattern that asks for the text's edges may match a value, but not the document around it.
_EDGES = re.compile(r"(?<!\[)\^|\$|\\[Az]")
_SEARCHES = 512
_AHEAD_BYTES = 512
# A longer match that begins where a shorter one does is seen when it ends within so much more.
_MARGIN_BYTES = 256


class Pattern:
    """One regular expression of an identifier."""

    __slots__ = ("_expression", "is_custom", "is_edged", "keywords", "source")

    def __init__(self, source: str, keywords: Keywords | None, *, is_custom: bool) -> None:
        self.source = source
        self.keywords = keywords
        self.is_custom = is_custom
        self.is_edged = _EDGES.search(source) is not None
        self._expression = compiled(source)

    def next(self, encoded: bytes, position: int, work: Work | None) -> tuple[int, int] | None:
        """The next match, the longest of those that begin first; raises TooExpensive.

        To know the longest, an automaton may have to read to the text's end, and again for each match. A custom pattern
        that is made to cost doesn't: it reads ahead only as far as needed, and twice as far when there was no match, or
        one that ends near there. So all matches of a text take time linear in it.
        """
        ahead = _AHEAD_BYTES if self.is_custom else len(encoded)
        while position <= len(encoded):
            limit = min(position + ahead, len(encoded))
            if work and self.is_custom:
                work.check()
            match = self._expression.search(encoded, position, limit)
            if limit == len(encoded) or (match and match.end() + _MARGIN_BYTES <= limit):
                return match.span() if match else None
            ahead *= 2
        return None


class Search:
    """One identifier, compiled."""

    __slots__ = ("_check", "_is_whole", "_name", "patterns")

    def __init__(self, identifier: Identifier) -> None:
        self._name = identifier.name
        self._check = identifier.check
        self._is_whole = identifier.is_whole
        is_custom = identifier.category == "Custom"
        keywords = Keywords(identifier.keywords) if identifier.keywords else None
        self.patterns = [Pattern(source, keywords, is_custom=is_custom) for source in identifier.patterns]
        self.patterns += [Pattern(source, None, is_custom=is_custom) for source in identifier.unaided]

    def findings(
        self, patterns: Iterable[Pattern], contents: Contents, surroundings: Surroundings, work: Work | None = None
    ) -> Iterable[Finding]:
        """What some of the identifier's patterns find; those that overlap as one."""
        found: dict[Value, list[tuple[int, int]]] = {}
        for pattern in patterns:
            for value, start, end in self._matches(pattern, contents, work):
                if pattern.keywords is None or surroundings.support(pattern.keywords, value, start, end):
                    found.setdefault(value, []).append((start, end))
        for value, spans in found.items():
            for start, end in _merged(spans):
                yield Finding(value.position(start), value.position(end), self._name, value.place)

    def _matches(self, pattern: Pattern, contents: Contents, work: Work | None) -> Iterable[tuple[Value, int, int]]:
        if not (pattern.is_custom and pattern.is_edged):
            spans = self._spans(pattern, contents.encoded, work)
            if not (pattern.is_custom and contents.are_crossed(spans)):
                return contents.spans(spans)
        # A custom pattern may match anything, also what is between two values.
        return [match for each in contents.apart() for match in each.spans(self._spans(pattern, each.encoded, work))]

    def _spans(self, pattern: Pattern, encoded: bytes, work: Work | None) -> list[tuple[int, int]]:
        spans = []
        position = 0
        while span := pattern.next(encoded, position, work):
            start, end = span
            if start == end:
                position = end + 1
            elif self._check is None or self._check(encoded[start:end].decode("utf-8", "replace")):
                spans.append(span)
                position = end
            else:
                position = end if self._is_whole else _after_word(encoded, start)
        return spans


@lru_cache(_SEARCHES)
def search_for(identifier: Identifier) -> Search:
    """The search for an identifier; those that use the same one share it."""
    return Search(identifier)


def _after_word(encoded: bytes, start: int) -> int:
    """Where to look on after something that wasn't it: no data begins inside of a word of letters and digits."""
    word = _WORD.match(encoded, start)
    return word.end() if word else start + 1


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
