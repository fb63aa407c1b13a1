"""What the platform is busy with, so that a virtual clock knows when everything due has been done.

Work that a timer starts runs as `activity.spawn(name, coroutine)`. It must not sleep on the platform's clock, which
waits for it: work that goes on later sets a timer and ends. Clients' requests are not counted: a waiting poller would
keep the platform busy for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Activity:
    """What runs on the platform's own account."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Future[Any], str] = {}
        self._awaited: set[asyncio.Future[Any]] = set()

    def spawn(self, name: str, work: Coroutine[Any, Any, Any], *, is_awaited: bool = False) -> asyncio.Task[Any]:
        """Run `work` as a task; a failure goes to the event loop's exception handler, which logs it.

        `is_awaited`: a request or other work waits for its end. Clients may always keep some of that running.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(self._report)
        self.watch(name, task, is_awaited=is_awaited)
        return task

    def watch(self, name: str, work: asyncio.Future[Any], *, is_awaited: bool = False) -> None:
        """Count work that goes on by itself until `work` is done; its failure is the business of who waits for it."""
        self._running[work] = name
        if is_awaited:
            self._awaited.add(work)
        work.add_done_callback(self._ended)

    def _ended(self, work: asyncio.Future[Any]) -> None:
        del self._running[work]
        self._awaited.discard(work)

    def _report(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            message = f"{task.get_name()} failed"
            asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error, "task": task})

    def busy_with(self) -> list[str]:
        """Return the names of the work that runs now."""
        return sorted(set(self._running.values()))

    async def settle(self, timeout_seconds: float) -> list[str]:
        """Wait until no work runs; return what still does when `timeout_seconds` of machine time are over.

        Of the work that somebody awaits, only what runs already counts.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + timeout_seconds
        await asyncio.sleep(0)
        early = set(self._running)
        while running := [work for work in self._running if work in early or work not in self._awaited]:
            left = give_up_at - loop.time()
            if left <= 0:
                return self.busy_with()
            await asyncio.wait(running, timeout=left)
            await asyncio.sleep(0)
        return []

    async def stop(self) -> None:
        """Cancel what runs and wait for its end."""
        running = list(self._running)
        for work in running:
            work.cancel()
        await asyncio.gather(*running, return_exceptions=True)
