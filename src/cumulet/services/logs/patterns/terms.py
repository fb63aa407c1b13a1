"""Terms in unstructured messages: `ERROR "exact phrase" -excluded`, `?either ?or`, `%regex%`.

CloudWatch Logs: terms are case-sensitive and match anywhere; terms with a question mark count only where no other
terms are; a phrase of spaces matches everything.
"""

from __future__ import annotations

from collections.abc import Callable

from cumulet.services.logs.patterns.scanner import WORD, Scanner, invalid_characters, invalid_pattern

Test = Callable[[str], bool]


class TermPattern:
    """Takes messages that contain terms."""

    def __init__(self, included: list[Test], excluded: list[Test], optional: list[Test]) -> None:
        self._included = tuple(included)
        self._excluded = tuple(excluded)
        self._optional = () if included or excluded else tuple(optional)

    def matches(self, message: str) -> bool:
        """Does the message contain what it must, and nothing that it must not?"""
        for test in self._included:
            if not test(message):
                return False
        for test in self._excluded:
            if test(message):
                return False
        return not self._optional or any(test(message) for test in self._optional)

    def extract(self, message: str) -> dict[str, str] | None:
        """Return nothing: terms name no values."""
        return {} if self.matches(message) else None


def compiled(text: str) -> TermPattern:
    """Return the pattern of a text without spaces around it; without terms it takes everything."""
    included: list[Test] = []
    excluded: list[Test] = []
    optional: list[Test] = []
    scanner = Scanner(text, 0, len(text))
    while not scanner.at_end:
        kind = optional if scanner.take("?") else excluded if scanner.take("-") else included
        kind.append(_term(scanner))
        if not scanner.skip_space() and not scanner.at_end:
            raise invalid_characters(scanner.peek())
    return TermPattern(included, excluded, optional)


def _term(scanner: Scanner) -> Test:
    first = scanner.peek()
    if first == "%":
        return scanner.regex()
    if first == '"':
        phrase = scanner.quoted()
        if not phrase:
            raise invalid_characters('""')
        return _contains(phrase) if phrase.strip() else lambda message: True
    word = scanner.match(WORD)
    if not word:
        raise invalid_characters(first) if first.strip() else invalid_pattern()
    return _contains(word)


def _contains(term: str) -> Test:
    return lambda message: term in message
