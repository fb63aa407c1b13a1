"""A look at the database before it is opened: one that is damaged or not ours to open is refused as it lies.

Opening a database in the usual way writes: it makes or empties files beside it. The look uses plain reads and a
connection that keeps all its state in memory. It is bounded: of a large database only the roots of the tables are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import apsw

from cumulet.store.errors import StoreError, damaged
from cumulet.store.migrations import check
from cumulet.store.schema import Schema

_MAGIC = b"SQLite format 3\0"
# A database of up to this size is read as a whole, which takes a few milliseconds.
_READ_AS_A_WHOLE_BYTES = 4 * 1024 * 1024


def inspect(file: Path, schemas: Sequence[Schema]) -> None:
    """Raise StoreError, with nothing changed, when `file` is damaged or has other tables; it may be missing."""
    log = file.with_name(f"{file.name}-wal")
    has_log = _size_bytes(log) > 0
    size_bytes = _size_bytes(file)
    if size_bytes == 0:
        if has_log:
            raise StoreError(
                f"{file} is missing or empty, but its log {log.name} is not; nothing was changed. "
                f"Restore the folder {file.parent} from a copy, or move it away to start empty."
            )
        return
    if _size_bytes(file.with_name(f"{file.name}-journal")) > 0:
        # The first start was interrupted while it wrote the first page; SQLite takes that back.
        return
    with file.open("rb") as opened:
        if opened.read(len(_MAGIC)) != _MAGIC:
            raise damaged(file, "not a database")
    connection = _connect(file, has_log=has_log)
    try:
        _check(connection, file, size_bytes)
        check(connection, schemas, file.parent)
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise damaged(file, error) from error
    finally:
        connection.close()


def _size_bytes(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _connect(file: Path, *, has_log: bool) -> apsw.Connection:
    """Open `file` so that nothing is written, neither now nor at the end."""
    if not has_log:
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        return apsw.Connection(f"file:{quote(str(file.absolute()))}?immutable=1", flags=flags)
    connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    # Alone with the file, SQLite keeps the index of the log in memory and not in a file.
    connection.pragma("locking_mode", "EXCLUSIVE")
    return connection


def _check(connection: apsw.Connection, file: Path, size_bytes: int) -> None:
    connection.pragma("schema_version")
    if size_bytes <= _READ_AS_A_WHOLE_BYTES:
        found = connection.execute("PRAGMA quick_check(1)").get
        if found != "ok":
            raise damaged(file, " ".join(str(found).split()))
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone()
