"""Log events: writing them, reading them by time, and what each is called.

The order of events is that of their time, of one moment that in which they came. A `Position` in it is the time and
number of an event; `(time, 0)` is before all events of that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cumulet.store import Tx

OVERHEAD_BYTES = 26
"""CloudWatch Logs: what counts for an event beside its message."""
LARGEST_EVENT_BYTES = 1_048_576
"""CloudWatch Logs: message and overhead of one event."""
LATEST_MS = 2**62
"""Later than any event; what fits a BIGINT with one to spare."""
NUMBER_BITS = 144
"""AWS's event ids have the time above as many bits."""

INSERT_EVENT = """
INSERT INTO logs_events (group_id, occurred_at, id, stream_id, ingested_at, message) VALUES (?, ?, ?, ?, ?, ?)"""
TOUCH_STREAM = """
UPDATE logs_streams SET last_event_at = CASE WHEN last_event_at < ? THEN ? ELSE last_event_at END,
    last_ingested_at = ?, stored_bytes = stored_bytes + ?
WHERE id = ?"""
TOUCH_GROUP = "UPDATE logs_groups SET stored_bytes = stored_bytes + ? WHERE id = ?"
EVENT_COLUMNS = "occurred_at, id, stream_id, ingested_at, message"
SELECT_OF_STREAM = f"""
SELECT {EVENT_COLUMNS} FROM logs_events WHERE stream_id = ? AND (occurred_at, id) > (?, ?) AND occurred_at <= ?
ORDER BY occurred_at, id LIMIT ?"""
SELECT_OF_STREAM_BACKWARDS = f"""
SELECT {EVENT_COLUMNS} FROM logs_events WHERE stream_id = ? AND (occurred_at, id) < (?, ?) AND occurred_at >= ?
ORDER BY occurred_at DESC, id DESC LIMIT ?"""
SELECT_OF_GROUP = f"""
SELECT {EVENT_COLUMNS} FROM logs_events WHERE group_id = ? AND (occurred_at, id) > (?, ?) AND occurred_at <= ?
ORDER BY occurred_at, id LIMIT ?"""
SELECT_OF_GROUP_BACKWARDS = f"""
SELECT {EVENT_COLUMNS} FROM logs_events WHERE group_id = ? AND (occurred_at, id) < (?, ?) AND occurred_at >= ?
ORDER BY occurred_at DESC, id DESC LIMIT ?"""

NewEvent = tuple[int, str]
"""Time in milliseconds since 1970, message."""
Position = tuple[int, int]


class Event(NamedTuple):
    """One log event as it is on disk, in the order of `EVENT_COLUMNS`."""

    occurred_ms: int
    id: int
    stream_id: int
    ingested_ms: int
    message: str

    @property
    def position(self) -> Position:
        """Where the event is."""
        return self.occurred_ms, self.id

    @property
    def size_bytes(self) -> int:
        """What the event counts towards limits."""
        return size_bytes(self.message)


class Span(NamedTuple):
    """A part of the order of events, read in one direction."""

    first_ms: int
    last_ms: int
    """Included, like `first_ms`."""
    is_backwards: bool
    after: Position | None = None
    """Events behind this one, in the direction; None for all."""

    @property
    def start(self) -> Position:
        """The position behind which reading begins."""
        if self.after is not None:
            return self.after
        return (self.last_ms + 1, 0) if self.is_backwards else (self.first_ms, 0)


def append(tx: Tx, group_id: int, stream_id: int, new: Sequence[NewEvent], new_bytes: int, now_ms: int) -> bool:
    """Append events to a stream; False when the stream or its group is gone.

    Of a deleted group a stream's row may still be there and be touched: it is about to be collected.
    """
    last_ms = max(occurred_ms for occurred_ms, _ in new)
    run, next_id = tx.run, tx.next_id
    if not run(TOUCH_STREAM, last_ms, last_ms, now_ms, new_bytes, stream_id):
        return False
    if not run(TOUCH_GROUP, new_bytes, group_id):
        return False
    for occurred_ms, message in new:
        run(INSERT_EVENT, group_id, occurred_ms, next_id(), stream_id, now_ms, message)
    return True


def of_stream(tx: Tx, stream_id: int, span: Span, limit: int) -> list[Event]:
    """Return up to `limit` events of a stream."""
    sql, bound = (SELECT_OF_STREAM_BACKWARDS, span.first_ms) if span.is_backwards else (SELECT_OF_STREAM, span.last_ms)
    return [Event._make(row) for row in tx.all(sql, stream_id, *span.start, bound, limit)]


def of_group(tx: Tx, group_id: int, span: Span, limit: int) -> list[Event]:
    """Return up to `limit` events of a group, also those of deleted streams that are still to be collected."""
    sql, bound = (SELECT_OF_GROUP_BACKWARDS, span.first_ms) if span.is_backwards else (SELECT_OF_GROUP, span.last_ms)
    return [Event._make(row) for row in tx.all(sql, group_id, *span.start, bound, limit)]


def size_bytes(message: str) -> int:
    """Return what an event with this message counts towards limits."""
    return OVERHEAD_BYTES + (len(message) if message.isascii() else len(message.encode()))


def event_id(position: Position) -> str:
    """Return the id that clients see: 56 digits that sort as events do."""
    occurred_ms, number = position
    return f"{occurred_ms << NUMBER_BITS | number:056d}"


def position_of(event_id: str) -> Position | None:
    """Return the position that an id stands for, None when it stands for none."""
    occurred_ms, number = divmod(int(event_id), 1 << NUMBER_BITS)
    return (occurred_ms, number) if occurred_ms <= LATEST_MS + 1 and number < 2**63 else None
