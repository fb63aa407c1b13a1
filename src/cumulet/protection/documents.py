"""A payload taken apart into the values that are inspected, each with where it stands in the payload.

A payload of JSON objects and arrays is inspected by value: strings with their escapes undone, and numbers. Names are
never data; they say what the values beneath them are, however far, and nothing about others. Everything else is one
plain text.
"""

import re
from bisect import bisect_right
from enum import Enum
from json import JSONDecodeError, JSONDecoder
from typing import NamedTuple

_JSON = JSONDecoder(parse_int=str, parse_float=str)
_TOKEN = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[\[{\]}]|-?[0-9][-+.0-9eE]*')
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[^u]")
_SPACE = re.compile(r"[ \t\r\n]*")
_SIGNS = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
# Names further up than this say little about a value; a bound for deeply nested payloads.
_NAMES_CHARACTERS = 500


class Place(Enum):
    """What surrounds a value; it decides how the value may be changed."""

    TEXT = "text"
    STRING = "JSON string"
    NUMBER = "JSON number"


class Value:
    """One text to be inspected."""

    __slots__ = ("_after", "_shifts", "_start", "content", "is_escaped", "names", "place")

    def __init__(self, raw: str, start: int, place: Place, names: str) -> None:
        self.place = place
        self.names = names
        self.content = raw
        self.is_escaped = place is Place.STRING and "\\" in raw
        self._start = start
        self._after: list[int] = []
        self._shifts: list[int] = []
        if self.is_escaped:
            self._unescape(raw)

    def _unescape(self, raw: str) -> None:
        pieces: list[str] = []
        position = shift = length = 0
        for match in _ESCAPE.finditer(raw):
            start, end = match.span()
            character = _character(match)
            pieces += (raw[position:start], character)
            length += start - position + len(character)
            shift += end - start - len(character)
            position = end
            self._after.append(length)
            self._shifts.append(shift)
        pieces.append(raw[position:])
        self.content = "".join(pieces)

    def position(self, index: int) -> int:
        """Where the character of the content stands in the payload."""
        escapes = bisect_right(self._after, index)
        return self._start + index + (self._shifts[escapes - 1] if escapes else 0)


def is_like_json(text: str) -> bool:
    """Whether the payload begins as a JSON object or array does."""
    start = _after_space(text, 0)
    return text[start : start + 1] in ("{", "[")


class Payload(NamedTuple):
    """What is to be inspected, in the payload's order, and what stands around it."""

    values: list[Value]
    around: str
    """The payload as it was given; names are blank in it, for they belong to their own values."""


def taken_apart(text: str) -> Payload:
    """The values of a payload of JSON, or the one text that it is."""
    if not _is_json(text):
        return Payload([Value(text, 0, Place.TEXT, "")], text)
    found = []
    around: list[str] = []
    position = 0
    above: list[str] = []
    names = ""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token[0] == '"':
            start, end = match.span(1)
            if match[2] is not None:
                container = above[-1] if above else ""
                names = f"{container}/{unescaped(match[1])}"[-_NAMES_CHARACTERS:]
                around += (text[position:start], "\0" * (end - start))
                position = end
            else:
                found.append(Value(match[1], start, Place.STRING, names))
        elif token in "{[":
            above.append(names)
        elif token in "}]":
            names = above.pop()
        else:
            found.append(Value(token, match.start(), Place.NUMBER, names))
    around.append(text[position:])
    return Payload(found, "".join(around))


def unescaped(raw: str) -> str:
    """A JSON string's inside, or a whole document, with escapes replaced by what they stand for."""
    return _ESCAPE.sub(_character, raw) if "\\" in raw else raw


def _character(escape: re.Match[str]) -> str:
    sign = escape[0][1]
    if sign != "u":
        return _SIGNS.get(sign, escape[0])
    units = bytes.fromhex(escape[0].replace("\\u", ""))
    return units.decode("utf-16-be", "surrogatepass")


def _is_json(text: str) -> bool:
    """Whether the text is JSON objects and arrays: mostly one, or one a line."""
    try:
        position = _after_space(text, 0)
        while text[position : position + 1] in ("{", "["):
            _, position = _JSON.raw_decode(text, position)
            position = _after_space(text, position)
    except (JSONDecodeError, RecursionError):
        return False
    return position == len(text)


def _after_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position
