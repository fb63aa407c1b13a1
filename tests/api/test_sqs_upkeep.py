"""SQS: what nobody can receive any more leaves the disk by itself, without a client that asks."""

from __future__ import annotations

from contextlib import closing

import apsw
import pytest
from sqs_queues import Queue, Queues

from cumulet.testing import Cumulet


def stored(cumulet: Cumulet, queue: Queue) -> list[str]:
    """Return the bodies on disk, of all queues of the server, that begin with a queue's name."""
    with closing(apsw.Connection(str(cumulet.folder / "cumulet.db"), flags=apsw.SQLITE_OPEN_READONLY)) as database:
        rows = database.execute("SELECT body FROM sqs_messages WHERE body LIKE ? ORDER BY id", (f"{queue.name}:%",))
        return [str(body) for (body,) in rows]


def send(queue: Queue, text: str) -> str:
    body = f"{queue.name}:{text}"
    queue.send(body, **({"MessageGroupId": "g", "MessageDeduplicationId": text} if "fifo" in queue.name else {}))
    return body


@pytest.mark.parametrize("kind", ["standard", "fifo"])
def test_expired_messages_leave_the_disk(cumulet: Cumulet, queues: Queues, kind: str) -> None:
    queue: Queue = getattr(queues, kind)(MessageRetentionPeriod="60")
    send(queue, "old")
    cumulet.advance(seconds=30)
    new = send(queue, "new")

    cumulet.advance(seconds=31)
    assert stored(cumulet, queue) == [new]
    cumulet.advance(seconds=31)
    assert stored(cumulet, queue) == []


@pytest.mark.parametrize("kind", ["standard", "fifo"])
def test_expired_dead_letters_leave_the_disk(cumulet: Cumulet, queues: Queues, kind: str) -> None:
    queue: Queue = getattr(queues, kind)()
    dead_letters: Queue = getattr(queues, kind)(MessageRetentionPeriod="60")
    queue.bury_in(dead_letters, after=1)
    body = send(queue, "poison")
    queue.receive(VisibilityTimeout=0)
    assert queue.bodies() == []
    assert stored(cumulet, queue) == [body]

    cumulet.advance(seconds=61)

    assert stored(cumulet, queue) == []


def test_expired_messages_that_a_task_moved_leave_the_disk(cumulet: Cumulet, queues: Queues) -> None:
    dead_letters, source, elsewhere = queues.standard(), queues.standard(), queues.standard(MessageRetentionPeriod="60")
    source.bury_in(dead_letters, after=1)
    body = send(dead_letters, "moved")
    dead_letters.sqs.start_message_move_task(SourceArn=dead_letters.arn, DestinationArn=elsewhere.arn)
    cumulet.advance(seconds=1)
    assert stored(cumulet, dead_letters) == [body]

    cumulet.advance(seconds=61)

    assert stored(cumulet, dead_letters) == []


@pytest.mark.parametrize("operation", ["purge_queue", "delete_queue"])
def test_purged_and_deleted_messages_leave_the_disk(cumulet: Cumulet, queue: Queue, operation: str) -> None:
    for number in range(25):
        send(queue, str(number))

    getattr(queue.sqs, operation)(QueueUrl=queue.url)
    cumulet.advance(milliseconds=1)

    assert stored(cumulet, queue) == []
