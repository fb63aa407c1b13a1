"""Standard queues: at least once, in no promised order; here first what has been visible longest."""

from __future__ import annotations

from msgspec.structs import replace

from cumulet.services.sqs import dead_letters
from cumulet.services.sqs.backlog import (
    DELETE_MESSAGE,
    MARK_RECEIVED,
    SELECT_NEXT_DUE,
    SELECT_RECEIVABLE,
    Lease,
    Received,
    count_in_flight,
    insert,
    received_message,
)
from cumulet.services.sqs.errors import OverLimit
from cumulet.services.sqs.handles import Handle
from cumulet.services.sqs.message import NewMessage
from cumulet.services.sqs.queues import Queue
from cumulet.store import Tx

MOST_SKIPPED = 100
"""How many expired and dead messages one receive puts away before it answers with what it has."""


def put(tx: Tx, queue: Queue, message: NewMessage, now_ms: int) -> int:
    """Append a message and return when it becomes visible: after its delay, or the queue's."""
    delay = queue.settings.delay_seconds if message.delay_seconds is None else message.delay_seconds
    visible_ms = now_ms + delay * 1000
    insert(tx, queue, message, tx.next_id(), now_ms, visible_ms)
    return visible_ms


def receive(tx: Tx, queue: Queue, lease: Lease) -> Received:
    """Take up to `lease.most` visible messages out of sight until `lease.until_ms`.

    SQS: a message received `maxReceiveCount` times goes to the dead-letter queue instead of being received again;
    with 120,000 messages in flight the call fails (OverLimit).
    """
    received = Received(lease.receipt)
    if lease.limit:
        received.in_flight = count_in_flight(tx, queue, lease.now_ms)
        if received.in_flight >= lease.limit:
            raise OverLimit(
                "Too many messages have been received without being deleted.\n"
                "Please delete your received messages or let them timeout before receiving more."
            )
        lease = replace(lease, most=min(lease.most, lease.limit - received.in_flight))
    for in_flight in _turns(tx, queue, lease.now_ms):
        _receive(tx, queue, lease, in_flight, received)
        if len(received.messages) == lease.most:
            return received
    if not received.messages:
        received.next_due_ms = next_due(tx, queue)
    return received


def _turns(tx: Tx, queue: Queue, now_ms: int) -> tuple[int, ...]:
    """Return in which order to look at what came back from consumers (1) and what none has received (0).

    The one that has been visible longer goes first: neither can keep the other waiting for ever.
    """
    returned = tx.one(SELECT_NEXT_DUE, queue.backlog_id, 1)
    if returned is None or returned[0] > now_ms:
        return (0,)
    new = tx.one(SELECT_NEXT_DUE, queue.backlog_id, 0)
    return (1, 0) if new is None or returned[0] <= new[0] else (0, 1)


def _receive(tx: Tx, queue: Queue, lease: Lease, in_flight: int, received: Received) -> None:
    settings = queue.settings
    expired_before = lease.now_ms - settings.retention_ms
    taken = {message.id for message in received.messages}
    for _ in range(MOST_SKIPPED):
        rows = tx.all(SELECT_RECEIVABLE, queue.backlog_id, in_flight, lease.now_ms, lease.most)
        skipped = False
        for row in rows:
            message = received_message(row, lease.now_ms)
            if message.id in taken:
                continue  # with a visibility timeout of 0 it is in sight
            if len(received.messages) == lease.most:
                return
            if message.sent_ms <= expired_before:
                tx.run(DELETE_MESSAGE, message.id, queue.backlog_id)
                skipped = True
            elif settings.gives_up_after(message.receive_count) and dead_letters.bury(
                tx, queue, message, lease.now_ms, received
            ):
                skipped = True
            else:
                tx.run(MARK_RECEIVED, lease.until_ms, lease.receipt, lease.now_ms, lease.now_ms, message.id)
                received.messages.append(message)
        if not skipped or received.messages:
            return


def remove(tx: Tx, queue: Queue, handle: Handle) -> None:
    """Delete the message that `handle` names, if it is still there.

    SQS (recorded): the handle of any receive of the message will do, expired or not.
    """
    tx.run(DELETE_MESSAGE, handle.message_number, queue.backlog_id)


def next_due(tx: Tx, queue: Queue) -> int | None:
    """Return when the next message of the queue becomes visible, or None when it holds none."""
    moments = [row[0] for in_flight in (0, 1) for row in tx.all(SELECT_NEXT_DUE, queue.backlog_id, in_flight)]
    return min(moments, default=None)
