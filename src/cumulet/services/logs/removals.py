"""Collecting the rows of deleted groups and streams, step by step from what is on disk."""

from __future__ import annotations

from typing import NamedTuple

from cumulet.store import Tx

STEP_EVENTS = 500
STEP_STREAMS = 200

INSERT_REMOVAL = "INSERT INTO logs_removals (id, group_id, stream_id) VALUES (?, ?, ?)"
SELECT_REMOVALS = "SELECT id, group_id, stream_id FROM logs_removals ORDER BY id"
DELETE_REMOVAL = "DELETE FROM logs_removals WHERE id = ?"
SELECT_STEP_OF_GROUP = "SELECT occurred_at, id FROM logs_events WHERE group_id = ? ORDER BY occurred_at, id LIMIT ?"
SELECT_STEP_OF_STREAM = "SELECT occurred_at, id FROM logs_events WHERE stream_id = ? ORDER BY occurred_at, id LIMIT ?"
DELETE_UP_TO_IN_GROUP = "DELETE FROM logs_events WHERE group_id = ? AND (occurred_at, id) <= (?, ?)"
DELETE_UP_TO_IN_STREAM = "DELETE FROM logs_events WHERE stream_id = ? AND (occurred_at, id) <= (?, ?)"
SELECT_SOME_STREAMS = "SELECT id FROM logs_streams WHERE group_id = ? LIMIT ?"
DELETE_COLLECTED_STREAM = "DELETE FROM logs_streams WHERE id = ?"


class Removal(NamedTuple):
    """A deleted group, or a deleted stream of it."""

    id: int
    group_id: int
    stream_id: int | None


def remember(tx: Tx, group_id: int, stream_id: int | None) -> None:
    """Note that a group's rows, or only a stream's, are to be collected."""
    tx.run(INSERT_REMOVAL, tx.next_id(), group_id, stream_id)


def pending(tx: Tx) -> list[Removal]:
    """Return what is to be collected."""
    return [Removal(*row) for row in tx.all(SELECT_REMOVALS)]


def step(tx: Tx, removal: Removal) -> bool:
    """Delete some rows; True when none is left."""
    if removal.stream_id is not None:
        is_done = _delete_events(tx, SELECT_STEP_OF_STREAM, DELETE_UP_TO_IN_STREAM, removal.stream_id)
    else:
        is_done = _delete_events(tx, SELECT_STEP_OF_GROUP, DELETE_UP_TO_IN_GROUP, removal.group_id)
        if is_done:
            streams = tx.all(SELECT_SOME_STREAMS, removal.group_id, STEP_STREAMS)
            for (stream_id,) in streams:
                tx.run(DELETE_COLLECTED_STREAM, stream_id)
            is_done = len(streams) < STEP_STREAMS
    if is_done:
        tx.run(DELETE_REMOVAL, removal.id)
    return is_done


def _delete_events(tx: Tx, select: str, delete: str, owner_id: int) -> bool:
    rows = tx.all(select, owner_id, STEP_EVENTS)
    if rows:
        tx.run(delete, owner_id, *rows[-1])
    return len(rows) < STEP_EVENTS
