"""The checker of histories finds what it is there for: each test makes one sound history, or one that is not.

A checker that finds nothing proves nothing, so every rule has a history that breaks it; and a server that really
has lost its last writes is found out.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import administration
import pytest
from checker import flaws
from clients import Habits, RandomClient, Recorder, drain
from history import History, Outcome
from rounds import at_work
from transports import RawTransport
from victim import Victim, running

QUEUE, FIFO_QUEUE, DEAD_QUEUE = "orders", "steps.fifo", "dead-orders"


class Story:
    """Writes a history by hand. Every step takes a second of the platform's time."""

    def __init__(self) -> None:
        self.history = History()
        self.now_ms = 1_000_000

    def does(
        self, kind: str, queue: str, answer: dict[str, Any] | None = None, *, refused: str = "", **request: Any
    ) -> None:
        """Add an operation: `answer` is None where there was none."""
        operation = self.history.begin(kind, queue, request, self.now_ms)
        self.now_ms += 1000
        outcome = Outcome.REFUSED if refused else Outcome.UNKNOWN if answer is None else Outcome.DONE
        self.history.end(operation, outcome, self.now_ms, answer=answer or {}, error=refused)

    def sends(self, name: str, *, is_known: bool = True, delay_seconds: int = 0) -> None:
        """Send one message whose MessageId is its name."""
        answer = {"MessageId": name} if is_known else None
        self.does("SendMessage", QUEUE, answer, MessageBody=name, DelaySeconds=delay_seconds)

    def sends_fifo(self, name: str, message_id: str | None, sequence: int, *, group: str = "g") -> None:
        """Send one message to a FIFO queue."""
        answer = None if message_id is None else {"MessageId": message_id, "SequenceNumber": str(sequence)}
        self.does("SendMessage", FIFO_QUEUE, answer, MessageBody=name, MessageGroupId=group)

    def receives(self, *names: str, count: int = 1, queue: str = QUEUE, visibility_seconds: int = 30) -> None:
        """Receive messages that `sends` has sent; their handles are name/count."""
        messages = [received(name, name, count) for name in names]
        self.does("ReceiveMessage", queue, {"Messages": messages}, VisibilityTimeout=visibility_seconds)

    def receives_fifo(self, *messages: tuple[str, str, int], group: str = "g") -> None:
        """Receive (body, message id, sequence) from a FIFO queue."""
        found = [received(*message[:2], 1, group, message[2]) for message in messages]
        self.does("ReceiveMessage", FIFO_QUEUE, {"Messages": found}, VisibilityTimeout=30)

    def deletes(self, *names: str, count: int = 1, queue: str = QUEUE, is_known: bool = True) -> None:
        """Delete what was received."""
        entries = [{"Id": str(n), "ReceiptHandle": f"{name}/{count}"} for n, name in enumerate(names)]
        done = {"Successful": [{"Id": entry["Id"]} for entry in entries]} if is_known else None
        self.does("DeleteMessageBatch", queue, done, Entries=entries)


def received(body: str, message_id: str, count: int, group: str | None = None, sequence: int = 0) -> dict[str, Any]:
    """Return a message of a ReceiveMessage answer."""
    attributes = {"ApproximateReceiveCount": str(count)}
    if group is not None:
        attributes |= {"MessageGroupId": group, "SequenceNumber": str(sequence)}
    return {
        "Body": body,
        "MD5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "MessageId": message_id,
        "ReceiptHandle": f"{message_id}/{count}",
        "Attributes": attributes,
    }


def sound(story: Story) -> None:
    story.sends("a", delay_seconds=0)
    story.sends("b", is_known=False)
    story.sends("never happened", is_known=False)
    story.receives("a", "b", visibility_seconds=0)
    story.receives("a", "b", count=2)
    story.deletes("a", "b", count=2)


def sound_fifo(story: Story) -> None:
    story.sends_fifo("a~1", None, 0)
    story.sends_fifo("a~2", "A", 1)
    story.sends_fifo("b~1", "B", 2)
    story.receives_fifo(("a~1", "A", 1), ("b~1", "B", 2))
    story.deletes("A", "B", queue=FIFO_QUEUE)


