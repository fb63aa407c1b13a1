"""Texts with wildcards: `*` for any characters, also none, and `?` for one. No pattern takes more than a text's length
times its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum


class Wild(Enum):
    """What stands for characters that are not known."""

    MANY = "*"
    ONE = "?"


Piece = str | Wild
WILDCARDS = re.compile(r"([*?])")


def pieces(text: str) -> list[Piece]:
    """Return a text with its wildcards told from its characters."""
    return [Wild(piece) if piece in "*?" else piece for piece in WILDCARDS.split(text) if piece]


class Glob:
    """One pattern."""

    def __init__(self, parsed: Iterable[Piece]) -> None:
        found = list(parsed)
        self._literal: str | None = None
        if not any(isinstance(piece, Wild) for piece in found):
            self._literal = "".join(piece for piece in found if isinstance(piece, str))
        runs: list[list[Piece]] = [[]]
        for piece in found:
            if piece is Wild.MANY:
                runs.append([])
            else:
                runs[-1].append(piece)
        self._runs = [_Run(run) for run in runs]

    def matches(self, text: str) -> bool:
        """Return whether the pattern is the whole text."""
        if self._literal is not None:
            return text == self._literal
        if len(self._runs) == 1:
            return len(text) == self._runs[0].length and self._runs[0].find(text, 0, len(text)) == 0
        first, *inner, last = self._runs
        at, end = first.length, len(text) - last.length
        if at > end or first.find(text, 0, at) != 0 or last.find(text, end, len(text)) != end:
            return False
        for run in inner:
            found = run.find(text, at, end)
            if found < 0:
                return False
            at = found + run.length
        return True


class _Run:
    """What stands between two `*`: its length is known."""

    def __init__(self, parsed: Sequence[Piece]) -> None:
        self.length = sum(1 if isinstance(piece, Wild) else len(piece) for piece in parsed)
        self._text = "".join(piece for piece in parsed if isinstance(piece, str))
        self._expression: re.Pattern[str] | None = None
        if any(isinstance(piece, Wild) for piece in parsed):
            source = "".join("." if isinstance(piece, Wild) else re.escape(piece) for piece in parsed)
            self._expression = re.compile(source, re.DOTALL)

    def find(self, text: str, start: int, end: int) -> int:
        """Return where the run is first found between two places, or -1."""
        if self._expression is None:
            return text.find(self._text, start, end)
        found = self._expression.search(text, start, end)
        return found.start() if found else -1
