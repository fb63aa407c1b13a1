"""A damaged database is refused, and every byte of the folder stays as it was."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import apsw
import pytest
from notes import NOTES, Run, put, texts

from cumulet.kernel.errors import ServiceUnavailable
from cumulet.store.connection import PAGE_BYTES
from cumulet.store.errors import StoreError
from cumulet.store.sqlite import SqliteStore


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files but the lock, whose content is the process that looks."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


def refusal(folder: Path) -> str:
    """Return why `folder` is refused, after a look that nothing in it changed."""

    async def opened() -> None:
        with pytest.raises(StoreError) as caught:
            SqliteStore.open(folder, schemas=[NOTES])
        messages.append(str(caught.value))

    messages: list[str] = []
    before = contents(folder)
    asyncio.run(opened())
    assert contents(folder) == before
    assert "\n" not in messages[0]
    return messages[0]


@pytest.fixture
def folder(run: Run) -> Path:
    """Return the folder of a store that was closed."""

    async def scenario(store: SqliteStore) -> None:
        await asyncio.gather(*(store.transact(put, str(number), bytes(900)) for number in range(200)))

    run(scenario)
    return run.folder


@pytest.fixture
def crashed_folder(run: Run, tmp_path: Path) -> Path:
    """Return the folder of a store that was killed: its log holds what was acknowledged."""
    copy = tmp_path / "crashed"

    async def scenario(store: SqliteStore) -> None:
        await asyncio.gather(*(store.transact(put, str(number), bytes(900)) for number in range(200)))
        shutil.copytree(run.folder, copy)

    run(scenario)
    return copy


def overwrite(file: Path, offset: int, data: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(offset)
        opened.write(data)


def test_a_file_that_is_no_database_is_refused(folder: Path) -> None:
    overwrite(folder / "cumulet.db", 0, b"something else!!")

    assert f"{folder / 'cumulet.db'} is damaged (not a database)" in refusal(folder)


def test_a_truncated_database_is_refused(folder: Path) -> None:
    file = folder / "cumulet.db"
    file.write_bytes(file.read_bytes()[: 4096 * 3])

    assert "Restore the folder" in refusal(folder)


@pytest.mark.parametrize("page", [0, 1, 2, 5, 20])
def test_an_overwritten_page_is_refused(folder: Path, page: int) -> None:
    overwrite(folder / "cumulet.db", max(100, PAGE_BYTES * page), bytes(range(256)) * 15)

    assert "is damaged" in refusal(folder)


def test_a_damaged_page_below_a_log_is_refused(crashed_folder: Path) -> None:
    """The log is newer than the page and hides it, unless the page is the first."""
    overwrite(crashed_folder / "cumulet.db", 0, b"something else!!")

    assert "is damaged" in refusal(crashed_folder)


def test_a_log_without_its_database_is_refused(crashed_folder: Path) -> None:
    (crashed_folder / "cumulet.db").unlink()

    assert "missing" in refusal(crashed_folder)


def test_a_newer_format_is_refused(folder: Path) -> None:
    overwrite(folder / "cumulet.db", 18, b"\x09\x09")

    assert str(folder) in refusal(folder)


def test_a_sound_log_is_opened(crashed_folder: Path) -> None:
    assert len(Run(crashed_folder)(lambda store: store.read(texts))) == 200


def test_damage_that_is_met_later_ends_writing_and_names_the_folder(run: Run) -> None:
    async def scenario(store: SqliteStore) -> None:
        def read_damaged(tx: object) -> None:
            raise apsw.CorruptError("on purpose")

        with pytest.raises(ServiceUnavailable, match="damaged"):
            await store.read(read_damaged)
        assert str(run.folder) in (store.degraded or "")
        with pytest.raises(ServiceUnavailable, match="damaged"):
            await store.transact(put, "never")

    run(scenario)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    async def opened() -> None:
        with pytest.raises(StoreError, match="Not a directory"):
            SqliteStore.open(tmp_path / "file" / "data", schemas=[])

    asyncio.run(opened())
