"""What can go wrong between the store and its disk, in words for the person who has to repair it."""

from __future__ import annotations

from pathlib import Path

import apsw


class StoreError(Exception):
    """The data folder can't be opened. One line: what happened, where, and what to do."""


def damaged(file: Path, reason: object) -> StoreError:
    """Return the refusal of a damaged file."""
    return StoreError(
        f"{file} is damaged ({reason}); nothing was changed. "
        f"Restore the folder {file.parent} from a copy, or move it away to start empty."
    )


def refused(error: apsw.Error, folder: Path) -> StoreError:
    """Return why the engine could not open the database in `folder`."""
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return damaged(folder / "cumulet.db", error)
    if isinstance(error, apsw.FullError) or getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE:
        return StoreError(disk_full(folder))
    if isinstance(error, apsw.BusyError):
        return StoreError(f"another program has the database in {folder} open; close it and try again")
    return StoreError(f"the data folder {folder} can't be opened ({error}); check its disk and its permissions")


def disk_full(folder: Path) -> str:
    """Return what a client or an operator reads when the disk is full."""
    return f"the disk of the data folder {folder} is full; nothing was written. Free some space and try again."


def busy(folder: Path) -> str:
    """Return what a client reads when a foreign program holds the database's lock."""
    return f"another program is writing to the database in {folder}; nothing was written. Stop it and try again."


def disk_failed(folder: Path, error: BaseException) -> str:
    """Return why the store takes no writes any more: what the disk holds of the last ones is unknown."""
    return (
        f"the disk of the data folder {folder} failed ({error}); no writes are taken until a restart. "
        "Check the disk, then restart."
    )


def unreadable(folder: Path, error: BaseException) -> str:
    """Return what a client reads when the disk failed to deliver a page."""
    return f"the disk of the data folder {folder} could not be read ({error}). Check the disk."


def found_damage(folder: Path, error: BaseException) -> str:
    """Return why the store takes no writes after it met a damaged page."""
    return (
        f"the database in {folder} is damaged ({error}); no writes are taken. "
        "Stop, then restore the folder from a copy."
    )
