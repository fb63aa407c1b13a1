"""The operations on messages: send, receive, delete, change visibility, one by one and in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cumulet.kernel.call import Call
from cumulet.kernel.clock import MACHINE
from cumulet.kernel.errors import AwsError
from cumulet.kernel.telemetry import Sample
from cumulet.services.service import Platform
from cumulet.services.sqs import attempts, fifo, handles, queues, receiving, standard, visibility
from cumulet.services.sqs.backlog import Lease, Received
from cumulet.services.sqs.base import SqsBase
from cumulet.services.sqs.batches import check_entries, failed, results
from cumulet.services.sqs.errors import (
    NO_SUCH_QUEUE,
    BatchRequestTooLong,
    InvalidParameterValueException,
    QueueDoesNotExist,
    ReceiptHandleIsInvalid,
    invalid_value,
    missing,
)
from cumulet.services.sqs.fifo import sequence_number
from cumulet.services.sqs.handles import Handle, HandleExpired
from cumulet.services.sqs.in_flight import InFlight
from cumulet.services.sqs.message import NewMessage, check_length, new_message
from cumulet.services.sqs.metrics import metric, sent_metrics
from cumulet.services.sqs.queues import Queue
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_sqs import type_defs as t

LONGEST_BATCH_BYTES = 1_048_576
MOST_IN_FLIGHT = 120_000
"""SQS: how many messages of one queue may be in flight."""
Sent = tuple[str, str | None]
"""The MessageId of an accepted message, and its SequenceNumber on a FIFO queue."""


class MessageOperations(SqsBase):
    """What is done to messages."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self._in_flight = InFlight(platform.quotas.limit("sqs:messages-in-flight", MOST_IN_FLIGHT))

    async def send_message(self, call: Call, request: t.SendMessageRequestTypeDef) -> dict[str, Any]:
        """Put one message on a queue."""
        queue = await self.queue(call, request["QueueUrl"])
        message = self._new_message(call, queue, request)
        check_length(queue, message)
        sent = await self.store.transact(self.put, queue, (message,), self.clock.now_ms())
        self.count_sent(queue, (message,))
        return _sent_entry(message, sent[0])

    async def send_message_batch(self, call: Call, request: t.SendMessageBatchRequestTypeDef) -> dict[str, Any]:
        """Put up to ten messages on a queue; on a standard queue those that can't be accepted fail alone."""
        queue = await self.queue(call, request["QueueUrl"])
        entries = request["Entries"]
        check_entries(entries, "SendMessageBatchRequestEntry")
        total_bytes = sum(_size_bytes(entry) for entry in entries)
        if total_bytes > LONGEST_BATCH_BYTES:
            raise BatchRequestTooLong(
                f"Batch requests cannot be longer than {LONGEST_BATCH_BYTES} bytes. You have sent {total_bytes} bytes."
            )
        accepted: list[tuple[str, NewMessage]] = []
        failures: list[dict[str, Any]] = []
        for number, entry in enumerate(entries, 1):
            try:
                accepted.append((entry["Id"], self._new_entry(call, queue, entry, number)))
            except AwsError as error:
                if queue.is_fifo:
                    raise
                failures.append(failed(entry, error))
        messages = [message for _, message in accepted]
        sent = await self.store.transact(self.put, queue, messages, self.clock.now_ms()) if messages else []
        self.count_sent(queue, messages)
        return results(
            [{"Id": entry_id, **_sent_entry(m, s)} for (entry_id, m), s in zip(accepted, sent, strict=True)], failures
        )

    def count_sent(self, queue: Queue, messages: Sequence[NewMessage]) -> None:
        """Count messages that were put on a queue, after the commit."""
        record, (counted, measured) = self.platform.telemetry.record, sent_metrics(queue.arn)
        for message in messages:
            record(counted)
            record(measured, message.size_bytes)

    def count_many_sent(self, queue: Queue, messages: Sequence[NewMessage]) -> None:
        """Count many messages that were put on a queue at once, after the commit."""
        telemetry, sizes = self.platform.telemetry, [message.size_bytes for message in messages]
        many, minute_ms = len(sizes), telemetry.minute_ms
        counted, measured = sent_metrics(queue.arn)
        telemetry.add([Sample(counted, minute_ms, many, many, 1, 1)])
        telemetry.add([Sample(measured, minute_ms, many, sum(sizes), min(sizes), max(sizes))])

    def _count(self, queue: Queue, name: str, value: float = 1) -> None:
        self.platform.telemetry.record(metric(queue.arn, name), value)

    def _new_message(self, call: Call, queue: Queue, entry: Mapping[str, Any]) -> NewMessage:
        return new_message(queue, entry, self.ids.uuid(), call.identity.user_id, call.trace_header)

    def _new_entry(self, call: Call, queue: Queue, entry: Mapping[str, Any], number: int) -> NewMessage:
        if not entry.get("MessageBody"):
            raise missing(f"SendMessageBatchRequestEntry.{number}.MessageBody")
        if queue.is_fifo and entry.get("MessageGroupId") is None:
            # SQS: a MissingParameter in SendMessage, but not here (recorded).
            raise InvalidParameterValueException("The request must contain the parameter MessageGroupId.")
        if not queue.is_fifo and entry.get("MessageDeduplicationId") is not None:
            # SQS: worded differently in SendMessage (recorded).
            raise InvalidParameterValueException("The request include parameter that is not valid for this queue type")
        message = self._new_message(call, queue, entry)
        check_length(queue, message, "are invalid" if queue.is_fifo else "cannot be validated")
        return message

    def put(self, tx: Tx, queue: Queue, messages: Sequence[NewMessage], now_ms: int) -> list[Sent]:
        """Put messages on a queue, and tell whoever waits for them; raises QueueDoesNotExist."""
        queue = self._as_it_is(tx, queue)
        sent: list[Sent] = []
        due_ms: int | None = None
        for message in messages:
            if queue.is_fifo:
                message_id, number, visible_ms = fifo.put(tx, queue, message, now_ms)
                sent.append((message_id, sequence_number(number)))
            else:
                visible_ms = standard.put(tx, queue, message, now_ms)
                sent.append((message.id, None))
            if visible_ms is not None and (due_ms is None or visible_ms < due_ms):
                due_ms = visible_ms
        if due_ms is not None:
            tx.after_commit(self._arrived, queue, now_ms, due_ms, len(messages))
        return sent

    def put_again(self, tx: Tx, queue: Queue, messages: Sequence[NewMessage], now_ms: int) -> None:
        """Put messages on a queue as `put` does, whether a FIFO queue has had their deduplication ids or not."""
        queue = self._as_it_is(tx, queue)
        if queue.is_fifo:
            due_ms = fifo.put_again(tx, queue, messages, now_ms)
        else:
            due_ms = min(standard.put(tx, queue, message, now_ms) for message in messages)
        tx.after_commit(self._arrived, queue, now_ms, due_ms, len(messages))

    def _as_it_is(self, tx: Tx, queue: Queue) -> Queue:
        """Return a queue as it is in this transaction; raises QueueDoesNotExist."""
        if self.directory.cached(queue.account, queue.region, queue.name) is queue:
            return queue
        # Changed while the request waited for its batch: what an old backlog gets now nobody would collect.
        changed = queues.find(tx, queue.account, queue.region, queue.name)
        if changed is None:
            raise QueueDoesNotExist(NO_SUCH_QUEUE)
        return changed

    def _arrived(self, queue: Queue, now_ms: int, due_ms: int, count: int) -> None:
        self.waiting.arrived(queue, due_ms, count)
        self.upkeep.watch(queue, now_ms)

    async def receive_message(self, call: Call, request: t.ReceiveMessageRequestTypeDef) -> dict[str, Any]:
        """Take messages out of sight and return them, waiting for some if asked to."""
        queue = await self.queue(call, request["QueueUrl"])
        most, wait_seconds, attempt_id = receiving.receive_options(queue, request)
        system_names = receiving.system_attribute_names(call, request)
        if wait_seconds == 0 or self.waiting.is_closed:
            received = await self.take(queue, most, request.get("VisibilityTimeout"), attempt_id)
        else:
            received = await self._poll(call, request, queue, most, attempt_id, wait_seconds)
        if not received.messages:
            self._count(queue, "NumberOfEmptyReceives")
            return {}
        names = request.get("MessageAttributeNames", ())
        return {
            "Messages": [receiving.message_entry(queue, received, m, system_names, names) for m in received.messages]
        }

    async def take(
        self, queue: Queue, most: int, timeout_seconds: int | None = None, attempt_id: str | None = None
    ) -> Received:
        """Take up to `most` visible messages out of sight, for the queue's visibility timeout unless another is given.

        Whoever waits for messages of the queue is told when there may be something again.
        """
        now_ms = self.clock.now_ms()
        if timeout_seconds is None:
            timeout_seconds = queue.settings.visibility_seconds
        lease = Lease(
            most=most,
            now_ms=now_ms,
            until_ms=now_ms + timeout_seconds * 1000,
            receipt=self.ids.token(),
            limit=self._in_flight.begin(queue.id, most),
        )
        taken, counted = 0, None
        try:
            received = await self.store.transact(self._take, queue, lease, attempt_id)
            taken, counted = len(received.messages), received.in_flight
            if taken:
                received.next_due_ms = lease.until_ms
                self._count(queue, "NumberOfMessagesReceived", taken)
        finally:
            self._in_flight.end(queue.id, most, taken, counted)
        if received.next_due_ms is not None:  # who looked before this receive doesn't know of it
            self.waiting.arrived(queue, received.next_due_ms, max(1, taken))
        return received

    def _take(self, tx: Tx, queue: Queue, lease: Lease, attempt_id: str | None) -> Received:
        if not queue.is_fifo:
            received = standard.receive(tx, queue, lease)
        elif attempt_id is None:
            received = fifo.receive(tx, queue, lease)
        else:
            received = attempts.receive(tx, queue, lease, attempt_id)
        for dead_letter_queue, oldest_sent_ms in received.buried_in.values():
            tx.after_commit(self.waiting.arrived, dead_letter_queue, lease.now_ms, receiving.MAX_MESSAGES[1])
            tx.after_commit(self.upkeep.watch, dead_letter_queue, oldest_sent_ms)
        return received

    async def _poll(
        self,
        call: Call,
        request: t.ReceiveMessageRequestTypeDef,
        queue: Queue,
        most: int,
        attempt_id: str | None,
        wait_seconds: int,
    ) -> Received:
        give_up_at = MACHINE.monotonic() + wait_seconds
        poll = self.waiting.join(queue)
        try:
            while True:
                poll.rest()
                received = await self.take(queue, most, request.get("VisibilityTimeout"), attempt_id)
                if received.messages:
                    return received
                left_seconds = give_up_at - MACHINE.monotonic()
                if left_seconds <= 0 or not await poll.wait(left_seconds, call.hang_up) or self.waiting.is_closed:
                    return received
                queue = await self.queue(call, request["QueueUrl"])
        finally:
            poll.leave()

    async def delete_message(self, call: Call, request: t.DeleteMessageRequestTypeDef) -> None:
        """Delete a message that was received."""
        queue = await self.queue(call, request["QueueUrl"])
        handle = _handle(queue, request)
        try:
            await self.store.transact(self._delete_message, queue, handle, self.clock.now_ms())
        except HandleExpired:
            raise handles.expired(handle) from None
        self._count(queue, "NumberOfMessagesDeleted")

    async def delete_message_batch(self, call: Call, request: t.DeleteMessageBatchRequestTypeDef) -> dict[str, Any]:
        """Delete up to ten messages; those that can't be deleted fail alone."""
        queue = await self.queue(call, request["QueueUrl"])
        check_entries(request["Entries"], "DeleteMessageBatchRequestEntry")
        now_ms = self.clock.now_ms()

        def delete(tx: Tx, entry: Mapping[str, Any], _: int) -> None:
            self._delete_message(tx, queue, _handle(queue, entry), now_ms)

        answer = await self.store.transact(_each, request["Entries"], delete)
        self._count(queue, "NumberOfMessagesDeleted", len(answer.get("Successful", ())))
        return answer

    def _delete_message(self, tx: Tx, queue: Queue, handle: Handle, now_ms: int) -> None:
        if queue.is_fifo:
            fifo.remove(tx, queue, handle, now_ms)
            tx.after_commit(self.waiting.arrived, queue, now_ms)  # its group may go on
        else:
            standard.remove(tx, queue, handle)

    async def change_message_visibility(self, call: Call, request: t.ChangeMessageVisibilityRequestTypeDef) -> None:
        """Let a message that was received become visible again sooner or later."""
        queue = await self.queue(call, request["QueueUrl"])
        handle = _handle(queue, request)
        timeout_seconds = _visibility_timeout(request, "Must be between 0 and 43200.")
        try:
            await self.store.transact(self._change_visibility, queue, handle, timeout_seconds, self.clock.now_ms())
        except HandleExpired:
            raise handles.expired(handle) from None

    async def change_message_visibility_batch(
        self, call: Call, request: t.ChangeMessageVisibilityBatchRequestTypeDef
    ) -> dict[str, Any]:
        """Change the visibility of up to ten messages; those whose can't be changed fail alone."""
        queue = await self.queue(call, request["QueueUrl"])
        kind = "ChangeMessageVisibilityBatchRequestEntry"
        check_entries(request["Entries"], kind)
        now_ms = self.clock.now_ms()

        def change(tx: Tx, entry: Mapping[str, Any], number: int) -> None:
            if entry.get("VisibilityTimeout") is None:
                raise missing(f"{kind}.{number}.VisibilityTimeout")
            timeout_seconds = _visibility_timeout(entry, "VisibilityTimeout must be an integer between 0 and 43200.")
            self._change_visibility(tx, queue, _handle(queue, entry), timeout_seconds, now_ms)

        return await self.store.transact(_each, request["Entries"], change)

    def _change_visibility(self, tx: Tx, queue: Queue, handle: Handle, timeout_seconds: int, now_ms: int) -> None:
        until_ms = visibility.change(tx, queue, handle, timeout_seconds, now_ms)
        if until_ms is not None:
            tx.after_commit(self.waiting.arrived, queue, until_ms)


