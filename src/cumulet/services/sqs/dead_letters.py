"""Dead-letter queues: where a message goes that was received too often."""

from __future__ import annotations

from cumulet.kernel.arns import parse_arn
from cumulet.services.sqs import queues
from cumulet.services.sqs.backlog import INSERT_GROUP, Received, ReceivedMessage
from cumulet.services.sqs.queues import Queue
from cumulet.store import Tx

MOVE_TO_STANDARD = """
UPDATE sqs_messages SET id = ?, backlog_id = ?, in_flight = 0, visible_at = ?, receipt = NULL, source_arn = ?
WHERE id = ?"""
MOVE_TO_FIFO = """
UPDATE sqs_messages SET id = ?, backlog_id = ?, in_flight = 0, visible_at = ?, receipt = NULL, source_arn = ?,
    sent_at = ?, deduplication_id = message_id
WHERE id = ?"""


def bury(tx: Tx, queue: Queue, message: ReceivedMessage, now_ms: int, received: Received) -> bool:
    """Move a message to the dead-letter queue of its queue; False when there is no such queue.

    A queue that is its own dead-letter queue, or whose dead-letter queue has just given the message up, keeps it:
    it would go round and round without ever being delivered.
    SQS: on a standard queue the message keeps the time when it was sent, so its retention goes on counting; on a
    FIFO queue that time starts anew, and the message id becomes the deduplication id.
    """
    arn = parse_arn(queue.settings.dead_letter_arn or "")
    target = queues.find(tx, arn.account, arn.region, arn.resource) if arn else None
    if target is None or target.is_fifo != queue.is_fifo or target.id == queue.id or target.arn == message.source_arn:
        return False
    number = tx.next_id()
    sent_ms = now_ms if target.is_fifo else message.sent_ms
    if target.is_fifo:
        tx.run(MOVE_TO_FIFO, number, target.backlog_id, now_ms, queue.arn, now_ms, message.id)
        tx.run(INSERT_GROUP, target.backlog_id, message.group_id, now_ms, number)
    else:
        tx.run(MOVE_TO_STANDARD, number, target.backlog_id, now_ms, queue.arn, message.id)
    _, oldest_sent_ms = received.buried_in.get(target.id, (target, sent_ms))
    received.buried_in[target.id] = target, min(sent_ms, oldest_sent_ms)
    return True
