"""The pipe that a runtime writes its output into, read into the log as it comes and as fast as the log takes it."""

from __future__ import annotations

import asyncio
import os

from cumulet.compute.log import Log

READ_BYTES = 65536
"""All that a pipe holds."""


class OutputPipe:
    """The end that is read."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._end, self.write_end = os.pipe()
        os.set_blocking(self._end, False)
        self._is_reading = True
        self._loop.add_reader(self._end, self._read)

    def drain(self) -> None:
        """Read what has been written so far."""
        try:
            data = os.read(self._end, READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._log.feed(data)

    def resume(self) -> None:
        """The log takes more."""
        if not self._is_reading and self._end >= 0:
            self._is_reading = True
            self._loop.add_reader(self._end, self._read)

    def close(self) -> None:
        """Read the rest; nobody writes any more."""
        self.drain()
        self._log.end_output()
        self._pause()
        os.close(self._end)
        self._end = -1

    def _read(self) -> None:
        try:
            data = os.read(self._end, READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._log.feed(data)
        if not data or self._log.is_full:
            self._pause()

    def _pause(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._end)
