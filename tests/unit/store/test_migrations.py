from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cumulet.store.errors import StoreError
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

FIRST = "-- 1: things\nCREATE TABLE things (id BIGINT PRIMARY KEY);\n"
SECOND = "-- 2: their names\nALTER TABLE things ADD COLUMN name TEXT;\nINSERT INTO things (id, name) VALUES (1, 'a');\n"
BROKEN = "-- 2: broken\nINSERT INTO things (id) VALUES (7);\nINSERT INTO missing (id) VALUES (1);\n"


def open_with(folder: Path, *schemas: Schema) -> list[tuple[object, ...]]:
    """Open the store with `schemas` and return the rows of `things`."""

    async def opened() -> list[tuple[object, ...]]:
        store = SqliteStore.open(folder, schemas=schemas)
        try:
            return await store.read(lambda tx: tx.all("SELECT * FROM things"))
        finally:
            await store.close()

    return asyncio.run(opened())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


def test_blocks_are_applied_once_each_and_in_order(tmp_path: Path) -> None:
    assert open_with(tmp_path, Schema("s", FIRST)) == []
    assert open_with(tmp_path, Schema("s", FIRST + SECOND)) == [(1, "a")]
    assert open_with(tmp_path, Schema("s", FIRST + SECOND)) == [(1, "a")]


def test_comments_and_layout_of_an_applied_block_may_change(tmp_path: Path) -> None:
    open_with(tmp_path, Schema("s", FIRST))

    open_with(tmp_path, Schema("s", "-- 1: other words\nCREATE TABLE things ( -- why\n  id  BIGINT PRIMARY KEY);\n"))


@pytest.mark.parametrize(
    ("later", "reason"),
    [
        ([Schema("s", FIRST.replace("BIGINT", "TEXT") + SECOND)], "step 1 of the schema s is not the one"),
        ([Schema("s", FIRST)], "newer version of Cumulet .schema s, step 2"),
        ([Schema("other", "-- 1: o\nCREATE TABLE o (id BIGINT PRIMARY KEY);\n")], "newer version of Cumulet .schema s"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_unchanged(tmp_path: Path, later: list[Schema], reason: str) -> None:
    open_with(tmp_path, Schema("s", FIRST + SECOND))
    before = contents(tmp_path)

    with pytest.raises(StoreError, match=f"{reason}.*nothing was changed"):
        open_with(tmp_path, *later)

    assert contents(tmp_path) == before


def test_a_block_that_fails_undoes_those_that_were_missing_too(tmp_path: Path) -> None:
    open_with(tmp_path, Schema("s", FIRST))
    other = Schema("other", "-- 1: o\nCREATE TABLE others (id BIGINT PRIMARY KEY);\n")

    with pytest.raises(StoreError, match="no such table: missing"):
        open_with(tmp_path, other, Schema("s", FIRST + BROKEN))

    assert open_with(tmp_path, Schema("s", FIRST)) == []
    assert open_with(tmp_path, other, Schema("s", FIRST + SECOND)) == [(1, "a")]


@pytest.mark.parametrize("text", ["-- 2: b\nSELECT 1;\n", FIRST + FIRST, "CREATE TABLE lost (x TEXT);\n" + FIRST])
def test_blocks_that_are_not_numbered_in_order_are_a_programming_error(text: str) -> None:
    with pytest.raises(ValueError, match="must be numbered"):
        _ = Schema("s", text).blocks


def test_a_schema_is_read_from_its_package() -> None:
    schema = Schema.of_package("cumulet.store")

    assert schema.name == "store"
    assert schema.blocks[0].description == "the store's own tables"
