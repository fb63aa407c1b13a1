"""A store with the tables of SQS, and its domain functions without a server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cumulet.services.sqs import backlog, fifo, handles, queues, standard, upkeep, visibility
from cumulet.services.sqs.backlog import Counts, Lease, ReceivedMessage
from cumulet.services.sqs.message import new_message
from cumulet.services.sqs.queues import Queue
from cumulet.store import Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore


class World:
    """One store that forgets at the end of a test, with a clock of its own; each call is a transaction."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        schema = Schema.of_package("cumulet.services.sqs")
        self._store = self._runner.run(self._open(folder, schema))
        self._names = itertools.count()
        self._receipts = itertools.count(1)
        self.now_ms = 1_000_000

    @staticmethod
    async def _open(folder: Path, schema: Schema) -> SqliteStore:
        return SqliteStore.open(folder, schemas=[schema], durability="relaxed")

    def close(self) -> None:
        self._runner.run(self._store.close())
        self._runner.close()

    def run(self, fn: Callable[..., Any], *args: Any) -> Any:
        async def transact() -> Any:
            return await self._store.transact(fn, *args)

        return self._runner.run(transact())

    def queue(self, **attributes: str) -> Queue:
        suffix = ".fifo" if "FifoQueue" in attributes else ""
        name = f"q{next(self._names)}{suffix}"
        made: Queue = self.run(queues.create, "0" * 12, "us-east-1", name, attributes, {}, self.now_ms)
        return made

    def send(self, queue: Queue, body: str, **members: Any) -> None:
        message = new_message(queue, {"MessageBody": body, **members}, f"id-{body}", "sender")
        self.run(fifo.put if queue.is_fifo else standard.put, queue, message, self.now_ms)

    def receive(self, queue: Queue, most: int, seconds: int) -> list[tuple[ReceivedMessage, str]]:
        """Return messages and their receipt handles."""
        lease = Lease(
            most=most,
            now_ms=self.now_ms,
            until_ms=self.now_ms + seconds * 1000,
            receipt=next(self._receipts),
            limit=0,
        )
        received = self.run(fifo.receive if queue.is_fifo else standard.receive, queue, lease)
        return [(m, handles.encode(queue.id, m.id, received.receipt)) for m in received.messages]

    def delete(self, queue: Queue, handle: str) -> None:
        decoded = handles.decode(handle, queue.id)
        if queue.is_fifo:
            self.run(fifo.remove, queue, decoded, self.now_ms)
        else:
            self.run(standard.remove, queue, decoded)

    def hide(self, queue: Queue, handle: str, seconds: int) -> None:
        self.run(visibility.change, queue, handles.decode(handle, queue.id), seconds, self.now_ms)

    def expire(self, queue: Queue) -> None:
        """Do what upkeep does for retention."""
        self.run(upkeep.delete_expired, queue, self.now_ms)

    def count(self, queue: Queue) -> Counts:
        counts: Counts = self.run(backlog.count, queue, self.now_ms)
        return counts

    def groups(self) -> list[tuple[Any, ...]]:
        """Return the rows of all message groups."""

        def read(tx: Tx) -> list[tuple[Any, ...]]:
            return tx.all("SELECT group_id, available_at FROM sqs_groups ORDER BY group_id")

        found: list[tuple[Any, ...]] = self.run(read)
        return found
