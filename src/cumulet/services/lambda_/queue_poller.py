"""Takes the messages of a queue to a function, batch by batch.

A poller sleeps until its queue has something for it; then one activity receives, and each batch is an activity of its
own, so a moved clock waits for both. It takes no more than it has slots for: nothing is received only to be throttled.
On standard queues one receive, of up to 100 messages, fills several batches.
Messages of a batch that fails come back with their visibility timeout.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from cumulet.compute import Outcome
from cumulet.delivery import QueueSource
from cumulet.kernel.activity import Activity
from cumulet.kernel.arns import parse_arn
from cumulet.kernel.clock import MACHINE, Clock, Timer
from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_ import lineage
from cumulet.services.lambda_.batch_runner import Runner
from cumulet.services.lambda_.filters import Filters
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.mappings import Mapping, Settings
from cumulet.services.lambda_.queue_events import MOST_EVENT_BYTES, Record, batches, entry, event, handled, packed

FIRST_BATCHES = 5
"""Lambda: so many batches are processed at a time when messages begin to arrive,"""
MORE_BATCHES_PER_SECOND = 5
"""up to 300 more each minute while there are more,"""
MOST_BATCHES = 1000
"""and no more than this."""
BATCHES_PER_POLLER = 10
"""Lambda: so many batches a provisioned poller processes at a time."""
MOST_RECEIVED = 100
"""So many messages are received at once where a batch is smaller."""
RETRY_MS = 10_000
"""How long to wait when the queue can't be read: the disk is full, or too much is in flight."""


