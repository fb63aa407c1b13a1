"""Metrics on their way to the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.kernel.telemetry import Metric, Telemetry
from cumulet.services.cloudwatch.metrics import KEPT_MS, after, sums
from cumulet.services.cloudwatch.writer import STEP, Writer
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

Test = Callable[[SqliteStore, VirtualClock, Telemetry, Writer], Awaitable[None]]


class FullDisk:
    """A store that refuses writes for a while."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.is_full = True

    async def transact(self, *arguments: Any) -> Any:
        if self.is_full:
            raise ServiceUnavailable("full")
        return await self._store.transact(*arguments)


def sent(queue: str) -> Metric:
    return Metric("123456789012", "us-east-1", "AWS/SQS", "Sent", (("QueueName", queue),), "Count")


def run(folder: Path, test: Test) -> None:
    async def with_store() -> None:
        schemas = [Schema.of_package("cumulet.services.cloudwatch")]
        store = SqliteStore.open(folder, schemas=schemas, durability="relaxed")
        clock = VirtualClock(KEPT_MS * 100, Activity())
        telemetry = Telemetry(clock)
        try:
            await test(store, clock, telemetry, Writer(telemetry, store, clock))
        finally:
            await store.close()

    asyncio.run(with_store())


async def totals(store: SqliteStore) -> dict[str, tuple[float, float, float, float]]:
    return {
        it["dimensions"]["QueueName"]: (it["observations"], it["total"], it["minimum"], it["maximum"])
        for it in await store.read(sums)
    }


def test_what_is_written_twice_adds_up(tmp_path: Path) -> None:
    async def test(store: SqliteStore, _: VirtualClock, telemetry: Telemetry, writer: Writer) -> None:
        for value in (2, 1, 3):
            telemetry.record(sent("a"), value)
            await writer.write()

        assert await totals(store) == {"a": (3, 6, 1, 3)}

    run(tmp_path, test)


def test_many_metrics_are_written_in_steps(tmp_path: Path) -> None:
    async def test(store: SqliteStore, _: VirtualClock, telemetry: Telemetry, writer: Writer) -> None:
        await writer.write()
        for number in range(3 * STEP + 1):
            telemetry.record(sent(str(number)))
        commits = store.stats().commits
        await writer.write()

        assert len(await totals(store)) == 3 * STEP + 1
        assert store.stats().commits - commits == 4 + 1  # one more to forget what is old

    run(tmp_path, test)


def test_minutes_older_than_15_days_are_forgotten_and_so_are_metrics(tmp_path: Path) -> None:
    async def test(store: SqliteStore, clock: VirtualClock, telemetry: Telemetry, writer: Writer) -> None:
        for number in range(2 * STEP + 1):
            telemetry.record(sent(f"old-{number}"))
        await writer.write()
        await clock.advance(KEPT_MS + 60_000)
        telemetry.record(sent("new"))
        await writer.write()

        listed = await store.read(after, "123456789012", "us-east-1", None, None, ("", "", ""), 1000)
        assert list(await totals(store)) == ["new"]
        assert [each.dimensions for each in listed] == ['[["QueueName","new"]]']

    run(tmp_path, test)


def test_nothing_is_lost_while_the_store_refuses_writes(tmp_path: Path) -> None:
    async def test(store: SqliteStore, clock: VirtualClock, telemetry: Telemetry, __: Writer) -> None:
        disk = FullDisk(store)
        writer = Writer(telemetry, disk, clock)  # type: ignore[arg-type]
        telemetry.record(sent("a"))
        await writer.write()
        telemetry.record(sent("a"))
        await writer.write()
        disk.is_full = False
        await writer.write()

        assert await totals(store) == {"a": (2, 2, 1, 1)}

    run(tmp_path, test)


def test_whoever_asks_while_another_write_is_under_way_waits_for_it(tmp_path: Path) -> None:
    async def test(store: SqliteStore, _: VirtualClock, telemetry: Telemetry, writer: Writer) -> None:
        telemetry.record(sent("a"))
        under_way = asyncio.ensure_future(writer.write())
        await asyncio.sleep(0)

        await writer.write()

        assert await totals(store) == {"a": (1, 1, 1, 1)}
        await under_way

    run(tmp_path, test)


def test_stopping_writes_what_is_left(tmp_path: Path) -> None:
    async def test(store: SqliteStore, _: VirtualClock, telemetry: Telemetry, writer: Writer) -> None:
        writer.start()
        telemetry.record(sent("a"))
        await writer.stop()

        assert await totals(store) == {"a": (1, 1, 1, 1)}

    run(tmp_path, test)
