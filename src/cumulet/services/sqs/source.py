"""The queues as sources of events: what event source mappings take their messages from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cumulet.delivery import QueueFacts
from cumulet.kernel.arns import Arn
from cumulet.services.sqs import fifo, handles, receiving, standard, visibility
from cumulet.services.sqs.errors import (
    InvalidParameterValueException,
    ReceiptHandleIsInvalid,
)
from cumulet.services.sqs.handles import HandleExpired
from cumulet.services.sqs.message_operations import MessageOperations
from cumulet.services.sqs.queues import Queue
from cumulet.store import Tx

MOST_AT_ONCE = 100
"""So many messages are received or deleted in one transaction."""
EVERY_ATTRIBUTE = ("All",)


class Source:
    """The adapter that SQS offers to other services."""

    def __init__(self, sqs: MessageOperations) -> None:
        self._sqs = sqs

    async def describe(self, arn: Arn) -> QueueFacts | None:
        """Return what there is to know about a queue, or None when there is none."""
        queue = await self._sqs.directory.find(arn.account, arn.region, arn.resource)
        return None if queue is None else QueueFacts(queue.is_fifo, queue.settings.visibility_seconds)

    def watch(self, arn: Arn, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` whenever there may be something to receive, until the returned function is called."""
        return self._sqs.waiting.watch(str(arn), wake)

    async def receive(self, arn: Arn, most: int) -> list[dict[str, Any]]:
        """Take up to `most` visible messages out of sight; they look as ReceiveMessage answers them."""
        queue = await self._queue(arn)
        entries: list[dict[str, Any]] = []
        while len(entries) < most:
            wanted = min(most - len(entries), MOST_AT_ONCE)
            received = await self._sqs.take(queue, wanted)
            entries += [
                receiving.message_entry(queue, received, message, receiving.SYSTEM_ATTRIBUTES, EVERY_ATTRIBUTE)
                for message in received.messages
            ]
            if len(received.messages) < wanted:
                break
        return entries

    async def delete(self, arn: Arn, receipt_handles: Sequence[str]) -> None:
        """Delete messages that were received; what is gone already, or whose handle has expired, is passed over."""
        queue, now_ms = await self._queue(arn), self._sqs.clock.now_ms()
        for some in _portions(receipt_handles):
            await self._sqs.store.transact(self._delete, queue, some, now_ms)

    def _delete(self, tx: Tx, queue: Queue, receipt_handles: Sequence[str], now_ms: int) -> None:
        for text in receipt_handles:
            try:
                handle = handles.decode(text, queue.id)
                if queue.is_fifo:
                    fifo.remove(tx, queue, handle, now_ms)
                else:
                    standard.remove(tx, queue, handle)
            except (HandleExpired, ReceiptHandleIsInvalid):
                continue
        if queue.is_fifo:
            tx.after_commit(self._sqs.waiting.arrived, queue, now_ms)  # their groups may go on

    async def make_visible(self, arn: Arn, receipt_handles: Sequence[str], after_seconds: int = 0) -> None:
        """Let messages that were received be received again; what is gone already is passed over."""
        queue, now_ms = await self._queue(arn), self._sqs.clock.now_ms()
        for some in _portions(receipt_handles):
            await self._sqs.store.transact(self._make_visible, queue, some, after_seconds, now_ms)

    def _make_visible(
        self, tx: Tx, queue: Queue, receipt_handles: Sequence[str], after_seconds: int, now_ms: int
    ) -> None:
        for text in receipt_handles:
            try:
                visibility.change(tx, queue, handles.decode(text, queue.id), after_seconds, now_ms)
            except (HandleExpired, ReceiptHandleIsInvalid, InvalidParameterValueException):
                continue
        tx.after_commit(self._sqs.waiting.arrived, queue, now_ms + after_seconds * 1000, len(receipt_handles))

    async def _queue(self, arn: Arn) -> Queue:
        queue = await self._sqs.directory.find(arn.account, arn.region, arn.resource)
        if queue is None:
            raise LookupError(f"there is no queue {arn}")
        return queue


def _portions(receipt_handles: Sequence[str]) -> Iterable[Sequence[str]]:
    return (receipt_handles[first : first + MOST_AT_ONCE] for first in range(0, len(receipt_handles), MOST_AT_ONCE))
