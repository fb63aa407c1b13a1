"""How log events look to a person: when, whose, what. The platform's own lines stand back, errors stand out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

NAME_COLORS = ("cyan", "green", "magenta", "blue", "bright_cyan", "bright_magenta")
WIDEST_NAME = 24
"""Longer names push their own lines to the right, not everybody's."""
PLATFORM = re.compile(
    r'(INIT_START|INIT_REPORT|START RequestId:|END RequestId:|REPORT RequestId:) |{"time":"[^"]*","type":"platform\.'
)
BAD_END = re.compile(r'\tStatus: |"status":"(error|failure|timeout)"')
TIMED_OUT = re.compile(r"\S+ [0-9a-f-]{36} Task timed out after ")
LEVEL = re.compile(r'^\[([A-Z]+)\]|^\{.*?"level":\s*"([A-Z]+)"', re.DOTALL | re.IGNORECASE)
LEVEL_STYLES = {"WARNING": "yellow", "WARN": "yellow", "ERROR": "red", "CRITICAL": "red", "FATAL": "red"}


def styled(message: str) -> Text:
    """Return a log message as it looks on a terminal."""
    from rich.highlighter import JSONHighlighter
    from rich.text import Text

    text = Text(message.rstrip().replace("\t", "  "))
    if PLATFORM.match(message):
        text.stylize("red" if BAD_END.search(message) else "dim")
    elif style := _urgency(message):
        text.stylize(style)
    elif message.startswith("{"):
        JSONHighlighter().highlight(text)
    return text


def _urgency(message: str) -> str:
    if TIMED_OUT.match(message):
        return "red"
    level = LEVEL.match(message)
    return LEVEL_STYLES.get((level[1] or level[2]).upper(), "") if level else ""


class LogLines:
    """Prints events. On a terminal the day is said when it changes, elsewhere each line has it. Times are UTC's."""

    def __init__(self, console: Console, *, names: bool) -> None:
        self._console = console
        self._says_names = names
        self._colors: dict[str, str] = {}
        self._width = 0
        self._day = ""

    def print(self, name: str, event: dict[str, Any]) -> None:
        """Print an event of `name`; the lines of one event stand below each other."""
        from rich.text import Text

        at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        prefix = Text.assemble((f"{self._time(at)} ", "dim"))
        if self._says_names:
            color = self._colors.setdefault(name, NAME_COLORS[len(self._colors) % len(NAME_COLORS)])
            self._width = max(self._width, min(len(name), WIDEST_NAME))
            prefix.append(f"{name:{self._width}} ", color)
        first, *rest = styled(event["message"]).split("\n", allow_blank=True)
        self._console.print(prefix + first)
        for line in rest:
            self._console.print(Text(" " * len(prefix)) + line if line else "")

    def _time(self, at: datetime) -> str:
        milliseconds = f"{at.microsecond // 1000:03}"
        if not self._console.is_terminal:
            return f"{at:%Y-%m-%dT%H:%M:%S}.{milliseconds}Z"
        if (day := f"{at:%A, %Y-%m-%d}") != self._day:
            self._day = day
            self._console.print(f"{day} (UTC)", style="bold")
        return f"{at:%H:%M:%S}.{milliseconds}"