def lost(story: Story) -> None:
    story.sends("a")


def lost_after_receive(story: Story) -> None:
    story.sends("a")
    story.receives("a")


def lost_though_delete_was_refused(story: Story) -> None:
    story.sends("a")
    story.receives("a")
    refusal = "InvalidParameterValueException"
    story.does("DeleteMessage", QUEUE, refused=refusal, ReceiptHandle="a/1")


def resurrected(story: Story) -> None:
    story.sends("a")
    story.receives("a", visibility_seconds=0)
    story.deletes("a")
    story.receives("a", count=2)


def invented(story: Story) -> None:
    story.receives("a")
    story.deletes("a")


def received_in_wrong_order(story: Story) -> None:
    story.sends_fifo("a", "A", 1)
    story.sends_fifo("b", "B", 2)
    story.receives_fifo(("b", "B", 2), ("a", "A", 1))
    story.deletes("A", "B", queue=FIFO_QUEUE)


def received_past_a_waiting_message(story: Story) -> None:
    story.sends_fifo("a", "A", 1)
    story.sends_fifo("b", "B", 2)
    story.receives_fifo(("b", "B", 2))
    story.receives_fifo(("a", "A", 1))
    story.deletes("A", "B", queue=FIFO_QUEUE)


def received_with_a_gap(story: Story) -> None:
    for number, name in enumerate("abc", 1):
        story.sends_fifo(name, name.upper(), number)
    story.receives_fifo(("a", "A", 1), ("c", "C", 3))
    story.receives_fifo(("b", "B", 2))
    story.deletes("A", "B", "C", queue=FIFO_QUEUE)


def duplicate_within_window(story: Story) -> None:
    story.sends_fifo("a~1", None, 0)
    story.sends_fifo("a~2", "A2", 2)
    story.receives_fifo(("a~1", "A1", 1), ("a~2", "A2", 2))
    story.deletes("A1", "A2", queue=FIFO_QUEUE)


def duplicate_with_other_answer(story: Story) -> None:
    story.sends_fifo("a~1", "A1", 1)
    story.sends_fifo("a~2", "A2", 2)
    story.receives_fifo(("a~1", "A1", 1))
    story.deletes("A1", queue=FIFO_QUEUE)


def deduplicated_after_window(story: Story) -> None:
    story.sends_fifo("a~1", "A", 1)
    story.now_ms += 300_000
    story.sends_fifo("a~2", "A", 1)
    story.receives_fifo(("a~1", "A", 1))
    story.deletes("A", queue=FIFO_QUEUE)


def sequence_number_used_again(story: Story) -> None:
    story.sends_fifo("a", "A", 1)
    story.sends_fifo("b", "B", 1, group="h")
    story.receives_fifo(("a", "A", 1))
    story.receives_fifo(("b", "B", 1), group="h")
    story.deletes("A", "B", queue=FIFO_QUEUE)


def sequence_number_smaller_than_before(story: Story) -> None:
    story.sends_fifo("a", "A", 2)
    story.sends_fifo("b", "B", 1)
    story.receives_fifo(("b", "B", 1), ("a", "A", 2))
    story.deletes("A", "B", queue=FIFO_QUEUE)


def batch_sent_in_part(story: Story) -> None:
    story.does("SendMessageBatch", QUEUE, Entries=[{"Id": name, "MessageBody": name} for name in "ab"])
    story.receives("a")
    story.deletes("a")


def batch_deleted_in_part(story: Story) -> None:
    story.sends("a")
    story.sends("b")
    story.receives("a", "b")
    story.deletes("a", "b", is_known=False)
    story.now_ms += 30_000
    story.receives("a", count=2)
    story.deletes("a", count=2)


def received_before_its_delay_was_over(story: Story) -> None:
    story.sends("a", delay_seconds=10)
    story.receives("a")
    story.deletes("a")


