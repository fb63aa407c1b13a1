"""A stream in memory, a function that is a Python function, and a store: what a poller of streams works with."""

from __future__ import annotations

import asyncio
import itertools
import json
from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from cumulet.compute import Outcome
from cumulet.delivery import BEGINNING, Message, Page, Shard, Start, StreamFacts, StreamRecord, Undeliverable
from cumulet.kernel.activity import Activity
from cumulet.kernel.arns import Arn
from cumulet.kernel.clock import VirtualClock
from cumulet.kernel.ids import Ids
from cumulet.services.lambda_ import checkpoints, mappings
from cumulet.services.lambda_.checkpoints import Checkpoint
from cumulet.services.lambda_.configuration import Configuration, Logging
from cumulet.services.lambda_.functions import Function, Package
from cumulet.services.lambda_.mappings import Mapping, Settings, Streaming
from cumulet.services.lambda_.stream_poller import StreamPoller
from cumulet.store import Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

NOW_MS = 1_800_000_000_000
ACCOUNT, REGION = "123456789012", "eu-west-1"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks"
TABLE_STREAM = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/clicks/stream/2027-01-15T08:00:00.000"
DEAD_LETTERS = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/role"
Handler = Callable[[dict[str, Any]], Any]


@dataclass
class StreamInMemory:
    """The twin of a stream service with one stream."""

    clock: VirtualClock
    shards: list[Shard] = field(default_factory=lambda: [Shard("shard-0")])
    closed: set[str] = field(default_factory=set)
    retention_seconds: int = 86_400
    is_there: bool = True
    records: dict[str, list[StreamRecord]] = field(default_factory=dict)
    watchers: list[Callable[[], None]] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def put(self, *values: Any, key: str = "", shard: str = "shard-0") -> list[str]:
        """Put values as JSON, return their sequence numbers. The key is that of all, or for each its value."""
        put = []
        for value in values:
            number = str(next(self.numbers))
            text = value if isinstance(value, bytes) else orjson.dumps(value)
            entry = {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": key or str(value),
                    "sequenceNumber": number,
                    "data": b64encode(text).decode(),
                    "approximateArrivalTimestamp": self.clock.now_ms() / 1000,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{shard}:{number}",
                "eventName": "aws:kinesis:record",
            }
            self.records.setdefault(shard, []).append(
                StreamRecord(number, key or str(value), self.clock.now_ms(), entry)
            )
            put.append(number)
        self.news()
        return put

    def news(self) -> None:
        for wake in list(self.watchers):
            wake()

    async def describe(self, arn: Arn) -> StreamFacts:
        if not self.is_there:
            raise LookupError
        return StreamFacts(tuple(self.shards), self.retention_seconds)

    async def start(self, arn: Arn, shard_id: str, start: Start, timestamp_ms: int | None = None) -> str:
        records = self.records.get(shard_id, [])
        if start == "AT_TIMESTAMP":
            assert timestamp_ms is not None
            records = [record for record in records if record.arrived_ms < timestamp_ms]
        return BEGINNING if start == "TRIM_HORIZON" or not records else records[-1].sequence_number

    async def read(self, arn: Arn, shard_id: str, position: str, most: int) -> Page:
        oldest_ms = self.clock.now_ms() - self.retention_seconds * 1000
        records = self.records.get(shard_id, [])
        first = bisect_right(records, int(position), key=lambda record: int(record.sequence_number))
        kept = [record for record in records[first : first + most] if record.arrived_ms >= oldest_ms]
        return Page(kept, is_end=shard_id in self.closed and first + most >= len(records))

    def watch(self, arn: Arn, wake: Callable[[], None]) -> Callable[[], None]:
        self.watchers.append(wake)
        return lambda: self.watchers.remove(wake)


