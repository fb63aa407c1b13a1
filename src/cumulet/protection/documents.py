"""A payload taken apart into the values that are inspected, each with where it stands in the payload.

A payload of JSON is inspected by value: strings with their escapes undone, and numbers. A string that is JSON itself is
taken apart, too. Names are never data; they say what the values beneath them are, however far, and nothing about
others. Everything else is one plain text.
"""

import re
from enum import Enum
from json import JSONDecodeError, JSONDecoder
from typing import NamedTuple

from cumulet.protection.escapes import Unescaped, unescaped

# A document in so many strings, one in the other: an event in an envelope in a queue's message is in two. Each doubles
# the backslashes of those in it, so that more don't fit into a message.
MAX_DEPTH = 16
_JSON = JSONDecoder(parse_int=str, parse_float=str)
_TOKEN = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[\[{\]}]|-?[0-9][-+.0-9eE]*')
_SPACE = re.compile(r"[ \t\r\n]*")
# Names further up than this say little about a value; a bound for deeply nested payloads.
_NAMES_CHARACTERS = 500


class Kind(Enum):
    """What a value is in its document."""

    TEXT = "text"
    STRING = "JSON string"
    NUMBER = "JSON number"


class Place(NamedTuple):
    """Where a value stands, which decides how it may be changed."""

    kind: Kind
    depth: int
    """In so many JSON strings, one in the other; a string's inside is in the string."""
    start: int
    end: int


class Value:
    """One text to be inspected."""

    __slots__ = ("_outer", "_start", "_unescaped", "content", "is_escaped", "names", "place")

    def __init__(self, raw: str, start: int, kind: Kind, names: str, outer: "Value | None" = None) -> None:
        """`start` is that in the content of the string around it, or in the payload."""
        self._outer = outer
        self._start = start
        self._unescaped = Unescaped(raw if kind is Kind.STRING else "")
        self.content = self._unescaped.text if kind is Kind.STRING else raw
        self.is_escaped: bool = (outer is not None and outer.is_escaped) or (kind is Kind.STRING and "\\" in raw)
        self.names = names
        depth = (outer.place.depth if outer else 0) + (kind is Kind.STRING)
        self.place: Place = Place(kind, depth, self.position(0), self.position(len(self.content)))

    def position(self, index: int) -> int:
        """Where the character of the content stands in the payload."""
        position = self._start + self._unescaped.position(index)
        return self._outer.position(position) if self._outer else position


class Payload(NamedTuple):
    """What is to be inspected, in the payload's order, and what stands around it."""

    values: list[Value]
    around: str
    """The payload as it was given; names are blank in it, for they belong to their own values."""


def is_like_json(text: str) -> bool:
    """Whether the text begins as a JSON object, array or string does."""
    start = _after_space(text, 0)
    return text[start : start + 1] in ("{", "[", '"')


def readings(text: str) -> list[str]:
    """The payload, and if it may be JSON, how its values read: with the escapes undone, once for each string around."""
    read = [text]
    if "\\" in text and is_like_json(text):
        while len(read) <= MAX_DEPTH + 1 and "\\" in read[-1]:
            read.append(unescaped(read[-1]))
    return read


def taken_apart(text: str) -> Payload:
    """The values of a payload of JSON, or the one text that it is."""
    if not _is_json(text):
        return Payload([Value(text, 0, Kind.TEXT, "")], text)
    values: list[Value] = []
    names: list[tuple[int, int]] = []
    _take_apart(text, None, "", values, names)
    pieces: list[str] = []
    position = 0
    for start, end in names:
        pieces += (text[position:start], "\0" * (end - start))
        position = end
    pieces.append(text[position:])
    return Payload(values, "".join(pieces))


def _take_apart(
    text: str, outer: Value | None, top: str, values: list[Value], all_names: list[tuple[int, int]]
) -> None:
    """Add the values of a document, and where its names are; `top` are the names that lead to it."""
    above: list[str] = []
    names = top
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token[0] == '"':
            start, end = match.span(1)
            if match[2] is not None:
                names = f"{above[-1] if above else top}/{unescaped(match[1])}"[-_NAMES_CHARACTERS:]
                all_names.append((outer.position(start), outer.position(end)) if outer else (start, end))
                continue
            value = Value(match[1], start, Kind.STRING, names, outer)
            if value.place.depth <= MAX_DEPTH and _is_json(value.content):
                _take_apart(value.content, value, names, values, all_names)
            else:
                values.append(value)
        elif token in "{[":
            above.append(names)
        elif token in "}]":
            names = above.pop()
        else:
            values.append(Value(token, match.start(), Kind.NUMBER, names, outer))


def _is_json(text: str) -> bool:
    """Whether the text is JSON: objects and arrays, mostly one, or one a line; or one string."""
    if not is_like_json(text):
        return False
    try:
        position = _after_space(text, 0)
        if text[position] == '"':
            _, position = _JSON.raw_decode(text, position)
            return _after_space(text, position) == len(text)
        while text[position : position + 1] in ("{", "["):
            _, position = _JSON.raw_decode(text, position)
            position = _after_space(text, position)
    except JSONDecodeError:
        return False
    except RecursionError:  # deeper than Python reads, but others do
        return _is_balanced(text)
    return position == len(text)


def _is_balanced(text: str) -> bool:
    """Whether each bracket of the text has its other half."""
    depth = 0
    for match in _TOKEN.finditer(text):
        depth += (match[0] in "{[") - (match[0] in "}]")
        if depth < 0:
            return False
    return depth == 0


def _after_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position
