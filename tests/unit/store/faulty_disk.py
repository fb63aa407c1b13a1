"""A disk that fails on command: an SQLite VFS that raises instead of writing or syncing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw


class FaultyDisk(apsw.VFS):
    """Passes everything on, except that `write_error` and `sync_error` are raised for files ending in `ending`."""

    def __init__(self, name: str) -> None:
        super().__init__(name, base="")
        self.name = name
        self.ending = "-wal"
        self.write_error: apsw.Error | None = None
        self.sync_error: apsw.Error | None = None

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return FaultyFile(self, name, flags)


class FaultyFile(apsw.VFSFile):
    """A real file on a faulty disk."""

    def __init__(self, disk: FaultyDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._disk.write_error is not None and self._path.endswith(self._disk.ending):
            raise self._disk.write_error
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self._disk.sync_error is not None and self._path.endswith(self._disk.ending):
            raise self._disk.sync_error
        super().xSync(flags)


@contextmanager
def faulty_disk() -> Iterator[FaultyDisk]:
    """Register a disk for the time of a test."""
    disk = FaultyDisk("faulty")
    try:
        yield disk
    finally:
        disk.unregister()


def failed(kind: type[apsw.Error], extended_result: int) -> apsw.Error:
    """Return an error as SQLite's own VFS reports it."""
    error = kind("on purpose")
    vars(error).update(result=extended_result & 0xFF, extendedresult=extended_result)
    return error
