"""How connections to the database are set up."""

from __future__ import annotations

from pathlib import Path

import apsw

# Twice SQLite's own: a quarter less time for commits and checkpoints with messages of 1 KB.
PAGE_BYTES = 8192
# Every statement of every service stays prepared.
STATEMENTS_KEPT = 1000

_SYNCHRONOUS = {"full": "FULL", "relaxed": "OFF"}
# After a burst the log is cut back to this size when it restarts.
_WAL_KEPT_BYTES = 64 * 1024 * 1024


def connect(file: Path, *, durability: str, cache_kib: int, vfs: str | None) -> apsw.Connection:
    """Open `file`, making it if it is missing. Page cache in memory only: no mmap, no temporary files."""
    connection = apsw.Connection(str(file), vfs=vfs, statementcachesize=STATEMENTS_KEPT)
    # Closing must not change a folder that is refused or whose disk failed; a clean close switches this off.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    # A prepared statement stays prepared: without this, each new value of a range or a limit has it planned again.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    # The log is copied into the database by `checkpoint`, never by the commit that happens to fill it.
    connection.wal_autocheckpoint(0)
    connection.pragma("page_size", PAGE_BYTES)
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", _SYNCHRONOUS[durability])
    connection.pragma("cache_size", -cache_kib)
    connection.pragma("temp_store", "MEMORY")
    connection.pragma("foreign_keys", True)
    # Operations run on the event loop: changed pages wait in memory for COMMIT, which writes them in its thread.
    connection.pragma("cache_spill", False)
    connection.pragma("journal_size_limit", _WAL_KEPT_BYTES)
    return connection


def connect_reader(file: Path, *, cache_kib: int, vfs: str | None) -> apsw.Connection:
    """Open `file`, which exists, so that every statement that would write is refused."""
    connection = connect(file, durability="full", cache_kib=cache_kib, vfs=vfs)
    connection.pragma("query_only", True)
    return connection
