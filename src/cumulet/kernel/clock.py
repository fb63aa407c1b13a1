"""The one clock: everything that waits, expires, retries or schedules asks it.

`Clock` is the platform's time in milliseconds since 1970. `MachineClock` follows the machine; `VirtualClock`
stands still and moves when `advance` is called, firing what is due on the way in the order of its time.
What touches the outside (open connections, signature dates, sockets) asks `MACHINE`, whatever the platform's
clock is. No other module reads the time or sleeps.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

from cumulet.kernel.activity import Activity


class Timer(Protocol):
    """A callback that waits for its time."""

    def cancel(self) -> None:
        """Make sure that the callback is not called; harmless when it was."""


class Clock(Protocol):
    """Platform time."""

    name: str

    def now_ms(self) -> int:
        """Return milliseconds since 1970-01-01T00:00:00Z."""

    def call_at(self, when_ms: int, callback: Callable[[], None]) -> Timer:
        """Call `callback` on the event loop once `now_ms()` has reached `when_ms`."""

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` of this clock have passed."""


class MachineClock:
    """The machine's own time."""

    name = "real"

    def now_ms(self) -> int:
        """Return milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000

    def call_at(self, when_ms: int, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call `callback` on the running event loop at `when_ms`, at once if that has passed."""
        delay_seconds = max(0.0, when_ms / 1000 - time.time())
        return asyncio.get_running_loop().call_later(delay_seconds, callback)

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(seconds)

    def pause(self, seconds: float) -> None:
        """Block the calling thread; never on an event loop."""
        time.sleep(seconds)

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back, for measuring durations."""
        return time.monotonic()

    def cpu_seconds(self) -> float:
        """Return how long the calling thread has had a processor."""
        return time.thread_time()


MACHINE = MachineClock()


class _VirtualTimer:
    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualClock:
    """Time that stands still until `advance`.

    Timers fire in the order of their time, those of one moment in the order in which they were set; before
    the next moment, whatever they started (`activity`) has ended.
    """

    name = "virtual"

    def __init__(self, start_ms: int, activity: Activity) -> None:
        self._now_ms = start_ms
        self._activity = activity
        self._timers: list[tuple[int, int, _VirtualTimer]] = []
        self._order = itertools.count()
        self._advancing = asyncio.Lock()

    def now_ms(self) -> int:
        """Return milliseconds since 1970-01-01T00:00:00Z."""
        return self._now_ms

    def call_at(self, when_ms: int, callback: Callable[[], None]) -> _VirtualTimer:
        """Call `callback` when the clock is advanced to `when_ms` or past it.

        What is already due fires as soon as the event loop turns, without an advance.
        """
        timer = _VirtualTimer(callback)
        if when_ms <= self._now_ms:
            asyncio.get_running_loop().call_soon(_fire, timer)
        else:
            heapq.heappush(self._timers, (when_ms, next(self._order), timer))
        return timer

    async def sleep(self, seconds: float) -> None:
        """Return once the clock has been advanced by `seconds`."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_at(self._now_ms + round(seconds * 1000), lambda: _resolve(woken))
        try:
            await woken
        finally:
            timer.cancel()

    async def advance(self, milliseconds: int, *, patience_seconds: float = 30) -> list[str]:
        """Move time on, firing everything due on the way, and wait until the platform is idle.

        Return the names of the work that was still busy after `patience_seconds` of machine time, normally
        none; time then stands at the moment whose work did not end.
        """
        async with self._advancing:
            give_up_at = MACHINE.monotonic() + patience_seconds
            target_ms = self._now_ms + milliseconds
            while True:
                busy = await self._activity.settle(give_up_at - MACHINE.monotonic())
                if busy:
                    return busy
                if not self._timers or self._timers[0][0] > target_ms:
                    self._now_ms = target_ms
                    return []
                moment_ms = self._timers[0][0]
                self._now_ms = max(self._now_ms, moment_ms)
                while self._timers and self._timers[0][0] == moment_ms:
                    _fire(heapq.heappop(self._timers)[2])


def _fire(timer: _VirtualTimer) -> None:
    """Call a timer's callback; as with the machine's timers, one that fails is the event loop's to log."""
    if timer.cancelled:
        return
    try:
        timer.callback()
    except Exception as error:
        context = {"message": "a timer failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
