"""A store with one table, and what the tests do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cumulet.store import Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

NOTES = Schema(
    "notes",
    """
-- 1: notes
CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL, body BYTEA);
""",
)


def put(tx: Tx, text: str, body: bytes | None = None) -> int:
    """Write a note and return its id."""
    note_id = tx.next_id()
    tx.run("INSERT INTO notes (id, text, body) VALUES (?, ?, ?)", note_id, text, body)
    return note_id


def texts(tx: Tx) -> list[str]:
    """Return all notes' texts in the order of their ids."""
    return [str(text) for (text,) in tx.all("SELECT text FROM notes ORDER BY id")]


class Run:
    """Runs `scenario(store)` on a store of its own in `folder`, which keeps its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, scenario: Callable[[SqliteStore], Awaitable[Any]], **options: Any) -> Any:
        async def opened() -> Any:
            store = SqliteStore.open(self.folder, schemas=[NOTES], **options)
            try:
                return await scenario(store)
            finally:
                await store.close()

        return asyncio.run(opened())
