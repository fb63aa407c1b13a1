"""The platform's own settings that outlive a restart, such as the time of a virtual clock."""

from __future__ import annotations

from cumulet.store import Tx

SELECT = "SELECT value FROM settings WHERE key = ?"
UPSERT = "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


def get(tx: Tx, key: str) -> str | None:
    """Return the value of `key`, or None if it was never set."""
    row = tx.one(SELECT, key)
    return None if row is None else str(row[0])


def put(tx: Tx, key: str, value: str) -> None:
    """Set `key` to `value`."""
    tx.run(UPSERT, key, value)
