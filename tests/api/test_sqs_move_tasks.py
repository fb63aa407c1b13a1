"""SQS: message move tasks bring the messages of a dead-letter queue back, or elsewhere, at a rate."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqs_queues import Queue, Queues
from sqs_wire import Wire

from cumulet.testing import Cumulet


@pytest.fixture
def dead_letters(queues: Queues, queue: Queue) -> Queue:
    """The dead-letter queue of `queue`."""
    made = queues.standard()
    queue.bury_in(made, after=1)
    return made


def bury(queue: Queue, *bodies: str) -> None:
    """Send messages and let them become dead letters."""
    for body in bodies:
        queue.send(body)
    for _ in range(2):
        while queue.bodies(VisibilityTimeout=0):
            pass


def start(source: Queue, **members: Any) -> str:
    handle: str = source.sqs.start_message_move_task(SourceArn=source.arn, **members)["TaskHandle"]
    return handle


def tasks(source: Queue, most: int = 10) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = source.sqs.list_message_move_tasks(SourceArn=source.arn, MaxResults=most).get(
        "Results", []
    )
    return found


def test_dead_letters_go_back_to_their_source_as_new_messages(
    cumulet: Cumulet, queue: Queue, dead_letters: Queue
) -> None:
    sent = queue.send("poison", MessageAttributes={"a": {"DataType": "String", "StringValue": "x"}})
    queue.receive(VisibilityTimeout=0)
    queue.receive()
    cumulet.advance(seconds=30)

    start(dead_letters)
    cumulet.advance(milliseconds=1)

    assert (queue.counts(), dead_letters.counts()) == ((1, 0, 0), (0, 0, 0))
    message = queue.receive_one()
    assert (message["Body"], message["MessageAttributes"]["a"]["StringValue"]) == ("poison", "x")
    assert message["MessageId"] != sent["MessageId"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert int(message["Attributes"]["SentTimestamp"]) >= cumulet.now_ms() - 1
    assert "DeadLetterQueueSourceArn" not in message["Attributes"]


def test_each_dead_letter_goes_back_to_its_own_source(cumulet: Cumulet, queues: Queues) -> None:
    first, second, dead_letters = queues.standard(), queues.standard(), queues.standard()
    for source, body in ((first, "one"), (second, "two")):
        source.bury_in(dead_letters, after=1)
        bury(source, body)

    start(dead_letters)
    cumulet.advance(milliseconds=1)

    assert (first.bodies(), second.bodies()) == (["one"], ["two"])


def test_dead_letters_go_where_the_task_says(
    cumulet: Cumulet, queues: Queues, queue: Queue, dead_letters: Queue
) -> None:
    elsewhere = queues.standard()
    bury(queue, "one", "two")
    dead_letters.send("sent directly")

    start(dead_letters, DestinationArn=elsewhere.arn)
    cumulet.advance(milliseconds=1)

    assert sorted(elsewhere.bodies()) == ["one", "sent directly", "two"]
    assert dead_letters.counts() == (0, 0, 0)


def test_task_is_listed_with_its_progress(cumulet: Cumulet, queue: Queue, dead_letters: Queue) -> None:
    bury(queue, *(str(number) for number in range(5)))
    started_ms = cumulet.now_ms()

    handle = start(dead_letters, DestinationArn=queue.arn, MaxNumberOfMessagesPerSecond=1)

    [task] = tasks(dead_letters)
    assert task == {
        "TaskHandle": handle,
        "Status": "RUNNING",
        "SourceArn": dead_letters.arn,
        "DestinationArn": queue.arn,
        "MaxNumberOfMessagesPerSecond": 1,
        "ApproximateNumberOfMessagesMoved": task["ApproximateNumberOfMessagesMoved"],
        "ApproximateNumberOfMessagesToMove": 5,
        "StartedTimestamp": started_ms,
    }
    cumulet.advance(minutes=1)
    [task] = tasks(dead_letters)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 5)
    assert "TaskHandle" not in task


def test_task_without_options_lists_none(cumulet: Cumulet, queue: Queue, dead_letters: Queue) -> None:
    start(dead_letters)
    cumulet.advance(milliseconds=1)

    [task] = tasks(dead_letters)

    assert task.keys() == {
        "Status",
        "SourceArn",
        "ApproximateNumberOfMessagesMoved",
        "ApproximateNumberOfMessagesToMove",
        "StartedTimestamp",
    }


@pytest.mark.parametrize("rate", [1, 7])
def test_rate_limits_how_many_messages_move_in_a_second(
    cumulet: Cumulet, queue: Queue, dead_letters: Queue, rate: int
) -> None:
    bury(queue, *(str(number) for number in range(20)))
    start(dead_letters, MaxNumberOfMessagesPerSecond=rate)
    cumulet.advance(milliseconds=0)
    moved = [queue.counts()[0]]

    while moved[-1] < 20:
        cumulet.advance(seconds=1)
        moved.append(queue.counts()[0])

    assert all(later - earlier <= rate for earlier, later in itertools.pairwise(moved))
    assert len(moved) in (20 // rate, 20 // rate + 1)
    assert len(queue.bodies()) == 10


def test_task_can_be_cancelled_and_leaves_the_rest(cumulet: Cumulet, queue: Queue, dead_letters: Queue) -> None:
    bury(queue, *(str(number) for number in range(10)))
    handle = start(dead_letters, MaxNumberOfMessagesPerSecond=2)
    cumulet.advance(seconds=2)

    moved = dead_letters.sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
    cumulet.advance(minutes=1)

    assert moved == queue.counts()[0] < 10
    assert dead_letters.counts()[0] == 10 - moved
    assert [task["Status"] for task in tasks(dead_letters)] == ["CANCELLED"]
    start(dead_letters)
    cumulet.advance(milliseconds=1)
    assert queue.counts()[0] == 10


def test_task_that_has_ended_cannot_be_cancelled(cumulet: Cumulet, dead_letters: Queue) -> None:
    """AWS documents that only a running task can be cancelled, not the error's text."""
    handle = start(dead_letters)
    cumulet.advance(milliseconds=1)

    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            dead_letters.sqs.cancel_message_move_task(TaskHandle=handle)
        assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
        assert refused.value.response["Error"]["Message"] == "Task does not exist."


