"""ChangeMessageVisibility: a consumer keeps a message longer, or gives it back."""

from __future__ import annotations

from cumulet.services.sqs import attempts, fifo
from cumulet.services.sqs.backlog import SELECT_LEASED, UPDATE_VISIBLE_AT
from cumulet.services.sqs.errors import invalid_value
from cumulet.services.sqs.handles import Handle, HandleExpired
from cumulet.services.sqs.queues import Queue
from cumulet.store import Tx

TIMEOUT_SECONDS = (0, 43_200)
"""SQS: a message can be out of sight for at most 12 hours, counted from its receive."""


def change(tx: Tx, queue: Queue, handle: Handle, timeout_seconds: int, now_ms: int) -> int | None:
    """Make the message visible again after `timeout_seconds` from now; return that moment, None if nothing changed.

    SQS (recorded): on a standard queue a message that is visible again stays so, without an error; on a FIFO queue
    its handle has expired (`HandleExpired`).
    """
    row = tx.one(SELECT_LEASED, handle.message_number, queue.backlog_id)
    if row is None or row[0] is None:
        raise invalid_value(
            handle.text,
            "ReceiptHandle",
            "Message does not exist or is not available for visibility timeout change.",
        )
    receipt, visible_ms, received_ms, group_id = row
    is_over = visible_ms <= now_ms
    if queue.is_fifo and (is_over or receipt != handle.receipt):
        raise HandleExpired
    if is_over:
        return None
    until_ms: int = now_ms + timeout_seconds * 1000
    if until_ms > received_ms + TIMEOUT_SECONDS[1] * 1000:
        raise invalid_value(
            timeout_seconds,
            "VisibilityTimeout",
            f"Total VisibilityTimeout for the message is beyond the limit [{TIMEOUT_SECONDS[1]} seconds].",
        )
    tx.run(UPDATE_VISIBLE_AT, until_ms, handle.message_number)
    if queue.is_fifo:
        attempts.end(tx, queue, receipt)
        fifo.refresh_group(tx, queue.backlog_id, group_id, now_ms)
    return until_ms
