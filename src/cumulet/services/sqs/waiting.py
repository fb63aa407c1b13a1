"""Who waits for messages: long polls, and watches of the platform's own consumers.

A poll joins before it looks, so that what arrives while it looks wakes it. One wake-up is given for each message; a
poll that leaves with a wake-up it did not need hands it on. A watch is told every time.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable

from cumulet.kernel.clock import Clock, Timer
from cumulet.services.sqs.queues import Queue


class Waiting:
    """The polls that wait, by queue, and the watches, by the queue's ARN: a queue that is made again stays watched."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._polls: defaultdict[int, deque[Poll]] = defaultdict(deque)
        self._watches: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)
        self._alarms: dict[int, tuple[int, Timer]] = {}
        self.is_closed = False

    def join(self, queue: Queue) -> Poll:
        """Let a new poll wait; it must `leave`."""
        poll = Poll(self, queue)
        self._polls[queue.id].append(poll)
        return poll

    def watch(self, queue_arn: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` whenever a queue may have something to receive, until the returned function is called."""
        self._watches[queue_arn].append(wake)

        def end() -> None:
            self._watches[queue_arn].remove(wake)
            if not self._watches[queue_arn]:
                del self._watches[queue_arn]

        return end

    def arrived(self, queue: Queue, visible_ms: int, count: int = 1) -> None:
        """Say that `count` messages can be received from `visible_ms` on."""
        if queue.id not in self._polls and queue.arn not in self._watches:
            return
        if visible_ms <= self._clock.now_ms():
            self._wake(queue, count)
            return
        alarm = self._alarms.get(queue.id)
        if alarm is None or visible_ms < alarm[0]:
            if alarm is not None:
                alarm[1].cancel()
            self._alarms[queue.id] = visible_ms, self._clock.call_at(visible_ms, lambda: self._ring(queue))

    def changed(self, queue: Queue) -> None:
        """Let all polls of a queue look again: it was changed, purged or deleted."""
        self._wake(queue, len(self._polls.get(queue.id, ())))

    def close(self) -> None:
        """End all polls at once, those that come later too."""
        self.is_closed = True
        for polls in list(self._polls.values()):
            self.changed(polls[0].queue)
        for _, timer in self._alarms.values():
            timer.cancel()

    def _ring(self, queue: Queue) -> None:
        del self._alarms[queue.id]
        self.changed(queue)

    def _wake(self, queue: Queue, count: int) -> None:
        for wake in tuple(self._watches.get(queue.arn, ())):
            wake()
        for poll in self._polls.get(queue.id, ()):
            if count <= 0:
                return
            if not poll.is_woken:
                poll.wake()
                count -= 1

    def _leave(self, poll: Poll) -> None:
        queue = poll.queue
        polls = self._polls[queue.id]
        polls.remove(poll)
        if poll.is_woken:
            self._wake(queue, 1)
        if not polls:
            del self._polls[queue.id]
            if queue.arn not in self._watches and (alarm := self._alarms.pop(queue.id, None)) is not None:
                alarm[1].cancel()


class Poll:
    """One receive that waits."""

    def __init__(self, waiting: Waiting, queue: Queue) -> None:
        self.queue = queue
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
