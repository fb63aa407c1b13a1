"""Reads JSON token by token, and says where it stands as EventBridge does in its refusals.

EventBridge reads patterns with a pull parser that looks ahead: a field's name is told when the first character of its
value, or the whole of a number or literal, has been taken already; a string's characters are taken when its text is
asked for. `where()` gives that position, so that refusals name the same line and column as AWS.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import NoReturn

from cumulet.patterns.errors import PatternError

MOST_SHOWN = 500
"""So many characters of the text are shown in a refusal."""
MOST_NESTED = 200
"""So many objects and arrays may be inside each other (EventBridge's limit is not documented)."""
_LITERALS = ("null", "true", "false")
_EXPECTED = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[\w$]*")
_STRING = re.compile(r'(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_LINE = re.compile(r"\r\n|\r|\n")


class Token(StrEnum):
    """What has been read."""

    OBJECT = "{"
    END_OBJECT = "}"
    ARRAY = "["
    END_ARRAY = "]"
    NAME = "name"
    STRING = "string"
    NUMBER = "number"
    TRUE = "true"
    FALSE = "false"
    NULL = "null"
    END = ""


SCALARS = frozenset({Token.STRING, Token.NUMBER, Token.TRUE, Token.FALSE, Token.NULL})


class JsonReader:
    """The tokens of a text. What is behind the end of the outermost value is not read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[tuple[Token, int]] = []
        self._is_first = True
        self._ahead: Token | None = None
        """The value of a field whose name has been told."""
        self._start: int | None = None
        """Where a string begins whose characters are still to be taken."""
        self._string = ""
        self.name = ""
        """The field's name that was read last."""

    def next(self) -> Token:
        """Take the next token; raises PatternError where there is none."""
        if self._ahead is not None:
            token, self._ahead = self._ahead, None
            return self._entered(token)
        if self._start is not None:
            self._take_string()
        self._skip_space()
        if not self._open:
            return self._entered(self._value()) if self._at < len(self._text) else Token.END
        opened = self._open[-1][0]
        if self._at >= len(self._text):
            self._end_of_input()
        character = self._text[self._at]
        if character == ("}" if opened is Token.OBJECT else "]"):
            self._at += 1
            self._open.pop()
            self._is_first = False
            return Token(character)
        if not self._is_first:
            self._comma(opened)
        self._is_first = False
        if opened is Token.ARRAY:
            return self._entered(self._value())
        return self._field()

    def text(self) -> str:
        """Return the text of the string or number that was read last."""
        if self._start is not None:
            self._take_string()
        return self._string

    def where(self) -> str:
        """Return the place up to which the text has been taken, as EventBridge words it."""
        lines = _LINE.split(self._text[: self._at])
        return self._place(len(lines), len(lines[-1]) + 1)

    def refuse(self, message: str, path: str = "") -> NoReturn:
        """Raise PatternError with a message and the place."""
        raise PatternError(f"{message}\n at {self.where()}", path)

    def _place(self, line: int, column: int) -> str:
        shown = f'"{self._text[:MOST_SHOWN]}"'
        if len(self._text) > MOST_SHOWN:
            shown += f"[truncated {len(self._text) - MOST_SHOWN} chars]"
        return f"[Source: (String){shown}; line: {line}, column: {column}]"

    def _entered(self, token: Token) -> Token:
        if token in (Token.OBJECT, Token.ARRAY):
            self._open.append((token, self._at))
            self._is_first = True
            if len(self._open) > MOST_NESTED:
                self.refuse(f"Document nesting depth ({MOST_NESTED + 1}) exceeds the maximum allowed ({MOST_NESTED})")
        return token

    def _field(self) -> Token:
        if self._text[self._at] != '"':
            self._unexpected("was expecting double-quote to start field name")
        self._at += 1
        self._start = self._at
        self.name = self.text()
        self._skip_space()
        if self._at >= len(self._text):
            self._end_of_input()
        if self._text[self._at] != ":":
            self._unexpected("was expecting a colon to separate field name and value")
        self._at += 1
        self._skip_space()
        if self._at >= len(self._text):
            self._end_of_input()
        self._ahead = self._value()
        return Token.NAME

    def _value(self) -> Token:
        character = self._text[self._at]
        if character in "{[":
            self._at += 1
            return Token(character)
        if character == '"':
            self._at += 1
            self._start = self._at
            return Token.STRING
        if number := _NUMBER.match(self._text, self._at):
            self._at = number.end()
            self._string = number.group()
            return Token.NUMBER
        word = _WORD.match(self._text, self._at)
        assert word is not None
        if not word.group():
            self._unexpected(f"expected a valid value {_EXPECTED}")
        self._at = word.end()
        if word.group() not in _LITERALS:
            self.refuse(f"Unrecognized token '{word.group()}': was expecting {_EXPECTED}")
        self._string = word.group()
        return Token(word.group())

    def _take_string(self) -> None:
        assert self._start is not None
        found = _STRING.match(self._text, self._start)
        if found is None:
            self._at = len(self._text)
            self.refuse("Unexpected end-of-input: was expecting closing quote for a string value")
        self._string = json.loads(self._text[self._start - 1 : found.end()])
        self._at, self._start = found.end(), None

    def _comma(self, opened: Token) -> None:
        if self._text[self._at] != ",":
            kind = "Object" if opened is Token.OBJECT else "Array"
            self._unexpected(f"was expecting comma to separate {kind} entries")
        self._at += 1
        self._skip_space()
        if self._at >= len(self._text):
            self._end_of_input()

    def _skip_space(self) -> None:
        space = _SPACE.match(self._text, self._at)
        assert space is not None
        self._at = space.end()

    def _unexpected(self, expected: str) -> NoReturn:
        character = self._text[self._at]
        self.refuse(f"Unexpected character ('{character}' (code {ord(character)})): {expected}")

    def _end_of_input(self) -> NoReturn:
        opened, at = self._open[-1]
        kind = "Object" if opened is Token.OBJECT else "Array"
        lines = _LINE.split(self._text[: at - 1])
        start = self._place(len(lines), len(lines[-1]) + 1)
        self.refuse(f"Unexpected end-of-input: expected close marker for {kind} (start marker at {start})")
