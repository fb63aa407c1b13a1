"""One line for each request: JSON for machines, colours on a terminal.

Lines are gathered and written together a few times a second, so that logging costs a request next to nothing.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

import orjson

from cumulet.kernel.clock import MACHINE
from cumulet.kernel.config import LogStyle

WRITE_EVERY_SECONDS = 0.1


class RequestLog:
    """Writes what was asked and answered."""

    def __init__(self, style: LogStyle, stream: TextIO = sys.stderr) -> None:
        self._style = ("pretty" if stream.isatty() else "json") if style == "auto" else style
        self._stream = stream
        self._entries: list[tuple[int, str, str, int, float, str, str]] = []
        self._write_timer: asyncio.TimerHandle | None = None

    def request(
        self, service: str, operation: str, status: int, milliseconds: float, account: str, request_id: str
    ) -> None:
        """Log a request that has been answered."""
        if self._style == "off":
            return
        self._entries.append((MACHINE.now_ms(), service, operation, status, milliseconds, account, request_id))
        if self._write_timer is None:
            self._write_timer = asyncio.get_running_loop().call_later(WRITE_EVERY_SECONDS, self.flush)

    def event(self, message: str, **details: Any) -> None:
        """Log something that is no request, such as a failure; written at once."""
        self.flush()
        now = _iso(MACHINE.now_ms())
        if self._style == "pretty":
            told = "".join(f"\n  {name}: {value}" for name, value in details.items())
            self._write(f"{now[11:23]}  \x1b[1m{message}\x1b[0m{told}\n")
        elif self._style == "json":
            line = {"time": now, "message": message, **details}
            self._write(orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE).decode())

    def flush(self) -> None:
        """Write the lines that wait."""
        entries, self._entries = self._entries, []
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        if entries:
            write = _pretty if self._style == "pretty" else _json
            self._write(write(entries))

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._style = "off"  # nobody reads: the terminal or the pipe is gone


Entry = tuple[int, str, str, int, float, str, str]


def _json(entries: list[Entry]) -> str:
    return "".join(
        f'{{"time":"{_iso(time_ms)}","service":"{service}","operation":"{operation}","status":{status},'
        f'"ms":{milliseconds:.2f},"account":"{account}","request_id":"{request_id}"}}\n'
        for time_ms, service, operation, status, milliseconds, account, request_id in entries
    )


def _pretty(entries: list[Entry]) -> str:
    return "".join(
        f"{_iso(time_ms)[11:23]}  \x1b[{_colour(status)}m{status}\x1b[0m  {f'{service}.{operation}':<36} "
        f"{milliseconds:8.2f} ms  \x1b[2m{account}\x1b[0m\n"
        for time_ms, service, operation, status, milliseconds, account, _ in entries
    )


def _colour(status: int) -> int:
    return 32 if status < 400 else 33 if status < 500 else 31


def _iso(time_ms: int) -> str:
    return f"{_second(time_ms // 1000)}.{time_ms % 1000:03d}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
