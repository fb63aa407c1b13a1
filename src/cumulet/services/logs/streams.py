"""Log streams as records: find, create, list, delete."""

from __future__ import annotations

import msgspec

from cumulet.services.logs import groups, removals
from cumulet.services.logs.errors import ResourceAlreadyExistsException, no_such_stream
from cumulet.services.logs.groups import END_OF_TEXT, Group
from cumulet.store import Row, Tx

STREAM_COLUMNS = "id, group_id, name, created_at, last_event_at, last_ingested_at, stored_bytes"
SELECT_STREAM = f"SELECT {STREAM_COLUMNS} FROM logs_streams WHERE group_id = ? AND name = ?"
SELECT_NAME = "SELECT name FROM logs_streams WHERE id = ?"
SELECT_BY_NAME = f"""
SELECT {STREAM_COLUMNS} FROM logs_streams
WHERE group_id = ? AND name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?"""
SELECT_BY_NAME_BACKWARDS = f"""
SELECT {STREAM_COLUMNS} FROM logs_streams
WHERE group_id = ? AND name < ? AND name >= ? AND name < ? ORDER BY name DESC LIMIT ?"""
SELECT_BY_LAST_EVENT = f"""
SELECT {STREAM_COLUMNS} FROM logs_streams
WHERE group_id = ? AND (last_event_at, name) > (?, ?) ORDER BY last_event_at, name LIMIT ?"""
SELECT_BY_LAST_EVENT_BACKWARDS = f"""
SELECT {STREAM_COLUMNS} FROM logs_streams
WHERE group_id = ? AND (last_event_at, name) < (?, ?) ORDER BY last_event_at DESC, name DESC LIMIT ?"""
SELECT_FIRST_EVENT = """
SELECT occurred_at FROM logs_events WHERE stream_id = ? AND occurred_at >= ? ORDER BY occurred_at, id LIMIT 1"""
INSERT_STREAM = """
INSERT INTO logs_streams (id, group_id, name, created_at, last_event_at, last_ingested_at, stored_bytes)
VALUES (?, ?, ?, ?, 0, 0, 0)"""
DELETE_STREAM = "DELETE FROM logs_streams WHERE id = ?"


class Stream(msgspec.Struct, frozen=True):
    """One log stream as it is on disk, in the order of `STREAM_COLUMNS`."""

    id: int
    group_id: int
    name: str
    created_ms: int
    last_event_ms: int
    """The latest time of an event, 0 where there has been none."""
    last_ingested_ms: int
    stored_bytes: int


def find(tx: Tx, group_id: int, name: str) -> Stream | None:
    """Return the stream of that name, or None."""
    return _from_row(tx.one(SELECT_STREAM, group_id, name))


def load(tx: Tx, group_id: int, name: str) -> Stream:
    """Return the stream of that name; raises ResourceNotFoundException."""
    stream = find(tx, group_id, name)
    if stream is None:
        raise no_such_stream()
    return stream


def create(tx: Tx, group_id: int, name: str, now_ms: int) -> Stream:
    """Make a stream; raises ResourceAlreadyExistsException."""
    if find(tx, group_id, name) is not None:
        raise ResourceAlreadyExistsException("The specified log stream already exists")
    stream = Stream(tx.next_id(), group_id, name, now_ms, 0, 0, 0)
    tx.run(INSERT_STREAM, stream.id, group_id, name, now_ms)
    return stream


def delete(tx: Tx, group: Group, name: str) -> None:
    """Delete a stream; its events are gone for everyone at once and collected later."""
    stream = load(tx, group.id, name)
    groups.check_unprotected(group)
    tx.run(DELETE_STREAM, stream.id)
    groups.store_less(tx, group.id, stream.stored_bytes)
    removals.remember(tx, group.id, stream.id)


def names(tx: Tx, stream_ids: list[int]) -> dict[int, str]:
    """Return the names of streams by id, without those that are gone."""
    found = ((stream_id, tx.one(SELECT_NAME, stream_id)) for stream_id in stream_ids)
    return {stream_id: row[0] for stream_id, row in found if row is not None}


def by_name(tx: Tx, group_id: int, prefix: str, after: str | None, limit: int, *, backwards: bool) -> list[Stream]:
    """Return up to `limit` streams whose names begin with `prefix`, those behind `after` in this order."""
    if backwards:
        position, sql = END_OF_TEXT if after is None else after, SELECT_BY_NAME_BACKWARDS
    else:
        position, sql = after or "", SELECT_BY_NAME
    return [Stream(*row) for row in tx.all(sql, group_id, position, prefix, prefix + END_OF_TEXT, limit)]


def by_last_event(tx: Tx, group_id: int, after: tuple[int, str] | None, limit: int, *, backwards: bool) -> list[Stream]:
    """Return up to `limit` streams by the time of their latest event, those behind `after` in this order."""
    if backwards:
        position, sql = after or (2**62, ""), SELECT_BY_LAST_EVENT_BACKWARDS
    else:
        position, sql = after or (-1, ""), SELECT_BY_LAST_EVENT
    return [Stream(*row) for row in tx.all(sql, group_id, *position, limit)]


def first_event_ms(tx: Tx, stream_id: int, from_ms: int) -> int | None:
    """Return the time of the stream's first event that is not before `from_ms`."""
    row = tx.one(SELECT_FIRST_EVENT, stream_id, from_ms)
    return row[0] if row else None


def _from_row(row: Row | None) -> Stream | None:
    return Stream(*row) if row else None
