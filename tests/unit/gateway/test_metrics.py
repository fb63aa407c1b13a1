"""Metrics on their way to the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cumulet.gateway.metrics import KEPT_MS, STEP, MetricsWriter, sums
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.kernel.telemetry import Telemetry
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

Test = Callable[[SqliteStore, VirtualClock, Telemetry, MetricsWriter], Awaitable[None]]


class FullDisk:
    """A store that refuses writes for a while."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.is_full = True

    async def transact(self, *arguments: Any) -> Any:
        if self.is_full:
            raise ServiceUnavailable("full")
        return await self._store.transact(*arguments)


def run(folder: Path, test: Test) -> None:
    async def with_store() -> None:
        store = SqliteStore.open(folder, schemas=[Schema.of_package("cumulet.gateway")], durability="relaxed")
        clock = VirtualClock(KEPT_MS * 100, Activity())
        telemetry = Telemetry(clock)
        try:
            await test(store, clock, telemetry, MetricsWriter(telemetry, store))
        finally:
            await store.close()

    asyncio.run(with_store())


async def totals(store: SqliteStore) -> dict[str, tuple[int, float]]:
    return {it["dimension"]: (it["observations"], it["total"]) for it in await store.read(sums)}


def test_what_is_written_twice_adds_up(tmp_path: Path) -> None:
    async def test(store: SqliteStore, _: VirtualClock, telemetry: Telemetry, writer: MetricsWriter) -> None:
        for value in (1, 2, 3):
            telemetry.record("AWS/SQS", "Sent", "a", value)
            await writer.write()

        assert await totals(store) == {"a": (3, 6)}

    run(tmp_path, test)


def test_many_metrics_are_written_in_steps(tmp_path: Path) -> None:
    async def test(store: SqliteStore, _: VirtualClock, telemetry: Telemetry, writer: MetricsWriter) -> None:
        for number in range(3 * STEP + 1):
            telemetry.record("AWS/SQS", "Sent", str(number))
        commits = store.stats().commits
        await writer.write()

        assert len(await totals(store)) == 3 * STEP + 1
        assert store.stats().commits - commits == 4

    run(tmp_path, test)


def test_minutes_older_than_15_days_are_forgotten(tmp_path: Path) -> None:
    async def test(store: SqliteStore, clock: VirtualClock, telemetry: Telemetry, writer: MetricsWriter) -> None:
        telemetry.record("AWS/SQS", "Sent", "old")
        await writer.write()
        await clock.advance(KEPT_MS + 60_000)
        telemetry.record("AWS/SQS", "Sent", "new")
        await writer.write()

        assert list(await totals(store)) == ["new"]

    run(tmp_path, test)


def test_nothing_is_lost_while_the_store_refuses_writes(tmp_path: Path) -> None:
    async def test(store: SqliteStore, _: VirtualClock, telemetry: Telemetry, __: MetricsWriter) -> None:
        disk = FullDisk(store)
        writer = MetricsWriter(telemetry, disk)  # type: ignore[arg-type]
        telemetry.record("AWS/SQS", "Sent", "a")
        await writer.write()
        telemetry.record("AWS/SQS", "Sent", "a")
        await writer.write()
        disk.is_full = False
        await writer.write()

        assert await totals(store) == {"a": (2, 2)}

    run(tmp_path, test)


def test_stopping_writes_what_is_left(tmp_path: Path) -> None:
    async def test(store: SqliteStore, _: VirtualClock, telemetry: Telemetry, writer: MetricsWriter) -> None:
        writer.start()
        telemetry.record("AWS/SQS", "Sent", "a")
        await writer.stop()

        assert await totals(store) == {"a": (1, 1)}

    run(tmp_path, test)
