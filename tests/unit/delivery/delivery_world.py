"""A store with the table of deliveries, an engine, and a target that does as it is told."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from cumulet.delivery import Attempt, End, Engine, QueuedDelivery, RetryPolicy, Verdict
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.kernel.ids import Ids
from cumulet.store import Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

T = TypeVar("T")
START_MS = 1_800_000_000_000
MINUTE, HOUR = 60, 3600
A, B = (f"arn:aws:lambda:us-east-1:000000000000:function:{name}" for name in "ab")


class Endpoint:
    """The adapter of all targets: what it answers to a request is scripted, by default that it is delivered."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.scripts: defaultdict[str, list[Verdict | Exception]] = defaultdict(list)
        self.places: dict[str, int] = {}
        """By lane; as many as are wanted where nothing is said."""
        self.retry_policy = RetryPolicy(2, (60_000, 120_000), HOUR * 1000)
        self.attempts: list[tuple[str, float]] = []
        """Request ids, and seconds since the beginning."""
        self.ends: list[tuple[str, End, Any, float]] = []
        self.running: Counter[str] = Counter()
        self.most_running: Counter[str] = Counter()
        self.refused: set[str] = set()
        """Requests whose end the store refuses to write, as a full disk does."""
        self.hold: asyncio.Event | None = None
        """While it is there and not set, attempts do not end."""
        self._starved: list[Callable[[], None]] = []

    @property
    def _seconds(self) -> float:
        return (self._clock.now_ms() - START_MS) / 1000

    async def slot(self, delivery: QueuedDelivery, wake: Callable[[], None]) -> Callable[[], None] | None:
        lane = delivery.lane
        if self.running[lane] >= self.places.get(lane, 1000):
            if wake not in self._starved:
                self._starved.append(wake)
            return None
        self.running[lane] += 1
        self.most_running[lane] = max(self.most_running[lane], self.running[lane])

        def give_back() -> None:
            self.running[lane] -= 1
            self.wake()

        return give_back

    def wake(self) -> None:
        starved, self._starved = self._starved, []
        for wake in starved:
            wake()

    async def attempt(self, delivery: QueuedDelivery) -> Attempt:
        self.attempts.append((delivery.request_id, self._seconds))
        if self.hold is not None:
            await self.hold.wait()
        script = self.scripts[delivery.request_id]
        told = script.pop(0) if script else Verdict.DELIVERED
        if isinstance(told, Exception):
            raise told
        return Attempt(told, f"answer {len(self.attempts)}")

    def policy(self, tx: Tx, delivery: QueuedDelivery) -> RetryPolicy:
        return self.retry_policy

    def conclude(
        self, tx: Tx, delivery: QueuedDelivery, end: End, answer: Any, *, now_ms: int, new_ids: tuple[str, str]
    ) -> None:
        if delivery.request_id in self.refused:
            raise ServiceUnavailable("the disk is full")
        tx.after_commit(self.ends.append, (delivery.request_id, end, answer, (now_ms - START_MS) / 1000))


class World:
    """One platform's deliveries; `restart` is what a crash leaves of them."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self.unheard: list[str] = []
        self._runner.get_loop().set_exception_handler(lambda _, context: self.unheard.append(context["message"]))
        self.activity = Activity()
        self.clock = VirtualClock(START_MS, self.activity)
        self.endpoint = Endpoint(self.clock)
        self.store = self.wait(lambda: self._open(folder))
        self.engine = self._new_engine()
        self.wait(self.engine.start)

    @staticmethod
    async def _open(folder: Path) -> SqliteStore:
        return SqliteStore.open(folder, schemas=[Schema.of_package("cumulet.delivery")], durability="relaxed")

    def _new_engine(self) -> Engine:
        engine = Engine(self.store, self.clock, Ids(1), self.activity)
        engine.register("lambda", self.endpoint)
        return engine

    def close(self) -> None:
        self.wait(self.activity.stop)
        self.wait(self.store.close)
        self._runner.close()

    def wait(self, work: Callable[[], Awaitable[T]]) -> T:
        async def run() -> T:
            return await work()

        return self._runner.run(run())

    def accept(self, *request_ids: str, lane: str = A) -> None:
        """Accept deliveries in one transaction and do what follows at once."""

        def accept(tx: Tx) -> None:
            for request_id in request_ids:
                self.engine.accept(
                    tx, lane=lane, target=lane, request_id=request_id, payload=b"{}", now_ms=self.clock.now_ms()
                )

        async def transact() -> None:
            await self.store.transact(accept)

        self.wait(transact)
        self.advance(0)

    def advance(self, seconds: float) -> None:
        """Move the clock and wait until the platform is idle, or does not go on without `Endpoint.hold`."""
        self.wait(lambda: self.clock.advance(round(seconds * 1000), patience_seconds=0.2 if self._is_held else 10))

    @property
    def _is_held(self) -> bool:
        return self.endpoint.hold is not None and not self.endpoint.hold.is_set()

    def stop(self) -> None:
        """Forget all but the disk."""
        self.engine.close()
        self.wait(self.activity.stop)
        self.endpoint.running.clear()

    def restart(self) -> None:
        """Go on with what the disk has."""
        self.stop()
        self.engine = self._new_engine()
        self.wait(self.engine.start)
        self.advance(0)

    def left(self) -> Sequence[Any]:
        """Return what is on disk."""

        async def read() -> list[Any]:
            return await self.store.read(lambda tx: tx.all("SELECT request_id, due_at FROM deliveries ORDER BY id"))

        return self.wait(read)

    def attempts(self, request_id: str) -> list[float]:
        """Return when a request was tried."""
        return [seconds for name, seconds in self.endpoint.attempts if name == request_id]