def test_source_has_one_running_task(cumulet: Cumulet, queue: Queue, dead_letters: Queue) -> None:
    bury(queue, "one", "two")
    start(dead_letters, MaxNumberOfMessagesPerSecond=1)

    with pytest.raises(ClientError) as refused:
        start(dead_letters)
    cumulet.advance(minutes=1)
    start(dead_letters)

    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert refused.value.response["Error"]["Message"] == (
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
    )
    assert len(tasks(dead_letters)) == 2


def test_newest_task_is_listed_first_and_alone_by_default(cumulet: Cumulet, queue: Queue, dead_letters: Queue) -> None:
    for _ in range(12):
        start(dead_letters)
        cumulet.advance(seconds=1)

    started = [task["StartedTimestamp"] for task in tasks(dead_letters)]
    default = dead_letters.sqs.list_message_move_tasks(SourceArn=dead_letters.arn)["Results"]

    assert started == sorted(started, reverse=True)
    assert len(started) == 10
    assert [task["StartedTimestamp"] for task in default] == started[:1]


def test_queue_without_tasks_lists_none(wire: Wire, queue: Queue) -> None:
    assert wire.call("ListMessageMoveTasks", SourceArn=queue.arn) == {}


def test_task_fails_for_a_message_that_was_sent_directly(cumulet: Cumulet, dead_letters: Queue) -> None:
    dead_letters.send("whose?")

    start(dead_letters)
    cumulet.advance(milliseconds=1)

    [task] = tasks(dead_letters)
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert dead_letters.bodies() == ["whose?"]


