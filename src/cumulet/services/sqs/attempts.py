"""ReceiveRequestAttemptId: a FIFO consumer whose answer was lost asks for the same messages again."""

from __future__ import annotations

import msgspec

from cumulet.services.sqs import fifo
from cumulet.services.sqs.backlog import MESSAGE_COLUMNS, UPDATE_VISIBLE_AT, Lease, Received, received_message
from cumulet.services.sqs.errors import invalid_value
from cumulet.services.sqs.queues import Queue
from cumulet.store import Tx

ATTEMPT_MS = 300_000
"""SQS: an attempt id can be used again for 5 minutes."""

SELECT_ATTEMPT = """
SELECT receipt, message_numbers FROM sqs_receive_attempts
WHERE backlog_id = ? AND attempt_id = ? AND expires_at > ?"""
INSERT_ATTEMPT = """
INSERT INTO sqs_receive_attempts (backlog_id, attempt_id, expires_at, receipt, message_numbers) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (backlog_id, attempt_id) DO UPDATE
SET expires_at = excluded.expires_at, receipt = excluded.receipt, message_numbers = excluded.message_numbers"""
SELECT_EXPIRED = """
SELECT backlog_id, attempt_id FROM sqs_receive_attempts WHERE expires_at <= ? ORDER BY expires_at LIMIT 2"""
END_ATTEMPTS = "UPDATE sqs_receive_attempts SET receipt = 0 WHERE backlog_id = ? AND receipt = ?"
DELETE_ATTEMPT = "DELETE FROM sqs_receive_attempts WHERE backlog_id = ? AND attempt_id = ?"
SELECT_HELD = f"""
SELECT {MESSAGE_COLUMNS} FROM sqs_messages WHERE id = ? AND backlog_id = ? AND receipt = ? AND visible_at > ?"""


def receive(tx: Tx, queue: Queue, lease: Lease, attempt_id: str) -> Received:
    """Receive as `fifo.receive` does, or again what the same attempt received, with the same receipt handles.

    SQS: a repeated attempt begins the visibility timeout anew; once one of its messages has been deleted or has
    changed its visibility, the attempt can't be repeated.
    """
    attempt = tx.one(SELECT_ATTEMPT, queue.backlog_id, attempt_id, lease.now_ms)
    if attempt:
        return _repeat(tx, queue, lease, attempt_id, attempt[0], msgspec.json.decode(attempt[1], type=list[int]))
    for expired in tx.all(SELECT_EXPIRED, lease.now_ms):
        tx.run(DELETE_ATTEMPT, *expired)
    received = fifo.receive(tx, queue, lease)
    if received.messages:
        numbers = msgspec.json.encode([message.id for message in received.messages]).decode()
        tx.run(INSERT_ATTEMPT, queue.backlog_id, attempt_id, lease.now_ms + ATTEMPT_MS, lease.receipt, numbers)
    return received


def end(tx: Tx, queue: Queue, receipt: int) -> None:
    """Let the attempt behind a receive be repeated no more."""
    tx.run(END_ATTEMPTS, queue.backlog_id, receipt)


def _repeat(tx: Tx, queue: Queue, lease: Lease, attempt_id: str, receipt: int, numbers: list[int]) -> Received:
    received = Received(receipt)
    for number in numbers:
        row = tx.one(SELECT_HELD, number, queue.backlog_id, receipt, lease.now_ms)
        if row is None:
            raise invalid_value(
                attempt_id,
                "ReceiveRequestAttemptId",
                "The receiveRequestAttemptId is not valid anymore since the receive call is not retryable.",
            )
        message = received_message(row, lease.now_ms)
        message.receive_count -= 1  # a repeated attempt is the same receive
        received.messages.append(message)
        tx.run(UPDATE_VISIBLE_AT, lease.until_ms, number)
    for group_id in {message.group_id for message in received.messages}:
        assert group_id is not None
        fifo.refresh_group(tx, queue.backlog_id, group_id, lease.now_ms)
    return received