def received_while_held(story: Story) -> None:
    story.sends("a")
    story.receives("a", visibility_seconds=30)
    story.receives("a", count=2)
    story.deletes("a", count=2)


def received_though_held_longer(story: Story) -> None:
    story.sends("a")
    story.receives("a", visibility_seconds=30)
    story.does("ChangeMessageVisibility", QUEUE, {}, ReceiptHandle="a/1", VisibilityTimeout=100)
    story.now_ms += 50_000
    story.receives("a", count=2)
    story.deletes("a", count=2)


def counted_twice(story: Story) -> None:
    story.sends("a")
    story.receives("a", visibility_seconds=0)
    story.receives("a", visibility_seconds=0)
    story.deletes("a")


def refused_for_no_reason(story: Story) -> None:
    story.does("SendMessage", QUEUE, refused="QueueDoesNotExist", MessageBody="a")


def received_too_often(story: Story) -> None:
    story.sends("a")
    story.receives("a", visibility_seconds=0)
    story.receives("a", count=2, visibility_seconds=0)
    story.receives("a", count=3)
    story.deletes("a", count=3)


def buried_too_early(story: Story) -> None:
    story.sends("a")
    story.receives("a", visibility_seconds=0)
    story.receives("a", count=2, queue=DEAD_QUEUE)
    story.deletes("a", count=2, queue=DEAD_QUEUE)


def resurrected_from_dead_letters(story: Story) -> None:
    story.sends("a")
    story.receives("a", count=3, queue=DEAD_QUEUE, visibility_seconds=0)
    story.deletes("a", count=3, queue=DEAD_QUEUE)
    story.receives("a", count=4, queue=DEAD_QUEUE)


@pytest.mark.parametrize("tell", [sound, sound_fifo])
def test_sound_history_has_no_flaws(tell: Callable[[Story], None]) -> None:
    story = Story()

    tell(story)

    assert flaws(story.history) == []


@pytest.mark.parametrize(
    ("tell", "complaint"),
    [
        (lost, "was never received"),
        (lost_after_receive, "not deleted, and gone"),
        (lost_though_delete_was_refused, "not deleted, and gone"),
        (resurrected, "had deleted"),
        (invented, "nobody sent"),
        (received_in_wrong_order, "in the order [2, 1]"),
        (received_past_a_waiting_message, "before 1"),
        (received_with_a_gap, "without 2"),
        (duplicate_within_window, "is there 2 times"),
        (duplicate_with_other_answer, "is there 2 times"),
        (deduplicated_after_window, "after the deduplication window"),
        (sequence_number_used_again, "was given to A and to B"),
        (sequence_number_smaller_than_before, "after 2 had been given"),
        (batch_sent_in_part, "only 1 of 2 sends"),
        (batch_deleted_in_part, "only the deletes of ['b'] happened"),
        (received_before_its_delay_was_over, "before its delay was over"),
        (received_while_held, "gave it free"),
        (received_though_held_longer, "gave it free"),
        (counted_twice, "both say receive 1"),
        (refused_for_no_reason, "was refused: QueueDoesNotExist"),
    ],
)
def test_flaw_is_found(tell: Callable[[Story], None], complaint: str) -> None:
    story = Story()

    tell(story)

    found = flaws(story.history)
    assert any(complaint in flaw for flaw in found), found


@pytest.mark.parametrize(
    ("tell", "complaint"),
    [
        (received_too_often, "though it had been received 2 times"),
        (buried_too_early, "was buried after 1 receives"),
        (resurrected_from_dead_letters, "had deleted"),
    ],
)
def test_flaw_of_dead_letters_is_found(tell: Callable[[Story], None], complaint: str) -> None:
    story = Story()

    tell(story)

    found = flaws(story.history, max_receive_count=2)
    assert any(complaint in flaw for flaw in found), found


SEEN = {**administration.DEFAULTS, "ApproximateNumberOfMessages": "0"}
BATCH = [{"Id": "0", "MessageBody": "a"}, {"Id": "1", "MessageBody": "b"}]