def test_task_fails_when_its_destination_goes(
    cumulet: Cumulet, queues: Queues, queue: Queue, dead_letters: Queue
) -> None:
    elsewhere = queues.standard()
    bury(queue, *(str(number) for number in range(10)))
    start(dead_letters, DestinationArn=elsewhere.arn, MaxNumberOfMessagesPerSecond=1)

    elsewhere.sqs.delete_queue(QueueUrl=elsewhere.url)
    cumulet.advance(minutes=1)

    [task] = tasks(dead_letters)
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "AWS.SimpleQueueService.NonExistentQueue")
    assert dead_letters.counts()[0] + task["ApproximateNumberOfMessagesMoved"] == 10


def test_messages_in_flight_and_those_that_come_later_stay(cumulet: Cumulet, queue: Queue, dead_letters: Queue) -> None:
    bury(queue, "in flight", "moved", "moved too")
    dead_letters.receive(1, VisibilityTimeout=600)
    start(dead_letters, DestinationArn=queue.arn, MaxNumberOfMessagesPerSecond=1)
    dead_letters.send("later")

    cumulet.advance(minutes=1)

    assert (queue.counts(), dead_letters.counts()) == ((2, 0, 0), (1, 1, 0))
    assert dead_letters.bodies() == ["later"]


def test_messages_that_come_later_cost_a_task_none_of_its_rate(
    cumulet: Cumulet, queue: Queue, dead_letters: Queue
) -> None:
    bury(queue, "moved")
    start(dead_letters, DestinationArn=queue.arn, MaxNumberOfMessagesPerSecond=1)
    for number in range(30):
        dead_letters.send(str(number))

    cumulet.advance(seconds=5)

    [task] = tasks(dead_letters)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
    assert dead_letters.counts() == (30, 0, 0)


def test_expired_message_is_not_moved(cumulet: Cumulet, queues: Queues) -> None:
    queue, dead_letters = queues.standard(), queues.standard(MessageRetentionPeriod="3600")
    queue.bury_in(dead_letters, after=1)
    queue.send("expired")
    queue.receive(VisibilityTimeout=0)
    cumulet.advance(seconds=3000)
    dead_letters.send("alive")
    assert queue.bodies() == []  # it is buried behind a younger one
    cumulet.advance(seconds=1000)

    start(dead_letters, DestinationArn=queue.arn)
    cumulet.advance(seconds=1)

    assert queue.bodies() == ["alive"]


def test_groups_keep_their_order_on_the_way_back(cumulet: Cumulet, queues: Queues) -> None:
    queue, dead_letters = queues.fifo(), queues.fifo()
    queue.bury_in(dead_letters, after=1)
    queue.send_to("g1", "g1-m1", "g1-m2", "g1-m3")
    queue.send_to("g2", "g2-m1", "g2-m2")
    queue.receive(VisibilityTimeout=0)
    queue.receive()

    start(dead_letters)
    cumulet.advance(milliseconds=1)

    received = queue.bodies()
    assert [body for body in received if body.startswith("g1")] == ["g1-m1", "g1-m2", "g1-m3"]
    assert [body for body in received if body.startswith("g2")] == ["g2-m1", "g2-m2"]
    assert dead_letters.counts() == (0, 0, 0)


def test_retention_begins_anew_for_a_moved_message(cumulet: Cumulet, queues: Queues) -> None:
    queue, dead_letters = queues.standard(MessageRetentionPeriod="60"), queues.standard()
    queue.bury_in(dead_letters, after=1)
    bury(queue, "one")
    cumulet.advance(seconds=59)

    start(dead_letters)
    cumulet.advance(seconds=59)

    assert queue.counts() == (1, 0, 0)
    cumulet.advance(seconds=2)
    assert queue.counts() == (0, 0, 0)


def test_handle_is_what_awss_is(dead_letters: Queue) -> None:
    content = json.loads(base64.b64decode(start(dead_letters)))

    assert content.keys() == {"taskId", "sourceArn"}
    assert content["sourceArn"] == dead_letters.arn
