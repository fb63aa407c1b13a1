"""Producers and consumers as an application has them, and a ledger of what they saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Condition, Event
from typing import Any

BATCH = 10
"""SQS: the most messages that one call sends, receives or deletes."""
PATIENCE_SECONDS = 60
Message = dict[str, str]
"""What an entry of SendMessageBatch says."""


def message(body: str) -> Message:
    """Return a message for a standard queue."""
    return {"MessageBody": body}


def fifo_message(group: str, body: str) -> Message:
    """Return a message for a FIFO queue; sent twice, it is stored once."""
    return {"MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": body.replace(" ", "-")}


class Ledger:
    """What producers and consumers know for certain, because Cumulet has acknowledged it."""

    def __init__(self, watch: Callable[[int, int], None], refuse: Collection[str] = ()) -> None:
        self.sent: set[str] = set()
        """Bodies whose send was acknowledged."""
        self.handled: Counter[str] = Counter()
        """How often each body was received."""
        self.in_order: list[str] = []
        """Bodies in the order in which they were received."""
        self.deleted: set[str] = set()
        """Ids of messages whose delete was acknowledged."""
        self.came_back: list[str] = []
        """Ids of messages that were received although their delete had been acknowledged."""
        self._watch = watch
        self._refuse = refuse
        self._changed = Condition()

    def was_sent(self, bodies: Collection[str]) -> None:
        """Note acknowledged sends."""
        with self._changed:
            self.sent.update(bodies)
            self._changed.notify_all()
        self._watch(len(self.sent), len(self.deleted))

    def handle(self, received: dict[str, Any]) -> bool:
        """Do the work that a message asks for, and return whether it could be done."""
        with self._changed:
            self.handled[received["Body"]] += 1
            self.in_order.append(received["Body"])
            if received["MessageId"] in self.deleted:
                self.came_back.append(received["MessageId"])
        return received["Body"] not in self._refuse

    def was_deleted(self, message_ids: Collection[str]) -> None:
        """Note acknowledged deletes."""
        with self._changed:
            self.deleted.update(message_ids)
            self._changed.notify_all()
        self._watch(len(self.sent), len(self.deleted))

    def wait_until_sent(self, number: int) -> None:
        """Return once so many sends are acknowledged; raises TimeoutError when that takes too long."""
        self._wait_for(number, self.sent, "sent")

    def wait_until_deleted(self, number: int) -> None:
        """Return once so many deletes are acknowledged; raises TimeoutError when that takes too long."""
        self._wait_for(number, self.deleted, "worked off")

    def _wait_for(self, number: int, done: Collection[str], what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: len(done) >= number, PATIENCE_SECONDS):
                raise TimeoutError(f"only {len(done)} of {number} messages were {what} in {PATIENCE_SECONDS} s")


class Crew:
    """Several producers and consumers of one queue, each a thread with connections of its own."""

    producers = 4
    consumers = 4

    def __init__(self, sqs: Any, queue: str, ledger: Ledger) -> None:
        self._sqs = sqs
        self._queue = queue
        self._ledger = ledger

    def send(self, messages: Sequence[Message]) -> Future[None]:
        """Begin to send messages, each producer its share."""
        return self.send_side_by_side([messages[share :: self.producers] for share in range(self.producers)])

    def send_side_by_side(self, shares: Sequence[Sequence[Message]]) -> Future[None]:
        """Begin to send each share, in its order, by a producer of its own."""
        return all_at_once([partial(self._produce, share) for share in shares])

    @contextmanager
    def consuming(self) -> Iterator[None]:
        """Receive, handle and delete messages while the block runs, and after it until none is visible."""
        all_sent = Event()
        consuming = all_at_once([partial(self._consume, all_sent)] * self.consumers)
        try:
            yield
        finally:
            all_sent.set()
        consuming.result()

    def _produce(self, messages: Sequence[Message]) -> None:
        for start in range(0, len(messages), BATCH):
            batch = messages[start : start + BATCH]
            entries = [{"Id": str(number), **content} for number, content in enumerate(batch)]
            answer = self._sqs.send_message_batch(QueueUrl=self._queue, Entries=entries)
            self._ledger.was_sent([batch[int(entry["Id"])]["MessageBody"] for entry in answer["Successful"]])

    def _consume(self, all_sent: Event) -> None:
        while True:
            is_last_look = all_sent.is_set()
            received = self._sqs.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=BATCH, WaitTimeSeconds=0 if is_last_look else 1
            ).get("Messages", [])
            done = [found for found in received if self._ledger.handle(found)]
            if done:
                self._delete(done)
            if is_last_look and not received:
                return

    def _delete(self, done: Sequence[dict[str, Any]]) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": found["ReceiptHandle"]} for n, found in enumerate(done)]
        answer = self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries)
        self._ledger.was_deleted([done[int(entry["Id"])]["MessageId"] for entry in answer["Successful"]])


def all_at_once(work: Sequence[Callable[[], None]]) -> Future[None]:
    """Begin all work, each piece in a thread of its own; the future ends with the last one, or with the first error."""
    pool = ThreadPoolExecutor(len(work) + 1)
    pieces = [pool.submit(piece) for piece in work]

    def wait() -> None:
        for piece in pieces:
            piece.result()

    return pool.submit(wait)
