"""One lane of a shard: its records in their order, batch by batch, until each is done or given up.

A lane reads the whole shard and takes the records whose partition keys are dealt to it, if they match the mapping's
filters. Its checkpoint moves when a batch has come to its end, in the transaction that sends what was given up to its
destination. Retries wait on the platform's clock.
"""

from __future__ import annotations

import zlib
from collections import deque

import msgspec
import orjson

from cumulet.compute import Outcome
from cumulet.delivery import Message, Page, StreamRecord, Undeliverable
from cumulet.kernel.clock import Timer
from cumulet.kernel.errors import AwsError
from cumulet.kernel.log import log_line
from cumulet.services.lambda_ import checkpoints, mappings, stream_events
from cumulet.services.lambda_.checkpoints import Checkpoint
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.mappings import FOREVER, Streaming
from cumulet.services.lambda_.stream_batches import Batch, Gathering
from cumulet.services.lambda_.stream_events import EXHAUSTED, TOO_OLD, GivenUp, Window
from cumulet.services.lambda_.stream_reading import Reading
from cumulet.store import Tx

MOST_READ = 1000
"""So many records are read at once."""
RETRY_MS = 10_000
"""How long to wait when the store can't be read or written."""


class Lane:
    """A lane at work, once it was woken."""

    def __init__(self, reading: Reading, checkpoint: Checkpoint, retention_seconds: int) -> None:
        self._reading = reading
        self._checkpoint = checkpoint
        self._retention_seconds = retention_seconds
        self._read_to = checkpoint.position
        """Up to where records were read."""
        self._fetched: deque[StreamRecord] = deque()
        """Those of them that were not looked at."""
        self._passed: str | None = None
        """Up to where there was nothing for this lane behind the last record that was taken."""
        self._is_end = False
        self._gathering = Gathering(self._settings, self._open_window())
        self._batches: deque[Batch] = deque()
        """Those that were tried, and the parts of one that was split: their records are before all others."""
        self._timer: Timer | None = None
        self._is_pumping = False
        self._has_news = False
        self._is_closed = False

    @property
    def is_finished(self) -> bool:
        """Whether nothing of the shard is left."""
        return self._checkpoint.is_finished

    @property
    def is_busy(self) -> bool:
        """Whether something runs."""
        return self._is_pumping

    def wake(self) -> None:
        """Look for records and slots: there may be some."""
        self._has_news = True
        if not (self._is_pumping or self._is_closed or self.is_finished):
            self._is_pumping = True
            self._reading.activity.spawn(f"event source mapping {self._reading.mapping.uuid}", self._pump())

    def close(self) -> None:
        """Read no more. A batch that runs goes on to its end."""
        self._is_closed = True
        self._stop_timer()

    async def _pump(self) -> None:
        try:
            while self._has_news and not self._is_closed:
                self._has_news = False
                while not self._is_closed and await self._go_on():
                    pass
        except LookupError:
            pass  # there is no such stream any more
        except AwsError:
            self._wake_at(self._reading.clock.now_ms() + RETRY_MS)
            raise
        finally:
            self._is_pumping = False
            if self._is_closed or self.is_finished:
                self._reading.lane_ended()

    async def _go_on(self) -> bool:
        """Bring one batch forward; False when there is nothing to do until something wakes the lane."""
        reading, now_ms = self._reading, self._reading.clock.now_ms()
        function = await reading.runner.function(reading.mapping)
        if function is None or function.reserved_concurrency == 0:
            return False
        if not self._batches:
            batch = await self._next_batch(function, now_ms)
            if batch is None:
                return False
            self._batches.append(batch)
        batch = self._batches[0]
        if (expired := batch.too_old(now_ms - self._most_age_ms)) is not None:
            await self._give_up(function, expired, TOO_OLD)
            return True
        if batch.retry_ms > now_ms:
            self._wake_at(batch.retry_ms)
            return False
        if reading.runner.free(function) <= 0:
            reading.runner.when_free(self.wake)
            return False
        await self._run(function, batch)
        return True

    async def _next_batch(self, function: Function, now_ms: int) -> Batch | None:
        """Return what is to be run next; None when it is not complete yet."""
        gathering = self._gathering
        await self._gather(function, now_ms)
        if gathering.records:
            if not (gathering.is_full or self._is_end) and gathering.due_ms > now_ms:
                self._wake_at(gathering.due_ms)
                return None
            return gathering.batch()
        window = gathering.window
        if window is not None:
            if gathering.is_cut or self._is_end or window.end_ms <= now_ms or window.is_overfull:
                return Batch([], [], window, is_final=True)
            self._wake_at(window.end_ms)
        elif self._is_end:
            await self._write(msgspec.structs.replace(self._checkpoint, position=self._behind, is_finished=True))
            return None
        if self._behind != self._checkpoint.position:
            await self._write(msgspec.structs.replace(self._checkpoint, position=self._behind))
        return None

    async def _gather(self, function: Function, now_ms: int) -> None:
        """Take records until the batch is full or there are no more."""
        gathering, reading = self._gathering, self._reading
        if gathering.window is not None and gathering.window.is_overfull:
            return
        while not gathering.is_full:
            if not self._fetched:
                page = await self._read()
                self._fetched.extend(page.records)
                if not self._fetched:
                    self._is_end = page.is_end
                    return
            record = self._fetched[0]
            shown = stream_events.entry(record, reading.source_arn, function.configuration.role_arn)
            if not self._is_mine(record) or not reading.filters.match(shown):
                self._passed = record.sequence_number
            elif not gathering.add(record, orjson.dumps(shown), now_ms):
                return
            else:
                self._passed = None
            self._fetched.popleft()

    async def _read(self) -> Page:
        reading = self._reading
        page = await reading.source.read(reading.source_arn, self._checkpoint.shard, self._read_to, MOST_READ)
        if page.records:
            self._read_to = page.records[-1].sequence_number
        return page

    def _is_mine(self, record: StreamRecord) -> bool:
        """Return whether a record's partition key is dealt to this lane."""
        lanes = self._checkpoint.lanes
        return lanes == 1 or zlib.crc32(record.partition_key.encode()) % lanes == self._checkpoint.lane

    async def _run(self, function: Function, batch: Batch) -> None:
        reading = self._reading
        batch.request_id = reading.new_id()
        text = stream_events.event(
            batch.entries, reading.source_arn, self._checkpoint.shard, batch.window, is_final=batch.is_final
        )
        give_back = reading.runner.take(function)
        try:
            outcome = await reading.runner.run(reading.mapping, function, text, request_id=batch.request_id)
        finally:
            give_back()
        batch.invocations += 1
        batch.has_failed = outcome is not None and outcome.error is not None
        window = batch.window
        state = None if window is None or outcome is None else stream_events.new_state(outcome.payload)
        done = self._done(batch, outcome, state)
        if done is None:
            await self._fail(function, batch)
            return
        if window is not None:
            window = None if batch.is_final else msgspec.structs.replace(window, state=state or window.state)
        await self._advance(done, window)
        if done < len(batch.records):
            rest = self._batches[0]
            rest.retries = 0
            if not self._stream.bisects:  # Lambda: otherwise it is split where the answer says, which is no retry
                await self._fail(function, rest)
        elif batch.records:
            age_ms = reading.clock.now_ms() - batch.records[-1].arrived_ms
            reading.record("IteratorAge", function.arn, max(0, age_ms))

    def _done(self, batch: Batch, outcome: Outcome | None, state: str | None) -> int | None:
        """Return how many records need not come again; None when all must, or the end of a window must."""
        if outcome is None or outcome.error is not None:
            return None
        if batch.window is not None and not batch.is_final and state is None:
            return None  # Lambda: an answer without a state is a failure
        if not self._settings.reports_failures or batch.is_final:
            return len(batch.records)
        return stream_events.first_failed(batch.records, outcome.payload) or None

    async def _fail(self, function: Function, batch: Batch) -> None:
        """Split a batch that has failed, let it be tried again, or give it up.

        Lambda: splitting is no retry.
        """
        if self._stream.bisects and len(batch.records) > 1:
            self._batches.popleft()
            self._batches.extendleft(reversed(batch.split(len(batch.records) // 2)))
        elif self._stream.most_retries != FOREVER and batch.retries >= self._stream.most_retries:
            await self._give_up(function, len(batch.records), EXHAUSTED)
        else:
            batch.wait(self._reading.clock.now_ms())

    async def _give_up(self, function: Function, count: int, condition: str) -> None:
        """Go on behind the first records of the first batch."""
        reading, batch = self._reading, self._batches[0]
        letter = None
        if count:
            given_up = GivenUp(
                request_id=batch.request_id or reading.new_id(),
                function_arn=reading.mapping.function_arn,
                condition=condition,
                invocations=batch.invocations,
                version=function.version,
                has_failed=batch.has_failed,
                shard_id=self._checkpoint.shard,
                records=batch.records[:count],
            )
            log_line(f"event source mapping {reading.mapping.uuid}: {count} records are given up: {condition}")
            if self._stream.on_failure is not None:
                text = given_up.message(reading.source_arn, reading.clock.now_ms())
                role_arn = function.configuration.role_arn
                letter = Message(id=reading.new_id(), sender_id=function.account, body=text, role_arn=role_arn)
        await self._advance(count, None if batch.is_final else batch.window, letter)

    async def _advance(self, count: int, window: Window | None, letter: Message | None = None) -> None:
        """Write that the first records of the first batch have come to their end; a batch without records is over."""
        batch = self._batches[0]
        is_over = count == len(batch.records)
        is_last = is_over and len(self._batches) == 1
        position = batch.records[count - 1].sequence_number if count else self._checkpoint.position
        after = msgspec.structs.replace(
            self._checkpoint,
            position=(self._passed or position) if is_last else position,
            window_start_ms=None if window is None else window.start_ms,
            window_state=None if window is None else window.state,
        )
        await self._write(after, letter)
        if not is_over:
            self._batches[0] = batch.split(count)[1]
        else:
            self._batches.popleft()
        for other in self._batches:
            other.window = window
        if not self._batches:
            self._gathering = Gathering(self._settings, window)

    async def _write(self, after: Checkpoint, letter: Message | None = None) -> None:
        await self._reading.store.transact(self._save, after, letter, self._reading.clock.now_ms())
        self._checkpoint = after

    def _save(self, tx: Tx, after: Checkpoint, letter: Message | None, now_ms: int) -> None:
        if not mappings.exists(tx, after.mapping):
            return
        checkpoints.put(tx, after)
        target = self._stream.on_failure
        if letter is None or target is None:
            return
        try:
            self._reading.put(tx, target, letter, now_ms)
        except Undeliverable as reason:
            tx.after_commit(log_line, f"what became of records could not be sent to {target}: {reason}")

    @property
    def _behind(self) -> str:
        """Up to where nothing is left to do while nothing is gathered."""
        return self._passed or self._checkpoint.position

    @property
    def _settings(self) -> mappings.Settings:
        return self._reading.mapping.settings

    @property
    def _stream(self) -> Streaming:
        stream = self._settings.stream
        assert stream is not None
        return stream

    @property
    def _most_age_ms(self) -> int:
        """Records that are older are gone from the stream, or are to be given up."""
        most = self._stream.most_age_seconds
        return 1000 * (self._retention_seconds if most == FOREVER else min(most, self._retention_seconds))

    def _open_window(self) -> Window | None:
        start_ms, length_ms = self._checkpoint.window_start_ms, self._stream.tumbling_seconds * 1000
        if start_ms is None or not length_ms:
            return None
        return Window(start_ms, start_ms + length_ms, self._checkpoint.window_state or "{}")

    def _wake_at(self, when_ms: int) -> None:
        self._stop_timer()
        if not self._is_closed:
            self._timer = self._reading.clock.call_at(when_ms, self.wake)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
