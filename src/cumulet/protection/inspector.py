"""Finds sensitive data in a payload.

One pass of one automaton for all patterns of all identifiers reads the whole payload. It says which of them can match
at all, which mostly is none. Only those whose keywords are there too are looked for, and what they find has to pass the
identifier's check and stand near a keyword. RE2's automata take time linear in the payload and a bounded amount of
memory, whatever the pattern.
"""

from collections.abc import Iterable
from itertools import chain

import re2

from cumulet.protection.contents import Contents
from cumulet.protection.documents import is_like_json, readings, taken_apart
from cumulet.protection.expressions import SET_MEMORY_BYTES, options
from cumulet.protection.findings import Finding
from cumulet.protection.identifier import Identifier
from cumulet.protection.keywords import Keywords, Words
from cumulet.protection.search import Pattern, Search, search_for
from cumulet.protection.surroundings import Surroundings
from cumulet.protection.work import Work


class Inspector:
    """A set of identifiers, compiled; takes milliseconds to make, is never changed and may be used by many threads."""

    __slots__ = ("_edged", "_patterns", "_set")

    def __init__(self, identifiers: Iterable[Identifier]) -> None:
        searches = [search_for(identifier) for identifier in {each.name: each for each in identifiers}.values()]
        self._patterns = [(search, pattern) for search in searches for pattern in search.patterns]
        self._edged = {index for index, (_, pattern) in enumerate(self._patterns) if pattern.is_edged}
        self._set = re2.Set.SearchSet(options(SET_MEMORY_BYTES))
        for _, pattern in self._patterns:
            self._set.Add(pattern.source)
        self._set.Compile()

    def find(self, text: str, work: Work | None = None) -> list[Finding]:
        """What is in the payload, in its order; of one kind, nothing overlaps.

        `work` bounds what a policy's own expressions may cost; raises TooExpensive.
        A payload of JSON is inspected by value, any other as one text.
        """
        is_edged = bool(self._edged) and is_like_json(text)
        read = readings(text)
        hits = {index for each in read for index in self._set.Match(each.encode("utf-8", "surrogatepass")) or ()}
        if not hits and not is_edged:
            return []
        words = Words("\0".join(read))
        possible = self._possible(hits | self._edged if is_edged else hits, words)
        if not possible:
            return []
        payload = taken_apart(text)
        contents = Contents(payload.values)
        surroundings = Surroundings(words if [payload.around] == read else Words(payload.around))
        found = (search.findings(patterns, contents, surroundings, work) for search, patterns in possible.items())
        return sorted(chain.from_iterable(found), key=lambda each: (each.start, each.end, each.identifier))

    def _possible(self, hits: Iterable[int], words: Words) -> dict[Search, list[Pattern]]:
        """The patterns that may match, as far as they need no keyword or the payload has one."""
        possible: dict[Search, list[Pattern]] = {}
        are_there: dict[Keywords, bool] = {}
        for search, pattern in (self._patterns[index] for index in hits):
            keywords = pattern.keywords
            if keywords is not None and keywords not in are_there:
                are_there[keywords] = keywords.within(words)
            if keywords is None or are_there[keywords]:
                possible.setdefault(search, []).append(pattern)
        return possible
