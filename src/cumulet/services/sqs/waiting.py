"""Long polls: receives that wait until their queue has something for them.

A poll joins before it looks, so that what arrives while it looks wakes it. One wake-up is given for each message; a
poll that leaves with a wake-up it did not need hands it on.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable

from cumulet.kernel.clock import Clock, Timer


class Waiting:
    """The polls that wait, by queue."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._polls: defaultdict[int, deque[Poll]] = defaultdict(deque)
        self._alarms: dict[int, tuple[int, Timer]] = {}
        self.is_closed = False

    def join(self, queue_id: int) -> Poll:
        """Let a new poll wait; it must `leave`."""
        poll = Poll(self, queue_id)
        self._polls[queue_id].append(poll)
        return poll

    def arrived(self, queue_id: int, visible_ms: int, count: int = 1) -> None:
        """Say that `count` messages can be received from `visible_ms` on."""
        if queue_id not in self._polls:
            return
        if visible_ms <= self._clock.now_ms():
            self._wake(queue_id, count)
            return
        alarm = self._alarms.get(queue_id)
        if alarm is None or visible_ms < alarm[0]:
            if alarm is not None:
                alarm[1].cancel()
            self._alarms[queue_id] = visible_ms, self._clock.call_at(visible_ms, lambda: self._ring(queue_id))

    def changed(self, queue_id: int) -> None:
        """Let all polls of a queue look again: it was changed, purged or deleted."""
        self._wake(queue_id, len(self._polls.get(queue_id, ())))

    def close(self) -> None:
        """End all polls at once, those that come later too."""
        self.is_closed = True
        for queue_id in list(self._polls):
            self.changed(queue_id)
        for _, timer in self._alarms.values():
            timer.cancel()

    def _ring(self, queue_id: int) -> None:
        del self._alarms[queue_id]
        self.changed(queue_id)

    def _wake(self, queue_id: int, count: int) -> None:
        for poll in self._polls.get(queue_id, ()):
            if count <= 0:
                return
            if not poll.is_woken:
                poll.wake()
                count -= 1

    def _leave(self, poll: Poll) -> None:
        polls = self._polls[poll.queue_id]
        polls.remove(poll)
        if poll.is_woken:
            self._wake(poll.queue_id, 1)
        if not polls:
            del self._polls[poll.queue_id]
            alarm = self._alarms.pop(poll.queue_id, None)
            if alarm is not None:
                alarm[1].cancel()


class Poll:
    """One receive that waits."""

    def __init__(self, waiting: Waiting, queue_id: int) -> None:
        self.queue_id = queue_id
        self._waiting = waiting
        self._woken = asyncio.Event()

    @property
    def is_woken(self) -> bool:
        """Whether there may be something to receive since the last `rest`."""
        return self._woken.is_set()

    def wake(self) -> None:
        """Let the poll look again."""
        self._woken.set()

    def rest(self) -> None:
        """Forget a wake-up, just before looking."""
        self._woken.clear()

    async def wait(self, timeout_seconds: float, hang_up: Callable[[], Awaitable[None]]) -> bool:
        """Wait for a wake-up; False when the time is over (of the machine's clock) or the client has gone."""
        woken = asyncio.ensure_future(self._woken.wait())
        gone = asyncio.ensure_future(hang_up())
        try:
            await asyncio.wait((woken, gone), timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
            return woken.done() and not gone.done()
        finally:
            woken.cancel()
            gone.cancel()

    def leave(self) -> None:
        """Stop waiting."""
        self._waiting._leave(self)
