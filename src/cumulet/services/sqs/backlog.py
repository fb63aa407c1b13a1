"""The messages of a queue as rows: what standard and FIFO queues share.

They belong to the queue's backlog, not to the queue: purge and delete give that up in one short transaction, however
many there are, and its rows are collected in steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cumulet.services.sqs.message import NewMessage
from cumulet.services.sqs.queues import Queue
from cumulet.store import Tx

INSERT_MESSAGE = """
INSERT INTO sqs_messages (id, backlog_id, in_flight, visible_at, receive_count, sent_at, message_id, sender_id,
    group_id, deduplication_id, attributes, attributes_md5, trace_header, body_md5, body)
VALUES (?, ?, 0, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
MESSAGE_COLUMNS = """id, receive_count + 1, first_received_at, sent_at, message_id, sender_id, group_id,
    deduplication_id, source_arn, attributes, attributes_md5, trace_header, body_md5, body"""
SELECT_RECEIVABLE = f"""
SELECT {MESSAGE_COLUMNS}
FROM sqs_messages WHERE backlog_id = ? AND in_flight = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?"""
SELECT_NEXT_DUE = """
SELECT visible_at FROM sqs_messages WHERE backlog_id = ? AND in_flight = ? ORDER BY visible_at, id LIMIT 1"""
MARK_RECEIVED = """
UPDATE sqs_messages SET in_flight = 1, visible_at = ?, receipt = ?, received_at = ?, receive_count = receive_count + 1,
    first_received_at = COALESCE(first_received_at, ?)
WHERE id = ?"""
UPDATE_VISIBLE_AT = "UPDATE sqs_messages SET visible_at = ? WHERE id = ?"
SELECT_LEASED = """
SELECT receipt, visible_at, received_at, group_id FROM sqs_messages WHERE id = ? AND backlog_id = ?"""
DELETE_MESSAGE = "DELETE FROM sqs_messages WHERE id = ? AND backlog_id = ?"
COUNT_DUE = "SELECT COUNT(*) FROM sqs_messages WHERE backlog_id = ? AND in_flight = ? AND visible_at <= ?"
COUNT_HIDDEN = "SELECT COUNT(*) FROM sqs_messages WHERE backlog_id = ? AND in_flight = ? AND visible_at > ?"
INSERT_GROUP = """
INSERT INTO sqs_groups (backlog_id, group_id, available_at, turn) VALUES (?, ?, ?, ?)
ON CONFLICT (backlog_id, group_id) DO NOTHING"""
SELECT_OLDEST = "SELECT sent_at FROM sqs_messages WHERE backlog_id = ? ORDER BY sent_at LIMIT 1"


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """What one ReceiveMessage asks for."""

    most: int
    now_ms: int
    until_ms: int
    """When the messages become visible again."""
    receipt: int
    """The token that ties the receipt handles to this receive."""
    limit: int
    """How many messages may be in flight; 0 where the caller knows that they are fewer."""


class ReceivedMessage(msgspec.Struct, kw_only=False):
    """A message as a consumer gets it; `receive_count` counts this receive too."""

    id: int
    receive_count: int
    first_received_ms: int
    sent_ms: int
    message_id: str
    sender_id: str
    group_id: str | None
    deduplication_id: str | None
    source_arn: str | None
    attributes: str | None
    attributes_md5: str | None
    trace_header: str | None
    body_md5: str
    body: str


class Received(msgspec.Struct):
    """What one receive did."""

    receipt: int
    """The token of the receive that the messages belong to."""
    messages: list[ReceivedMessage] = msgspec.field(default_factory=list)
    next_due_ms: int | None = None
    """When something may be received next: the messages again, or where there are none, what is hidden now."""
    buried_in: dict[int, tuple[Queue, int]] = msgspec.field(default_factory=dict)
    """By id: the dead-letter queues that got messages, and when the oldest of these was sent."""
    in_flight: int | None = None
    """How many messages were in flight before, where that was counted."""


class Counts(msgspec.Struct, frozen=True):
    """How many messages a queue holds."""

    visible: int
    in_flight: int
    delayed: int


def insert(tx: Tx, queue: Queue, message: NewMessage, message_number: int, now_ms: int, visible_ms: int) -> None:
    """Write a new message."""
    tx.run(
        INSERT_MESSAGE,
        message_number,
        queue.backlog_id,
        visible_ms,
        now_ms,
        message.id,
        message.sender_id,
        message.group_id,
        message.deduplication_id,
        message.attributes,
        message.attributes_md5,
        message.trace_header,
        message.body_md5,
        message.body,
    )


def received_message(row: Sequence[Any], now_ms: int) -> ReceivedMessage:
    """Return the message of a SELECT_RECEIVABLE row."""
    message = ReceivedMessage(*row)
    if message.first_received_ms is None:
        message.first_received_ms = now_ms
    return message


def count(tx: Tx, queue: Queue, now_ms: int) -> Counts:
    """Return how many messages are visible, in flight and delayed."""
    backlog = queue.backlog_id
    return Counts(
        visible=_number(tx, COUNT_DUE, backlog, 0, now_ms) + _number(tx, COUNT_DUE, backlog, 1, now_ms),
        in_flight=count_in_flight(tx, queue, now_ms),
        delayed=_number(tx, COUNT_HIDDEN, backlog, 0, now_ms),
    )


def count_in_flight(tx: Tx, queue: Queue, now_ms: int) -> int:
    """Return how many messages are in flight."""
    return _number(tx, COUNT_HIDDEN, queue.backlog_id, 1, now_ms)


def oldest_sent_ms(tx: Tx, queue: Queue) -> int | None:
    """Return when the queue's oldest message was sent."""
    row = tx.one(SELECT_OLDEST, queue.backlog_id)
    return row[0] if row else None


def _number(tx: Tx, sql: str, *values: int) -> int:
    row = tx.one(sql, *values)
    assert row is not None
    return int(row[0])
