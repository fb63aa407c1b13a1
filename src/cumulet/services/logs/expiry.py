"""Deleting events that are older than their group keeps them, as steps."""

from __future__ import annotations

from collections import Counter

from cumulet.services.logs import events, groups
from cumulet.services.logs.removals import DELETE_UP_TO_IN_GROUP
from cumulet.store import Tx

STEP_EVENTS = 200

SELECT_OLDEST = "SELECT occurred_at FROM logs_events WHERE group_id = ? ORDER BY occurred_at, id LIMIT 1"
SELECT_EXPIRED = """
SELECT occurred_at, id, stream_id, message FROM logs_events WHERE group_id = ? AND occurred_at < ?
ORDER BY occurred_at, id LIMIT ?"""
LESS_STORED_IN_STREAM = "UPDATE logs_streams SET stored_bytes = stored_bytes - ? WHERE id = ?"


def oldest_ms(tx: Tx, group_id: int) -> int | None:
    """Return the time of a group's oldest event."""
    row = tx.one(SELECT_OLDEST, group_id)
    return row[0] if row else None


def step(tx: Tx, group_id: int, before_ms: int) -> None:
    """Delete some of a group's events from before a time."""
    rows = tx.all(SELECT_EXPIRED, group_id, before_ms, STEP_EVENTS)
    if not rows:
        return
    # A deleted stream's bytes were taken off the group with it.
    in_streams: Counter[int] = Counter()
    for _, _, stream_id, message in rows:
        in_streams[stream_id] += events.size_bytes(message)
    in_group = 0
    for stream_id, stored in in_streams.items():
        if tx.run(LESS_STORED_IN_STREAM, stored, stream_id):
            in_group += stored
    groups.store_less(tx, group_id, in_group)
    tx.run(DELETE_UP_TO_IN_GROUP, group_id, rows[-1][0], rows[-1][1])
