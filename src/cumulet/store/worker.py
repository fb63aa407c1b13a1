"""One thread for the calls that wait for the disk.

The engine gives the interpreter back while it works, so the loop goes on; each work costs two switches of threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

_Work = tuple[Callable[[], Any], Callable[[Any, Exception | None], None]]


class Worker:
    """Runs one function after another and reports on the event loop how each ended."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._works: SimpleQueue[_Work | None] = SimpleQueue()
        # A daemon: a program that forgets to close the store still ends.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def start(self, work: Callable[[], Any], done: Callable[[Any, Exception | None], None]) -> None:
        """Run `work()` in the thread, then `done(its value, its error)` on the loop."""
        self._works.put((work, done))

    def stop(self) -> None:
        """End the thread once it has done all that was started."""
        self._works.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._works.get()) is not None:
            work, done = item
            try:
                value, error = work(), None
            except Exception as raised:
                value, error = None, raised
            self._loop.call_soon_threadsafe(done, value, error)
