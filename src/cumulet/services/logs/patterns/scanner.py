"""Reads a filter pattern from left to right."""

from __future__ import annotations

import re

from cumulet.kernel.errors import AwsError
from cumulet.services.logs.errors import InvalidParameterException
from cumulet.services.logs.patterns import regexes

SPACE = re.compile(r"\s*")
WORD = re.compile(r"[A-Za-z0-9_]+")
ESCAPED = re.compile(r'\\(["\\])')


def invalid_pattern() -> AwsError:
    """Return the error for a pattern that breaks the syntax."""
    return InvalidParameterException("Invalid filter pattern")


def invalid_characters(found: str) -> AwsError:
    """Return the error for characters that must be in quotation marks."""
    return InvalidParameterException(f"Invalid character(s) in term '{found}'")


class Scanner:
    """A pattern's text and how far it has been read."""

    def __init__(self, text: str, position: int, end: int) -> None:
        """Read `text` from `position` up to `end`."""
        self._text = text
        self.position = position
        self._end = end
        self.regexes = 0
        """How many regular expressions have been read."""

    @property
    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self.position >= self._end

    def skip_space(self) -> bool:
        """Pass over spaces; True when there were any."""
        before = self.position
        found = SPACE.match(self._text, before, self._end)
        assert found is not None
        self.position = found.end()
        return self.position > before

    def peek(self) -> str:
        """Return the next character, empty at the end."""
        return "" if self.at_end else self._text[self.position]

    def take(self, literal: str) -> bool:
        """Read `literal` if it comes next."""
        if self._text.startswith(literal, self.position, self._end):
            self.position += len(literal)
            return True
        return False

    def match(self, pattern: re.Pattern[str]) -> str:
        """Read what `pattern` matches here, which may be nothing."""
        found = pattern.match(self._text, self.position, self._end)
        if found is None:
            return ""
        self.position = found.end()
        return found.group()

    def quoted(self, mark: str = '"') -> str:
        """Read a text in quotation marks, the first of which comes next; backslashes escape a mark and themselves."""
        begin = position = self.position + 1
        while True:
            position = self._text.find(mark, position, self._end)
            if position < 0:
                raise invalid_pattern()
            body = self._text[begin:position]
            if (len(body) - len(body.rstrip("\\"))) % 2 == 0:
                break
            position += 1
        self.position = position + 1
        return ESCAPED.sub(r"\1", body)

    def regex(self) -> regexes.Regex:
        """Read a regular expression between percent signs, the first of which comes next."""
        end = self._text.find("%", self.position + 1, self._end)
        if end < 0:
            raise invalid_pattern()
        body = self._text[self.position + 1 : end]
        self.position = end + 1
        self.regexes += 1
        unsupported = regexes.unsupported_in(body)
        if unsupported:
            raise invalid_characters(unsupported)
        program = regexes.compiled(body)
        if program is None:
            raise invalid_pattern()
        return program