def _each(
    tx: Tx, entries: Sequence[Mapping[str, Any]], work: Callable[[Tx, Mapping[str, Any], int], None]
) -> dict[str, Any]:
    """Do `work` for each entry of a batch and return the answer; `work` writes nothing before it fails."""
    successful: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for number, entry in enumerate(entries, 1):
        try:
            work(tx, entry, number)
        except HandleExpired:
            failures.append(failed(entry, ReceiptHandleIsInvalid("The receipt handle has expired")))
        except AwsError as error:
            failures.append(failed(entry, error))
        else:
            successful.append({"Id": entry["Id"]})
    return results(successful, failures)


def _sent_entry(message: NewMessage, sent: Sent) -> dict[str, Any]:
    message_id, sequence = sent
    answer = {"MD5OfMessageBody": message.body_md5, "MessageId": message_id}
    if message.attributes_md5:
        answer["MD5OfMessageAttributes"] = message.attributes_md5
    if message.system_attributes_md5:
        answer["MD5OfMessageSystemAttributes"] = message.system_attributes_md5
    if sequence:
        answer["SequenceNumber"] = sequence
    return answer


def _size_bytes(entry: Mapping[str, Any]) -> int:
    body = entry.get("MessageBody") or ""
    size = len(body) if body.isascii() else len(body.encode("utf-8", "surrogatepass"))
    for name, attribute in (entry.get("MessageAttributes") or {}).items():
        value = attribute.get("BinaryValue") or attribute.get("StringValue", "").encode("utf-8", "surrogatepass")
        size += len(name.encode("utf-8", "surrogatepass")) + len(attribute.get("DataType", "").encode()) + len(value)
    return size


def _handle(queue: Queue, request: Mapping[str, Any]) -> Handle:
    text = request.get("ReceiptHandle")
    if not text:
        raise missing("ReceiptHandle")
    return handles.decode(text, queue.id)


def _visibility_timeout(request: Mapping[str, Any], reason: str) -> int:
    timeout_seconds: int = request["VisibilityTimeout"]
    least, greatest = visibility.TIMEOUT_SECONDS
    if not least <= timeout_seconds <= greatest:
        raise invalid_value(timeout_seconds, "VisibilityTimeout", reason)
    return timeout_seconds
