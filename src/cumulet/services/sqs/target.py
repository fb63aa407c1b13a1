"""The queues as targets: what other services put messages on, within their own transactions."""

from __future__ import annotations

from typing import Any

from cumulet.delivery import Message, TooLarge, Undeliverable
from cumulet.kernel.arns import Arn
from cumulet.kernel.errors import AwsError
from cumulet.services.sqs import queues
from cumulet.services.sqs.message import new_message
from cumulet.services.sqs.message_operations import MessageOperations
from cumulet.store import Tx


class Target:
    """The adapter that SQS offers to deliveries."""

    def __init__(self, sqs: MessageOperations) -> None:
        self._sqs = sqs

    def put(self, tx: Tx, arn: Arn, message: Message, now_ms: int) -> None:
        """Put a message on a queue; raises Undeliverable for one that SendMessage would refuse."""
        key = arn.account, arn.region, arn.resource
        queue = self._sqs.directory.cached(*key) or queues.find(tx, *key)
        if queue is None:
            raise Undeliverable(f"there is no queue {arn}")
        try:
            new = new_message(queue, _entry(message), message.id, message.sender_id, message.trace_header)
        except AwsError as error:
            raise Undeliverable(f"the queue {arn} does not take it: {error.message}") from None
        if new.size_bytes > queue.settings.maximum_bytes:
            raise TooLarge(f"{new.size_bytes} bytes are too many for the queue {arn}")
        self._sqs.put(tx, queue, (new,), now_ms)
        tx.after_commit(self._sqs.count_sent, queue, (new,))


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