class FunctionInMemory:
    """The twin of what runs functions: `handler` gets each event; what it raises is the function's error."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.handler: Handler = lambda event: None
        self.events: list[dict[str, Any]] = []
        self.times_ms: list[int] = []
        self.slots = 1000
        self.most_at_once = 0
        self.is_there = True
        self.holds: asyncio.Event | None = None
        """Invocations wait for it."""
        self._running = 0
        self._starved: list[Callable[[], None]] = []
        self._function = Function(
            account=ACCOUNT,
            region=REGION,
            name="count",
            revision="1",
            deployment="1",
            configuration=Configuration(
                runtime="python3.11", handler="app.handler", role_arn=ROLE, logging=Logging(group="count")
            ),
            package=Package("0", 0),
            tags={},
            modified_ms=NOW_MS,
        )

    async def function(self, mapping: Mapping) -> Function | None:
        return self._function if self.is_there else None

    def free(self, function: Function) -> int:
        return self.slots - self._running

    def take(self, function: Function) -> Callable[[], None]:
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)

        def give_back() -> None:
            self._running -= 1
            self.more_slots()

        return give_back

    def more_slots(self) -> None:
        starved, self._starved = self._starved, []
        for wake in starved:
            wake()

    def when_free(self, wake: Callable[[], None]) -> None:
        self._starved.append(wake)

    async def run(
        self,
        mapping: Mapping,
        function: Function,
        payload: bytes,
        *,
        request_id: str | None = None,
        trace_header: str | None = None,
    ) -> Outcome | None:
        event = json.loads(payload)
        self.events.append(event)
        self.times_ms.append(self._clock.now_ms())
        if self.holds is not None:
            await self.holds.wait()
        try:
            answer = self.handler(event)
        except LookupError:
            return None
        except ValueError as error:
            return Outcome(payload=orjson.dumps({"errorMessage": str(error)}), error="Unhandled")
        return Outcome(payload=orjson.dumps(answer))


class StreamWorld:
    """A mapping of a stream at work."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runner = asyncio.Runner()
        self.activity = Activity()
        self.clock = VirtualClock(NOW_MS, self.activity)
        self.store = self._runner.run(self._open())
        self.stream = StreamInMemory(self.clock)
        self.function = FunctionInMemory(self.clock)
        self.letters: list[dict[str, Any]] = []
        self.metrics: list[tuple[str, float]] = []
        self.poller: StreamPoller
        self._ids = Ids(1)

    async def _open(self) -> SqliteStore:
        return SqliteStore.open(
            self._folder, schemas=[Schema.of_package("cumulet.services.lambda_")], durability="relaxed"
        )

    def close(self) -> None:
        self.poller.close()
        self.advance()
        self._runner.run(self.store.close())
        self._runner.close()

    def begin(
        self,
        *,
        source: str = STREAM,
        start: Start = "TRIM_HORIZON",
        start_ms: int | None = None,
        lanes: int = 1,
        bisects: bool = False,
        age: int = -1,
        retries: int = -1,
        tumbling: int = 0,
        on_failure: str | None = DEAD_LETTERS,
        **settings: Any,
    ) -> None:
        """Make the mapping and let it work until there is nothing to do."""
        stream = Streaming(
            starting_position=start,
            starting_ms=start_ms,
            lanes=lanes,
            bisects=bisects,
            most_age_seconds=age,
            most_retries=retries,
            tumbling_seconds=tumbling,
            on_failure=on_failure,
        )
        self.mapping = Mapping(
            id=1,
            uuid="14e0db71-5d35-4eb5-b481-8945cf9d10c2",
            account=ACCOUNT,
            region=REGION,
            function_name="count",
            source_arn=source,
            is_enabled=True,
            settings=Settings(**{"batch_size": 100, "stream": stream, **settings}),
            tags={},
            modified_ms=NOW_MS,
        )
        self.transact(mappings.put, self.mapping)
        self.start()

    def start(self) -> None:
        """Let a new poller go on with the mapping, as after a restart."""
        self.poller = StreamPoller(
            self.mapping,
            source=self.stream,
            runner=self.function,
            store=self.store,
            clock=self.clock,
            activity=self.activity,
            new_id=self._ids.uuid,
            put=self._put,
            record=lambda name, arn, value=1: self.metrics.append((name, value)),
        )
        self.change(self.mapping)

    def change(self, mapping: Mapping) -> None:
        """Tell the poller of the mapping."""

        async def change() -> None:
            self.poller.change(mapping)

        self.mapping = mapping
        self._runner.run(change())
        self.advance()

    def restart(self) -> None:
        """Forget all that is in memory."""
        self.poller.close()
        self.advance()
        self.start()

    def _put(self, tx: Tx, target_arn: str, message: Message, now_ms: int) -> None:
        if target_arn != DEAD_LETTERS:
            raise Undeliverable("there is no such queue")
        tx.after_commit(lambda: self.letters.append(json.loads(message.body)))

    def put(self, *values: Any, **wanted: Any) -> list[str]:
        """Put records, and let the poller work until there is nothing to do."""
        numbers = self.arrive(*values, **wanted)
        self.advance()
        return numbers

    def arrive(self, *values: Any, **wanted: Any) -> list[str]:
        """Put records."""

        async def put() -> list[str]:
            return self.stream.put(*values, **wanted)

        return self._runner.run(put())

    def advance(self, seconds: float = 0) -> None:
        """Move the clock."""
        assert self._runner.run(self.clock.advance(round(seconds * 1000))) == []

    def call(self, fn: Callable[[], Any]) -> None:
        """Call something on the event loop."""

        async def call() -> None:
            fn()

        self._runner.run(call())

    def transact(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Run a transaction."""

        async def run() -> Any:
            return await self.store.transact(fn, *args)

        return self._runner.run(run())

    def checkpoints(self) -> list[Checkpoint]:
        """Return what is on disk."""
        return sorted(self.transact(checkpoints.of_mapping, self.mapping.uuid), key=lambda one: (one.shard, one.lane))

    def batches(self) -> list[list[Any]]:
        """Return the values of all events so far, by event."""
        return [values(event) for event in self.function.events]


def values(event: dict[str, Any]) -> list[Any]:
    """Return the values that an event's records hold."""
    return [value_of(record) for record in event["Records"]]


def value_of(record: dict[str, Any]) -> Any:
    """Return the value that a record holds."""
    return json.loads(b64decode(record["kinesis"]["data"]))


def failing(*poison: Any) -> Handler:
    """Return a function that fails for events with one of the values."""

    def handler(event: dict[str, Any]) -> None:
        if set(values(event)) & set(poison):
            raise ValueError("poison")

    return handler


def numbers(records: Sequence[dict[str, Any]]) -> list[str]:
    """Return the sequence numbers of records of an event."""
    return [record["kinesis"]["sequenceNumber"] for record in records]