class QueuePoller:
    """One event source mapping at work, once `change` has told it to begin."""

    def __init__(
        self,
        mapping: Mapping,
        *,
        queues: QueueSource,
        runner: Runner,
        clock: Clock,
        activity: Activity,
    ) -> None:
        source = parse_arn(mapping.source_arn)
        assert source is not None
        self.mapping = mapping
        self._source = source
        self._is_fifo = source.resource.endswith(".fifo")
        self._queues = queues
        self._runner = runner
        self._clock = clock
        self._activity = activity
        self._gathered: dict[str, Record] = {}
        """What waits for its batching window to end, by message id: a message that comes again meanwhile is one."""
        self._window: Timer | None = None
        self._ready: deque[list[Record]] = deque()
        """Batches that wait for a slot; of a FIFO queue what was received at once, maybe more than one event holds."""
        self._running = 0
        self._busy_since: float | None = None
        self._is_pumping = False
        self._has_news = False
        self._is_closed = True
        self._filters = Filters((), source.service)
        self._unwatch = _nothing

    def change(self, mapping: Mapping) -> None:
        """Know a change of the mapping, and go on, begin or close as it says. What runs counts on."""
        self.mapping = mapping
        if not mapping.is_enabled:
            self.close()
            return
        self._filters = Filters(mapping.settings.filters, self._source.service)
        if self._is_closed:
            self._is_closed = False
            self._unwatch = self._queues.watch(self._source, self.wake)
        if self._gathered and not mapping.settings.window_seconds:
            self._close_window()
        self.wake()

    def wake(self) -> None:
        """Look for messages and slots: there may be some."""
        self._has_news = True
        if not self._is_pumping and not self._is_closed:
            self._is_pumping = True
            self._activity.spawn(f"event source mapping {self.mapping.uuid}", self._pump())

    def close(self) -> None:
        """Receive no more. What runs goes on; what waits for its batch is given back to the queue."""
        self._is_closed = True
        self._unwatch()
        self._unwatch = _nothing
        if self._window is not None:
            self._window.cancel()
        waiting = [*self._gathered.values(), *itertools.chain.from_iterable(self._ready)]
        self._gathered = {}
        self._ready.clear()
        if waiting:
            self._activity.spawn("giving back messages", self._give_back(waiting))

    async def _give_back(self, records: Iterable[Record]) -> None:
        receipt_handles = [record.receipt_handle for record in records]
        with suppress(LookupError):
            await self._queues.make_visible(self._source, receipt_handles)

    async def _pump(self) -> None:
        try:
            while self._has_news and not self._is_closed:
                self._has_news = False
                while not self._is_closed and await self._go_on():
                    pass
        except LookupError:
            pass  # there is no such queue; the watch tells of a new one
        except AwsError:
            self._clock.call_at(self._clock.now_ms() + RETRY_MS, self.wake)
            raise
        finally:
            self._is_pumping = False

    async def _go_on(self) -> bool:
        """Start what is ready, then receive; False when there is nothing to do until something wakes the poller."""
        function = await self._runner.function(self.mapping)
        if function is None or function.reserved_concurrency == 0:
            while self._ready:
                await self._give_back(self._ready.popleft())
            return False
        while self._ready and self._may_start(function):
            self._start(function, self._ready.popleft())
            function = await self._runner.function(self.mapping) or function  # an alias chooses for each batch
        if self._ready or not (self._settings.window_seconds or self._may_start(function)):
            return False
        most = self._most(function)
        messages = await self._queues.receive(self._source, most)
        if len(messages) < most:
            self._busy_since = None if not self._running else self._busy_since
        if not messages:
            return False
        records = await self._filtered(messages)
        if self._is_closed:
            await self._give_back(records)
            return False
        if self._busy_since is None:
            self._busy_since = MACHINE.monotonic()
        if records:
            self._take(records)
        return True

    async def _filtered(self, messages: Iterable[dict[str, Any]]) -> list[Record]:
        """Return the messages that are for the function. Lambda: those that match no filter are deleted."""
        entries = [entry(message, self._source, self.mapping.source_arn) for message in messages]
        if self._filters:
            others = [shown for shown in entries if not self._filters.match(shown)]
            if others:
                await self._queues.delete(self._source, [shown["receiptHandle"] for shown in others])
                gone = {id(shown) for shown in others}
                entries = [shown for shown in entries if id(shown) not in gone]
        return [packed(shown) for shown in entries]

    def _may_start(self, function: Function) -> bool:
        """Whether one more batch may run; if not, the poller is woken when it may."""
        if self._running >= self._scale():
            if self._running < self._most_batches:
                MACHINE.call_at(MACHINE.now_ms() + 1000 // MORE_BATCHES_PER_SECOND, self.wake)
            return False
        if self._runner.free(function) <= 0:
            self._runner.when_free(self.wake)
            return False
        return True

    def _scale(self) -> int:
        seconds = 0.0 if self._busy_since is None else MACHINE.monotonic() - self._busy_since
        provisioned = self._settings.provisioned
        first = FIRST_BATCHES if provisioned is None else (provisioned.least or 2) * BATCHES_PER_POLLER
        return min(self._most_batches, first + int(seconds * MORE_BATCHES_PER_SECOND))

    @property
    def _most_batches(self) -> int:
        provisioned = self._settings.provisioned
        if provisioned is not None and provisioned.most is not None:
            return provisioned.most * BATCHES_PER_POLLER
        return self._settings.max_concurrency or MOST_BATCHES

    @property
    def _settings(self) -> Settings:
        return self.mapping.settings

    def _most(self, function: Function) -> int:
        """Return how many messages to receive now.

        On a FIFO queue one batch: what else there is of its groups must not run beside it.
        """
        size = self._settings.batch_size
        if self._settings.window_seconds:
            return size - len(self._gathered)
        if self._is_fifo:
            return size
        free = min(self._scale() - self._running, self._runner.free(function))
        return min(size * free, max(size, MOST_RECEIVED))

    def _take(self, records: list[Record]) -> None:
        window_seconds = self._settings.window_seconds
        if self._is_fifo:
            self._ready.append(records)
            return
        if not window_seconds:
            self._ready.extend(batches(records, self._settings.batch_size))
            return
        if not self._gathered:
            self._window = self._clock.call_at(self._clock.now_ms() + window_seconds * 1000, self._close_window)
        self._gathered |= {record.message_id: record for record in records}
        is_full = sum(len(record.text) for record in self._gathered.values()) >= MOST_EVENT_BYTES
        if is_full or len(self._gathered) >= self._settings.batch_size:
            self._close_window()

    def _close_window(self) -> None:
        """Lambda: a batch is invoked when it is full, or when its window has passed."""
        if self._window is not None:
            self._window.cancel()
        self._ready.extend(batches(self._gathered.values(), self._settings.batch_size))
        self._gathered = {}
        self.wake()

    def _start(self, function: Function, batch: list[Record]) -> None:
        give_back = self._runner.take(function)
        self._running += 1
        self._activity.spawn(f"event source mapping {self.mapping.uuid}", self._run(function, batch, give_back))

    async def _run(self, function: Function, records: list[Record], give_back: Callable[[], None]) -> None:
        """Run a batch; on a FIFO queue the rest of what was received with it waits until it has succeeded."""
        taken, *later = batches(records, self._settings.batch_size)
        batch = taken if self._is_fifo else _without_loops(taken, function)  # a group's order comes first
        rest = list(itertools.chain.from_iterable(later))
        try:
            try:
                headers = [record.trace_header for record in batch if record.trace_header]
                trace_header = lineage.foremost(headers, function.arn)
                outcome = await self._runner.run(self.mapping, function, event(batch), trace_header=trace_header)
            finally:
                self._running -= 1
                give_back()
                self.wake()
            done = self._done(batch, outcome)
            if done:
                await self._queues.delete(self._source, [record.receipt_handle for record in done])
            if rest and len(done) == len(taken) and not self._is_closed:
                self._ready.appendleft(rest)
                self.wake()
            elif rest:
                await self._give_back(rest)
        except LookupError:
            pass  # the queue was deleted meanwhile

    def _done(self, batch: Sequence[Record], outcome: Outcome | None) -> Sequence[Record]:
        """Return which records of a batch need not come again."""
        if outcome is None or outcome.error is not None:
            return ()
        return handled(batch, outcome.payload) if self._settings.reports_failures else batch


def _without_loops(batch: list[Record], function: Function) -> list[Record]:
    """Leave out messages that have come through the function too often, if others are left.

    They come again with their visibility timeout, in the end alone, when the function is not run: they end in the
    queue's dead-letter queue.
    """
    if function.recursive_loop == "Allow":
        return batch
    others = [record for record in batch if not lineage.is_exhausted(record.trace_header, function.arn)]
    return others or batch


def _nothing() -> None:
    """Watch no queue."""