@pytest.mark.parametrize("changes_seen", [0, 2])
def test_change_without_an_answer_may_have_happened(changes_seen: int) -> None:
    story = Story()
    given = {"VisibilityTimeout": "7", "DelaySeconds": "8"}

    story.does("CreateQueue", QUEUE, {})
    story.does("SetQueueAttributes", QUEUE, Attributes=given)
    story.does("GetQueueAttributes", QUEUE, {"Attributes": SEEN | dict(list(given.items())[:changes_seen])})

    assert list(administration.flaws(story.history, QUEUE)) == []


def attributes_changed_in_part(story: Story) -> None:
    story.does("SetQueueAttributes", QUEUE, Attributes={"VisibilityTimeout": "7", "DelaySeconds": "8"})
    story.does("GetQueueAttributes", QUEUE, {"Attributes": SEEN | {"VisibilityTimeout": "7"}})


def attributes_lost(story: Story) -> None:
    story.does("SetQueueAttributes", QUEUE, {}, Attributes={"VisibilityTimeout": "7"})
    story.does("GetQueueAttributes", QUEUE, {"Attributes": SEEN})


def tags_lost(story: Story) -> None:
    story.does("TagQueue", QUEUE, {}, Tags={"team": "a"})
    story.does("ListQueueTags", QUEUE, {})


def purged_messages_came_back(story: Story) -> None:
    story.does("SendMessageBatch", QUEUE, {}, Entries=BATCH)
    story.does("PurgeQueue", QUEUE, {})
    story.does("GetQueueAttributes", QUEUE, {"Attributes": SEEN | {"ApproximateNumberOfMessages": "2"}})


def purged_in_part(story: Story) -> None:
    story.does("SendMessageBatch", QUEUE, {}, Entries=BATCH)
    story.does("PurgeQueue", QUEUE)
    story.does("GetQueueAttributes", QUEUE, {"Attributes": SEEN | {"ApproximateNumberOfMessages": "1"}})


def deleted_queue_came_back(story: Story) -> None:
    story.does("DeleteQueue", QUEUE, {})
    story.does("GetQueueAttributes", QUEUE, {"Attributes": SEEN})


def queue_lost(story: Story) -> None:
    story.does("GetQueueAttributes", QUEUE, refused="QueueDoesNotExist")


@pytest.mark.parametrize(
    "tell",
    [
        attributes_changed_in_part,
        attributes_lost,
        tags_lost,
        purged_messages_came_back,
        purged_in_part,
        deleted_queue_came_back,
        queue_lost,
    ],
)
def test_flaw_of_a_queue_is_found(tell: Callable[[Story], None]) -> None:
    story = Story()

    story.does("CreateQueue", QUEUE, {})
    tell(story)

    assert len(list(administration.flaws(story.history, QUEUE))) == 1


def test_server_that_lost_its_last_writes_is_found_out(crash_seed: int, tmp_path: Path) -> None:
    chance = random.Random(crash_seed)
    history = History()
    with running(Victim(tmp_path / "data", clock="virtual", chance=chance)) as victim:
        with closing(RawTransport(victim)) as transport:
            transport.call("CreateQueue", {"QueueName": QUEUE})
        victim.advance(1)
        victim.stop()  # the log is copied into the database: the queue is safe
        victim.start()
        with closing(RawTransport(victim)) as transport:
            recorder = Recorder(victim, history, transport)
            with at_work([RandomClient(recorder, Habits((QUEUE,), (QUEUE,), (30,)), chance)]):
                while sum(operation.is_done for operation in list(history.operations)) < 100:
                    victim.server.now_ms()
                victim.kill()
                (victim.folder / "cumulet.db-wal").unlink()
                victim.start()
            stuck = drain(recorder, victim, [QUEUE], 30)

    found = flaws(history)

    assert stuck == []
    losses = [flaw for flaw in found if "was never received" in flaw or "not deleted, and gone" in flaw]
    assert losses != [], f"--crash-seed {crash_seed}: {found}"
