"""Takes the records of a stream to a function: finds the shards, and lets each be read in its lanes.

Parents are read before their children. A shard that is seen first is read from the mapping's starting position, those
that come later from their beginning; where that is, is on disk before the first record is read.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from cumulet.delivery import BEGINNING, Message, Shard, StreamFacts, StreamSource
from cumulet.kernel.activity import Activity
from cumulet.kernel.arns import parse_arn
from cumulet.kernel.clock import Clock
from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_ import checkpoints, mappings
from cumulet.services.lambda_.batch_runner import Runner
from cumulet.services.lambda_.checkpoints import Checkpoint
from cumulet.services.lambda_.filters import Filters
from cumulet.services.lambda_.mappings import Mapping, Streaming
from cumulet.services.lambda_.stream_lane import RETRY_MS, Lane
from cumulet.services.lambda_.stream_reading import Reading, Record
from cumulet.store import Store, Tx


class StreamPoller:
    """One event source mapping of a stream at work, once `change` has told it to begin."""

    def __init__(
        self,
        mapping: Mapping,
        *,
        source: StreamSource,
        runner: Runner,
        store: Store,
        clock: Clock,
        activity: Activity,
        new_id: Callable[[], str],
        put: Callable[[Tx, str, Message, int], None],
        record: Record,
    ) -> None:
        source_arn = parse_arn(mapping.source_arn)
        assert source_arn is not None
        self.mapping = mapping
        self._reading = Reading(
            mapping=mapping,
            source_arn=source_arn,
            source=source,
            filters=Filters((), source_arn.service),
            runner=runner,
            store=store,
            clock=clock,
            activity=activity,
            new_id=new_id,
            put=put,
            record=record,
            lane_ended=self.wake,
        )
        self._lanes: dict[str, list[Lane]] = {}
        """By shard."""
        self._finished: set[str] = set()
        """Shards of which nothing is left."""
        self._closing: list[Lane] = []
        """Lanes of before a change, whose batch still runs."""
        self._is_pumping = False
        self._has_news = False
        self._is_closed = True
        self._changes = 0
        """Looking for shards that began before the last change comes to nothing."""
        self._unwatch: Callable[[], None] | None = None

    def change(self, mapping: Mapping) -> None:
        """Know a change of the mapping, and go on, begin or close as it says."""
        self.close()
        self.mapping = mapping
        if mapping.is_enabled:
            self._is_closed = False
            self._unwatch = self._reading.source.watch(self._reading.source_arn, self.wake)
            self.wake()

    def wake(self) -> None:
        """Look for shards, and let the lanes look for records and slots."""
        self._has_news = True
        if not (self._is_pumping or self._is_closed):
            self._is_pumping = True
            self._reading.activity.spawn(f"event source mapping {self.mapping.uuid}", self._pump())

    def close(self) -> None:
        """Read no more. Batches that run go on."""
        self._is_closed = True
        self._changes += 1
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        for lane in itertools.chain.from_iterable(self._lanes.values()):
            lane.close()
            self._closing.append(lane)
        self._lanes = {}

    async def _pump(self) -> None:
        try:
            while self._has_news and not self._is_closed:
                self._has_news = False
                self._closing = [lane for lane in self._closing if lane.is_busy]
                if not self._closing:
                    await self._look()
        except LookupError:
            pass  # there is no such stream; the watch tells of a new one
        except AwsError:
            self._reading.clock.call_at(self._reading.clock.now_ms() + RETRY_MS, self.wake)
            raise
        finally:
            self._is_pumping = False

    async def _look(self) -> None:
        """Begin with shards that may be read now, and wake all lanes."""
        reading, changes = self._reading, self._changes
        if not self._lanes:  # nothing of the mapping as it was runs
            reading.mapping = self.mapping
            reading.filters = Filters(self.mapping.settings.filters, reading.source_arn.service)
        facts = await reading.source.describe(reading.source_arn)
        if any(shard.id not in self._lanes and shard.id not in self._finished for shard in facts.shards):
            await self._begin(facts, changes)
        if changes == self._changes:
            for lane in itertools.chain.from_iterable(self._lanes.values()):
                lane.wake()

    async def _begin(self, facts: StreamFacts, changes: int) -> None:
        """Make lanes for the shards whose parents were read to their end."""
        known = await self._reading.store.read(checkpoints.of_mapping, self.mapping.uuid)
        if not known:
            for shard in facts.shards:
                known += await self._start(shard)
        self._finished = {one.shard for one in known} - {one.shard for one in known if not one.is_finished}
        there = {shard.id for shard in facts.shards}
        for shard in facts.shards:
            if shard.id in self._lanes or shard.id in self._finished:
                continue
            if any(parent in there and parent not in self._finished for parent in shard.parents):
                continue
            lanes = await self._dealt(shard, [one for one in known if one.shard == shard.id])
            if changes == self._changes:
                self._lanes[shard.id] = [Lane(self._reading, one, facts.retention_seconds) for one in lanes]

    async def _start(self, shard: Shard) -> list[Checkpoint]:
        """Write where a shard is read from that was there when the mapping began."""
        reading, stream = self._reading, self._stream
        start, timestamp_ms = stream.starting_position, stream.starting_ms
        position = await reading.source.start(reading.source_arn, shard.id, start, timestamp_ms)
        return await self._write(shard, position)

    async def _dealt(self, shard: Shard, known: list[Checkpoint]) -> list[Checkpoint]:
        """Return the checkpoints of a shard's lanes; with another number of lanes they all begin at the earliest."""
        lanes = self._stream.lanes
        if len(known) == lanes and all(one.lanes == lanes for one in known):
            return known
        return await self._write(shard, min((one.position for one in known), key=int, default=BEGINNING))

    async def _write(self, shard: Shard, position: str) -> list[Checkpoint]:
        uuid, lanes = self.mapping.uuid, self._stream.lanes
        written = [Checkpoint(uuid, shard.id, lane, lanes, position) for lane in range(lanes)]
        await self._reading.store.transact(_replace, uuid, written)
        return written

    @property
    def _stream(self) -> Streaming:
        stream = self.mapping.settings.stream
        assert stream is not None
        return stream


def _replace(tx: Tx, mapping: str, known: list[Checkpoint]) -> None:
    if mappings.exists(tx, mapping):
        checkpoints.replace(tx, known)
