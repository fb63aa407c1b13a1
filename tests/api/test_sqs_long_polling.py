"""SQS: a receive that waits is answered the moment there is something for it.

A poll's time limit is the machine's, so a poll that answers within seconds of its twenty was woken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqs_queues import Queue, Queues
from sqs_wire import LongPoll, Wire

from cumulet.testing import Cumulet

Wait = Callable[..., LongPoll]


@pytest.fixture
def poll(wire: Wire) -> Iterator[Wait]:
    """Return what begins a long poll on a queue; polls still open at the end hang up."""
    polls: list[LongPoll] = []

    def begin(queue: Queue, **members: object) -> LongPoll:
        waiting = LongPoll(wire, queue.url, **members)
        polls.append(waiting)
        assert waiting.is_waiting
        return waiting

    yield begin
    for waiting in polls:
        waiting.leave()


def test_send_wakes_a_poll_at_once(queue: Queue, poll: Wait) -> None:
    waiting = poll(queue)

    queue.send("one")

    assert waiting.bodies() == ["one"]


def test_each_message_wakes_one_of_many_polls(queue: Queue, poll: Wait) -> None:
    polls = [poll(queue) for _ in range(4)]

    for number in range(4):
        queue.send(str(number))

    assert sorted(body for waiting in polls for body in waiting.bodies()) == ["0", "1", "2", "3"]


def test_batch_wakes_as_many_polls_as_it_has_messages(queue: Queue, poll: Wait) -> None:
    polls = [poll(queue, MaxNumberOfMessages=1) for _ in range(3)]

    entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(3)]
    queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)

    assert sorted(body for waiting in polls for body in waiting.bodies()) == ["0", "1", "2"]


def test_poll_that_finds_its_message_taken_goes_on_waiting(queue: Queue, poll: Wait) -> None:
    waiting = poll(queue)

    queue.send("late", DelaySeconds=60)

    assert waiting.is_waiting


def test_poll_of_another_queue_is_left_alone(queues: Queues, poll: Wait) -> None:
    queue, other = queues.standard(), queues.standard()
    waiting = poll(other)

    queue.send("one")

    assert waiting.is_waiting


def test_end_of_a_visibility_timeout_wakes_a_poll(cumulet: Cumulet, queue: Queue, poll: Wait) -> None:
    queue.send("one")
    queue.receive(VisibilityTimeout=600)
    waiting = poll(queue)

    cumulet.advance(seconds=599)
    assert waiting.is_waiting
    cumulet.advance(seconds=1)

    assert waiting.bodies() == ["one"]


def test_receive_beside_a_poll_lets_it_know_when_the_message_comes_back(
    cumulet: Cumulet, queue: Queue, poll: Wait
) -> None:
    queue.send("one", DelaySeconds=10)
    waiting = poll(queue)
    cumulet.advance(seconds=10)
    assert waiting.bodies() == ["one"]

    waiting = poll(queue)
    cumulet.advance(seconds=30)

    assert waiting.bodies() == ["one"]


@pytest.mark.parametrize("kind", ["standard", "fifo"])
def test_poll_that_came_away_empty_gets_the_message_when_its_receiver_lets_it_go(
    cumulet: Cumulet, queues: Queues, poll: Wait, kind: str
) -> None:
    queue = queues.fifo() if kind == "fifo" else queues.standard()
    first, second = poll(queue, VisibilityTimeout=600), poll(queue)
    queue.send("one", **({"MessageGroupId": "g", "MessageDeduplicationId": "1"} if kind == "fifo" else {}))
    assert first.bodies() == ["one"]
    assert second.is_waiting

    cumulet.advance(seconds=600)

    assert second.bodies() == ["one"]


def test_receive_that_hides_nothing_leaves_the_message_to_the_next_poll(queue: Queue, poll: Wait) -> None:
    first, second = poll(queue, VisibilityTimeout=0), poll(queue, VisibilityTimeout=0)

    queue.send("one")

    assert (first.bodies(), second.bodies()) == (["one"], ["one"])


def test_message_given_back_wakes_a_poll(queue: Queue, poll: Wait) -> None:
    queue.send("one")
    [message] = queue.receive(VisibilityTimeout=600)
    waiting = poll(queue)

    queue.hide(message, 0)

    assert waiting.bodies() == ["one"]


def test_shortened_visibility_timeout_wakes_a_poll_earlier(cumulet: Cumulet, queue: Queue, poll: Wait) -> None:
    queue.send("one")
    [message] = queue.receive(VisibilityTimeout=600)
    waiting = poll(queue)
    queue.hide(message, 10)

    cumulet.advance(seconds=10)

    assert waiting.bodies() == ["one"]


def test_end_of_a_delay_wakes_a_poll(cumulet: Cumulet, queue: Queue, poll: Wait) -> None:
    waiting = poll(queue)
    queue.send("one", DelaySeconds=900)

    cumulet.advance(seconds=899)
    assert waiting.is_waiting
    cumulet.advance(seconds=1)

    assert waiting.bodies() == ["one"]


def test_unlocked_group_wakes_a_poll(fifo: Queue, poll: Wait) -> None:
    fifo.send_to("g", "m1", "m2")
    [message] = fifo.receive(1)
    waiting = poll(fifo)

    fifo.delete(message)

    assert waiting.bodies() == ["m2"]


def test_batch_delete_that_unlocks_a_group_wakes_a_poll(fifo: Queue, poll: Wait) -> None:
    fifo.send_to("g", "m1", "m2", "m3")
    entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(fifo.receive(2))]
    waiting = poll(fifo)

    fifo.sqs.delete_message_batch(QueueUrl=fifo.url, Entries=entries)

    assert waiting.bodies() == ["m3"]


def test_group_comes_back_to_a_poll_when_its_visibility_timeout_ends(cumulet: Cumulet, fifo: Queue, poll: Wait) -> None:
    fifo.send_to("g", "m1", "m2")
    fifo.receive(1)
    waiting = poll(fifo, MaxNumberOfMessages=10)

    cumulet.advance(seconds=30)

    assert waiting.bodies() == ["m1", "m2"]


def test_group_whose_message_in_flight_expires_wakes_a_poll(cumulet: Cumulet, queues: Queues, poll: Wait) -> None:
    fifo = queues.fifo(MessageRetentionPeriod="60")
    fifo.send_to("g", "old")
    fifo.receive(VisibilityTimeout=600)
    cumulet.advance(seconds=30)
    fifo.send_to("g", "new")
    waiting = poll(fifo)

    cumulet.advance(seconds=30)

    assert waiting.bodies() == ["new"]


def test_message_that_becomes_a_dead_letter_wakes_a_poll_of_the_dead_letter_queue(
    queues: Queues, queue: Queue, poll: Wait
) -> None:
    dead_letters = queues.standard()
    queue.bury_in(dead_letters, after=1)
    queue.send("poison")
    queue.receive(VisibilityTimeout=0)
    waiting = poll(dead_letters)

    assert queue.bodies() == []

    assert waiting.bodies() == ["poison"]


def test_move_task_wakes_a_poll_of_the_destination(queues: Queues, queue: Queue, poll: Wait) -> None:
    dead_letters = queues.standard()
    queue.bury_in(dead_letters, after=1)
    dead_letters.send("one")
    waiting = poll(queue)

    queue.sqs.start_message_move_task(SourceArn=dead_letters.arn, DestinationArn=queue.arn)

    assert waiting.bodies() == ["one"]


def test_shortened_delay_of_a_fifo_queue_wakes_a_poll(queues: Queues, poll: Wait) -> None:
    fifo = queues.fifo(DelaySeconds="900")
    fifo.send_to("g", "one")
    waiting = poll(fifo)

    fifo.set(DelaySeconds="0")

    assert waiting.bodies() == ["one"]


def test_deleted_queue_ends_its_polls_with_an_error(queue: Queue, poll: Wait) -> None:
    """AWS documents nothing for this; waiting on for a queue that is gone helps nobody."""
    waiting = poll(queue)

    queue.sqs.delete_queue(QueueUrl=queue.url)

    answer = waiting.answer()
    assert (answer.status, answer.json["__type"]) == (400, "com.amazonaws.sqs#QueueDoesNotExist")


def test_poll_outlives_a_purge(queue: Queue, poll: Wait) -> None:
    waiting = poll(queue)

    queue.sqs.purge_queue(QueueUrl=queue.url)
    assert waiting.is_waiting
    queue.send("one")

    assert waiting.bodies() == ["one"]


def test_client_that_hangs_up_takes_no_message(queue: Queue, poll: Wait, wire: Wire) -> None:
    gone, waiting = poll(queue), poll(queue)
    gone.leave()
    assert waiting.is_waiting

    queue.send("one")

    assert waiting.bodies() == ["one"]


def test_queues_own_wait_holds_unless_the_receive_says_zero(cumulet: Cumulet, queues: Queues, wire: Wire) -> None:
    queue = queues.standard(ReceiveMessageWaitTimeSeconds="20")
    assert wire.call("ReceiveMessage", QueueUrl=queue.url, WaitTimeSeconds=0) == {}
    waiting = LongPoll(wire, queue.url, WaitTimeSeconds=None)
    assert waiting.is_waiting

    queue.send("one")

    assert waiting.bodies() == ["one"]


def test_poll_with_messages_at_hand_answers_at_once_with_what_there_is(queue: Queue, wire: Wire) -> None:
    queue.send("one")

    answered = LongPoll(wire, queue.url, MaxNumberOfMessages=10)

    assert answered.bodies() == ["one"]


def test_poll_is_answered_empty_when_its_time_is_over(queue: Queue, wire: Wire) -> None:
    assert wire.call("ReceiveMessage", QueueUrl=queue.url, WaitTimeSeconds=1) == {}


def test_advancing_the_clock_does_not_end_a_poll(cumulet: Cumulet, queue: Queue, poll: Wait) -> None:
    waiting = poll(queue)

    cumulet.advance(minutes=5)
    assert waiting.is_waiting
    queue.send("one")

    assert waiting.bodies() == ["one"]
