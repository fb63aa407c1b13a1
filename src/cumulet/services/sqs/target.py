"""The queues as targets: what other services put messages on, within their own transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cumulet.delivery import Message, TooLarge, Undeliverable
from cumulet.kernel.arns import Arn
from cumulet.kernel.errors import AwsError
from cumulet.services.sqs import access, queues
from cumulet.services.sqs.message import NewMessage, new_message
from cumulet.services.sqs.message_operations import MessageOperations
from cumulet.services.sqs.queues import Queue
from cumulet.store import Tx


class Target:
    """The adapter that SQS offers to deliveries."""

    def __init__(self, sqs: MessageOperations) -> None:
        self._sqs = sqs
        self._last: tuple[Message, NewMessage] | None = None
        """What a standard queue got last: others often get the same, a topic's for instance."""

    def put(self, tx: Tx, arn: Arn, message: Message, now_ms: int) -> None:
        """Put a message on a queue; raises Undeliverable for one that SendMessage would refuse."""
        queue = self._queue(tx, arn)
        new = self._checked(queue, arn, message, now_ms)
        self._sqs.put(tx, queue, (new,), now_ms)
        tx.after_commit(self._sqs.count_sent, queue, (new,))

    def put_again(
        self, tx: Tx, arn: Arn, messages: Sequence[Message], now_ms: int
    ) -> list[tuple[Message, Undeliverable]]:
        """Put messages on a queue, also those that it has had; return what SendMessage would refuse, and why."""
        refused: list[tuple[Message, Undeliverable]] = []
        try:
            queue = self._queue(tx, arn)
        except Undeliverable as reason:
            return [(message, reason) for message in messages]
        accepted: list[NewMessage] = []
        for message in messages:
            try:
                accepted.append(self._checked(queue, arn, message, now_ms))
            except Undeliverable as reason:
                refused.append((message, reason))
        if accepted:
            self._sqs.put_again(tx, queue, accepted, now_ms)
            tx.after_commit(self._sqs.count_many_sent, queue, accepted)
        return refused

    def _queue(self, tx: Tx, arn: Arn) -> Queue:
        key = arn.account, arn.region, arn.resource
        queue = self._sqs.directory.cached(*key) or queues.find(tx, *key)
        if queue is None:
            raise Undeliverable(f"there is no queue {arn}")
        return queue

    def _checked(self, queue: Queue, arn: Arn, message: Message, now_ms: int) -> NewMessage:
        if self._sqs.is_enforcing:
            access.check_sender(queue, message, now_ms)
        if not queue.is_fifo and self._last is not None and _is_copy(message, self._last[0]):
            new = msgspec.structs.replace(self._last[1], id=message.id)
        else:
            try:
                new = new_message(queue, _entry(message), message.id, message.sender_id, message.trace_header)
            except AwsError as error:
                raise Undeliverable(f"the queue {arn} does not take it: {error.message}") from None
            if not queue.is_fifo:
                self._last = message, new
        if new.size_bytes > queue.settings.maximum_bytes:
            raise TooLarge(f"{new.size_bytes} bytes are too many for the queue {arn}")
        return new


def _is_copy(message: Message, other: Message) -> bool:
    """Return whether two messages differ in nothing but their ids, for a standard queue."""
    return (
        message.body is other.body
        and message.attributes is other.attributes
        and message.trace_header is other.trace_header
        and message.group_id is other.group_id
        and message.deduplication_id is other.deduplication_id
        and message.sender_id is other.sender_id
    )


def _entry(message: Message) -> dict[str, Any]:
    """Return the message as SendMessage would be asked for it."""
    entry: dict[str, Any] = {"MessageBody": message.body}
    if message.attributes:
        entry["MessageAttributes"] = {
            name: {"DataType": data_type, "BinaryValue" if isinstance(value, bytes) else "StringValue": value}
            for name, (data_type, value) in message.attributes.items()
        }
    if message.group_id is not None:
        entry["MessageGroupId"] = message.group_id
    if message.deduplication_id is not None:
        entry["MessageDeduplicationId"] = message.deduplication_id
    return entry
