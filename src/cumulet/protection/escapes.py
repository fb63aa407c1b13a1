"""JSON's escapes: undone, put back, and where in the payload what they stand for is."""

import json
import re
from bisect import bisect_right

_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[^u]")
_SIGNS = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def unescaped(raw: str) -> str:
    """A JSON string's inside, or a whole document, with escapes replaced by what they stand for."""
    return _ESCAPE.sub(_character, raw) if "\\" in raw else raw


def escaped(text: str, depth: int) -> str:
    """A text as it is written in a JSON string that is in so many others, less one."""
    for _ in range(depth):
        text = json.dumps(text, ensure_ascii=False)[1:-1]
    return text


class Unescaped:
    """The inside of a JSON string, undone, with the way back."""

    __slots__ = ("_after", "_shifts", "text")

    def __init__(self, raw: str) -> None:
        self._after: list[int] = []
        self._shifts: list[int] = []
        self.text = self._undone(raw) if "\\" in raw else raw

    def _undone(self, raw: str) -> str:
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
        return "".join(pieces)

    def position(self, index: int) -> int:
        """Where a character of the text is in the raw string."""
        escapes = bisect_right(self._after, index)
        return index + (self._shifts[escapes - 1] if escapes else 0)


def _character(escape: re.Match[str]) -> str:
    sign = escape[0][1]
    if sign != "u":
        return _SIGNS.get(sign, escape[0])
    units = bytes.fromhex(escape[0].replace("\\u", ""))
    return units.decode("utf-16-be", "surrogatepass")
