"""The pipe that a program writes its output into, read into the log as it comes and as fast as the log takes it."""

from __future__ import annotations

import asyncio
import os
from typing import Literal

from cumulet.compute.log import Log
from cumulet.compute.output import Output
from cumulet.kernel.clock import MACHINE

READ_BYTES = 65536
"""All that a pipe holds."""


class OutputPipe:
    """The end that is read. `kind` is what the program is to telemetry."""

    def __init__(self, log: Log, kind: Literal["function", "extension"] = "function") -> None:
        self._log = log
        self._kind = kind
        self._output = Output()
        self._loop = asyncio.get_running_loop()
        self._end, self.write_end = os.pipe()
        os.set_blocking(self._end, False)
        self._is_reading = True
        self._loop.add_reader(self._end, self._read)

    def drain(self) -> None:
        """Read what has been written so far."""
        if self._end < 0:
            return
        try:
            data = os.read(self._end, READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._feed(data)

    def cut(self) -> None:
        """Read what has been written so far, and take it for complete."""
        self.drain()
        if pieces := self._output.end():
            self._log.feed(self._kind, pieces)

    def resume(self) -> None:
        """The log takes more."""
        if not self._is_reading and self._end >= 0:
            self._is_reading = True
            self._loop.add_reader(self._end, self._read)

    def close(self) -> None:
        """Read the rest; nobody writes any more."""
        if self._end < 0:
            return
        self.cut()
        self._pause()
        os.close(self._end)
        self._end = -1

    def _read(self) -> None:
        try:
            data = os.read(self._end, READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._feed(data)
        if not data or self._log.is_full:
            self._pause()

    def _feed(self, data: bytes) -> None:
        if pieces := self._output.feed(data, MACHINE.now_ms()):
            self._log.feed(self._kind, pieces)

    def _pause(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._end)
