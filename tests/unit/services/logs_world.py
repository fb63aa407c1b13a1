"""A store with the tables of CloudWatch Logs, and what writes, reads and tidies it, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from cumulet.delivery import LogEvent
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock
from cumulet.services.logs import events, groups, patterns, reading, streams
from cumulet.services.logs.directory import Directory
from cumulet.services.logs.events import Event, Span
from cumulet.services.logs.groups import Group
from cumulet.services.logs.upkeep import Upkeep
from cumulet.services.logs.writing import Writer
from cumulet.store import Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

T = TypeVar("T")
ACCOUNT, REGION = "000000000000", "us-east-1"
NOW_MS = 1_800_000_000_000


class World:
    """One store that forgets at the end of a test, with a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self.activity = Activity()
        self.clock = VirtualClock(NOW_MS, self.activity)
        self.store = self._runner.run(self._open(folder))
        self.directory = Directory(self.store)
        self.upkeep = Upkeep(self.store, self.clock, self.activity)
        self.writer = Writer(self.store, self.clock, self.directory, self.upkeep)

    @staticmethod
    async def _open(folder: Path) -> SqliteStore:
        schema = Schema.of_package("cumulet.services.logs")
        return SqliteStore.open(folder, schemas=[schema], durability="relaxed")

    def close(self) -> None:
        self._runner.run(self.store.close())
        self._runner.close()

    def wait(self, work: Callable[[], Awaitable[T]]) -> T:
        """Call `work` on the event loop and return what comes of it."""

        async def run() -> T:
            return await work()

        return self._runner.run(run())

    def run(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Run a transaction."""
        return self.wait(lambda: self.store.transact(fn, *args))

    def advance(self, milliseconds: int) -> None:
        """Move the clock and let all that is due happen."""
        assert self.wait(lambda: self.clock.advance(milliseconds)) == []

    def write(self, group: str, stream: str, *written: tuple[int, str]) -> None:
        """Write as the platform's own parts do, and wait until it is on disk."""
        lines = [LogEvent(*event) for event in written]
        self.wait(lambda: self.writer.write(ACCOUNT, REGION, group, stream, lines))

    def group(self, name: str) -> Group:
        found: Group = self.run(groups.load, ACCOUNT, REGION, name)
        return found

    def delete_group(self, name: str) -> None:
        def delete(tx: Tx) -> None:
            tx.after_commit(self.directory.forget, groups.delete(tx, (ACCOUNT, REGION, name)))

        self.run(delete)
        self.wait(self._collect)

    def delete_stream(self, group: str, name: str) -> None:
        self.run(streams.delete, self.group(group), name)
        self.wait(self._collect)

    def keep_for(self, name: str, days: int | None) -> None:
        """Change a group's retention."""

        def change(tx: Tx) -> Group:
            group = groups.load(tx, ACCOUNT, REGION, name)
            kept = Group(
                **{field: getattr(group, field) for field in group.__struct_fields__} | {"retention_days": days}
            )
            tx.after_commit(self.directory.keep, groups.save(tx, kept))
            return kept

        group = self.run(change)

        async def look() -> None:
            self.upkeep.look_again(group)
            await self.activity.settle(10)

        self.wait(look)

    async def _collect(self) -> None:
        self.upkeep.collect()
        await self.activity.settle(10)

    def page(self, group: str, stream: str, span: Span, limit: int = 10_000) -> list[Event]:
        found = self.run(streams.load, self.group(group).id, stream)
        return self.wait(lambda: reading.page_of_stream(self.store, found.id, span, limit))

    def messages(self, group: str, stream: str) -> list[str]:
        """Return what a stream holds, in order."""
        return [event.message for event in self.page(group, stream, Span(0, events.LATEST_MS, False))]

    def search(
        self, group: str, span: Span, limit: int, *, only: list[str] | None = None, prefix: str = "", pattern: str = ""
    ) -> reading.Found:
        """Search a group, or the streams called `only`."""
        group_id = self.group(group).id
        if only is None:
            slices = reading.of_group(self.store, group_id, span, prefix)
        else:
            chosen = [self.run(streams.load, group_id, name) for name in only]
            slices = reading.of_streams(self.store, chosen, span)
        return self.wait(lambda: reading.search(slices, patterns.compiled(pattern), limit))

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        rows: int = self.run(lambda tx: tx.one(f"SELECT COUNT(*) FROM {table}")[0])
        return rows

    def stored_bytes(self, group: str) -> int:
        stored: int = self.run(groups.stored_bytes, self.group(group))
        return stored
