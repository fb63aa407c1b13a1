"""FIFO queues: exactly once, and in order within each message group.

A group has a row that says when its first message is visible, so a receive finds the groups that are free without
looking at those that are not, however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from cumulet.services.sqs import dead_letters
from cumulet.services.sqs.backlog import (
    DELETE_MESSAGE,
    INSERT_GROUP,
    MARK_RECEIVED,
    MESSAGE_COLUMNS,
    SELECT_LEASED,
    Lease,
    Received,
    count_in_flight,
    insert,
    received_message,
)
from cumulet.services.sqs.handles import Handle, HandleExpired
from cumulet.services.sqs.message import NewMessage
from cumulet.services.sqs.queues import Queue
from cumulet.store import Tx

DEDUPLICATION_MS = 300_000
"""SQS: the deduplication interval is 5 minutes."""
FIRST_SEQUENCE_NUMBER = 10**19
"""SQS: a sequence number has 20 digits and grows within a group."""
LONGEST_DELAY_MS = 900_000
"""SQS: a delay is at most 15 minutes."""
MOST_ROUNDS = 10
"""How often a receive looks again at a group whose first messages were all expired or dead."""

SELECT_DUPLICATE = """
SELECT message_id, sequence FROM sqs_deduplications
WHERE backlog_id = ? AND scope = ? AND deduplication_id = ? AND expires_at > ?"""
INSERT_DEDUPLICATION = """
INSERT INTO sqs_deduplications (backlog_id, scope, deduplication_id, expires_at, message_id, sequence)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (backlog_id, scope, deduplication_id) DO UPDATE
SET expires_at = excluded.expires_at, message_id = excluded.message_id, sequence = excluded.sequence"""
SELECT_EXPIRED_DEDUPLICATIONS = """
SELECT backlog_id, scope, deduplication_id FROM sqs_deduplications WHERE expires_at <= ? ORDER BY expires_at LIMIT 2"""
DELETE_DEDUPLICATION = "DELETE FROM sqs_deduplications WHERE backlog_id = ? AND scope = ? AND deduplication_id = ?"
UPDATE_GROUP = "UPDATE sqs_groups SET available_at = ?, turn = ? WHERE backlog_id = ? AND group_id = ?"
DELETE_GROUP = "DELETE FROM sqs_groups WHERE backlog_id = ? AND group_id = ?"
SELECT_FREE_GROUPS = """
SELECT group_id FROM sqs_groups WHERE backlog_id = ? AND available_at <= ? ORDER BY available_at, turn LIMIT ?"""
SELECT_NEXT_GROUP = "SELECT available_at FROM sqs_groups WHERE backlog_id = ? ORDER BY available_at, turn LIMIT 1"
SELECT_FIRST_OF_GROUP = f"""
SELECT {MESSAGE_COLUMNS}, visible_at
FROM sqs_messages WHERE backlog_id = ? AND group_id = ? ORDER BY id LIMIT ?"""
SELECT_HEAD_OF_GROUP = """
SELECT visible_at FROM sqs_messages WHERE backlog_id = ? AND group_id = ? ORDER BY id LIMIT 1"""

UPDATE_DELAYS = """
UPDATE sqs_messages SET visible_at = sent_at + ? WHERE backlog_id = ? AND sent_at > ? AND in_flight = 0"""
SELECT_GROUPS_OF_RECENT = """
SELECT DISTINCT group_id FROM sqs_messages WHERE backlog_id = ? AND sent_at > ? AND in_flight = 0"""


def sequence_number(message_number: int) -> str:
    """Return the SequenceNumber of a message."""
    return str(FIRST_SEQUENCE_NUMBER + message_number)


def put(tx: Tx, queue: Queue, message: NewMessage, now_ms: int) -> tuple[str, int, int | None]:
    """Append a message to its group; return its id, its number, and when it becomes visible.

    SQS: what was accepted within 5 minutes with the same deduplication id is accepted again and not delivered: then
    the id and number are those of the first, and the moment is None.
    """
    scope = message.group_id if queue.settings.deduplicates_by_group else ""
    duplicate = tx.one(SELECT_DUPLICATE, queue.backlog_id, scope, message.deduplication_id, now_ms)
    if duplicate:
        return duplicate[0], duplicate[1], None
    for expired in tx.all(SELECT_EXPIRED_DEDUPLICATIONS, now_ms):
        tx.run(DELETE_DEDUPLICATION, *expired)
    number = tx.next_id()
    expires_ms = now_ms + DEDUPLICATION_MS
    tx.run(INSERT_DEDUPLICATION, queue.backlog_id, scope, message.deduplication_id, expires_ms, message.id, number)
    visible_ms = now_ms + queue.settings.delay_seconds * 1000
    insert(tx, queue, message, number, now_ms, visible_ms)
    tx.run(INSERT_GROUP, queue.backlog_id, message.group_id, visible_ms, number)
    return message.id, number, visible_ms


def put_again(tx: Tx, queue: Queue, messages: Sequence[NewMessage], now_ms: int) -> int:
    """Append messages to their groups, and let no duplicate be one of them; return when they become visible."""
    visible_ms = now_ms + queue.settings.delay_seconds * 1000
    turns: dict[str | None, int] = {}
    for message in messages:
        number = tx.next_id()
        insert(tx, queue, message, number, now_ms, visible_ms)
        turns.setdefault(message.group_id, number)
    for group_id, number in turns.items():
        tx.run(INSERT_GROUP, queue.backlog_id, group_id, visible_ms, number)
    return visible_ms


def receive(tx: Tx, queue: Queue, lease: Lease) -> Received:
    """Take up to `lease.most` messages of free groups out of sight until `lease.until_ms`, as many of one group
    as there are before the next.

    SQS: a message is not received before those ahead of it in its group; with 120,000 messages in flight nothing is
    returned.
    """
    received = Received(lease.receipt)
    if lease.limit:
        received.in_flight = count_in_flight(tx, queue, lease.now_ms)
        if received.in_flight >= lease.limit:
            return received
        lease = replace(lease, most=min(lease.most, lease.limit - received.in_flight))
    for (group_id,) in tx.all(SELECT_FREE_GROUPS, queue.backlog_id, lease.now_ms, lease.most):
        for _ in range(MOST_ROUNDS):
            if not _receive_group(tx, queue, lease, group_id, received):
                break
        refresh_group(tx, queue.backlog_id, group_id, lease.now_ms)
        if len(received.messages) == lease.most:
            break
    if not received.messages:
        first = tx.one(SELECT_NEXT_GROUP, queue.backlog_id)
        received.next_due_ms = first[0] if first else None
    return received


def _receive_group(tx: Tx, queue: Queue, lease: Lease, group_id: str, received: Received) -> bool:
    """Receive from the head of a group; True when only expired or dead messages were there, and maybe more are."""
    settings = queue.settings
    expired_before = lease.now_ms - settings.retention_ms
    rows = tx.all(SELECT_FIRST_OF_GROUP, queue.backlog_id, group_id, lease.most - len(received.messages))
    for *columns, visible_ms in rows:
        message = received_message(columns, lease.now_ms)
        if message.sent_ms <= expired_before:
            tx.run(DELETE_MESSAGE, message.id, queue.backlog_id)
            continue
        if visible_ms > lease.now_ms:
            return False
        if settings.gives_up_after(message.receive_count) and dead_letters.bury(
            tx, queue, message, lease.now_ms, received
        ):
            continue
        tx.run(MARK_RECEIVED, lease.until_ms, lease.receipt, lease.now_ms, lease.now_ms, message.id)
        received.messages.append(message)
    return bool(rows) and not received.messages


def remove(tx: Tx, queue: Queue, handle: Handle, now_ms: int) -> None:
    """Delete the message and let its group go on.

    SQS: with a receipt handle whose visibility timeout has passed a message can't be deleted (`HandleExpired`); a
    message that is gone already is no error.
    """
    row = tx.one(SELECT_LEASED, handle.message_number, queue.backlog_id)
    if row is None:
        return
    receipt, visible_ms, _, group_id = row
    if receipt != handle.receipt or visible_ms <= now_ms:
        raise HandleExpired
    tx.run(DELETE_MESSAGE, handle.message_number, queue.backlog_id)
    refresh_group(tx, queue.backlog_id, group_id, now_ms)


def refresh_group(tx: Tx, backlog_id: int, group_id: str, now_ms: int) -> None:
    """Say anew when the group may be received from, after its first messages have changed.

    It goes behind all groups that are free now, however old its messages are: groups take turns.
    """
    head = tx.one(SELECT_HEAD_OF_GROUP, backlog_id, group_id)
    if head is None:
        tx.run(DELETE_GROUP, backlog_id, group_id)
    else:
        tx.run(UPDATE_GROUP, max(head[0], now_ms), tx.next_id(), backlog_id, group_id)


def apply_delay(tx: Tx, queue: Queue, now_ms: int) -> None:
    """Let a changed delay hold for the messages that wait already.

    SQS: on a FIFO queue the queue's delay is retroactive.
    """
    delay_ms = queue.settings.delay_seconds * 1000
    tx.run(UPDATE_DELAYS, delay_ms, queue.backlog_id, now_ms - LONGEST_DELAY_MS)
    for (group_id,) in tx.all(SELECT_GROUPS_OF_RECENT, queue.backlog_id, now_ms - LONGEST_DELAY_MS):
        refresh_group(tx, queue.backlog_id, group_id, now_ms)
