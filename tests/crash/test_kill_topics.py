"""What a topic has accepted all its queues get exactly once, however often the server is killed.

Queues are inside of the store: a message is in all of them or, where nobody was told that it was accepted, in none. One
topic has more queues than a publish reaches itself, so kills find messages that some queues have and others have not.
In queues of a FIFO topic the messages of a group are in the order of their sequence numbers; those that subscribe late
get what was there before by a replay, which is killed as well.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from clients import Recorder
from history import History, Operation
from rounds import at_work, kill_again_and_again, told
from transports import CloudTransport, RawTransport
from victim import Victim, running

CLIENTS = 2
SHARE_OF_KILLS = 0.05
MANY = 120
"""More than a publish reaches itself."""
TOPICS = "arn:aws:sns:us-east-1:000000000000:"
QUEUES = "arn:aws:sqs:us-east-1:000000000000:"
STANDARD = [f"many-{number}" for number in range(MANY)]
CHOOSY = "choosy"
"""A queue that gets the messages of one kind."""
FIFO = ["first.fifo", "second.fifo"]
LATE = [f"late-{number}.fifo" for number in range(5)]
"""Queues that subscribe to the FIFO topic while it is used."""
LATE_SECONDS = (0.2, 1.0)
ARCHIVED = {"FifoTopic": "true", "ArchivePolicy": '{"MessageRetentionPeriod": "365"}'}
KINDS = ("plain", "chosen")
GROUPS = ("a", "b", "c")
PAUSE_SECONDS = (0.0, 0.08)
LOAD_SECONDS = (0.1, 0.6)


@dataclass
class Story:
    """Messages by what clients know of them, and what the queues hold."""

    attempted: set[str] = field(default_factory=set)
    accepted: dict[str, int] = field(default_factory=dict)
    """With their sequence numbers, 0 in the standard topic."""
    found: dict[str, list[str]] = field(default_factory=dict)
    """By queue, as they came."""
    late: list[str] = field(default_factory=list)
    """The queues that have subscribed to the FIFO topic while it was used."""


class Publisher:
    """Publishes again and again, to both topics."""

    _numbers = itertools.count(1)

    def __init__(self, recorder: Recorder, story: Story, chance: random.Random) -> None:
        self._recorder = recorder
        self._story = story
        self._chance = chance
        self._name = f"p{next(self._numbers)}"

    def run(self, over: threading.Event) -> None:
        """Publish until it is over."""
        for number in itertools.count(1):
            if over.wait(self._chance.uniform(*PAUSE_SECONDS)):
                return
            if self._chance.random() < 0.5:
                kind = self._chance.choice(KINDS)
                self._publish("many", f"{kind}-{self._name}-{number}", kind)
            else:
                self._publish_in_order(f"{self._chance.choice(GROUPS)}-{self._name}-{number}", over)

    def _publish_in_order(self, message: str, over: threading.Event) -> None:
        """Publish to the FIFO topic again until it is known that the message is there."""
        group = message.partition("-")[0]
        while not over.is_set():
            ids = {"MessageGroupId": group, "MessageDeduplicationId": message}
            if self._publish("ordered.fifo", message, "plain", **ids).is_done:
                return

    def _publish(self, topic: str, message: str, kind: str, **members: str) -> Operation:
        self._story.attempted.add(message)
        operation = self._recorder.ask(
            "sns:Publish",
            topic,
            TopicArn=TOPICS + topic,
            Message=message,
            MessageAttributes={"kind": {"DataType": "String", "StringValue": kind}},
            **members,
        )
        if operation.is_done:
            self._story.accepted[message] = int(operation.answer.get("SequenceNumber", 0))
        return operation


class Latecomer:
    """Subscribes one queue after the other to the FIFO topic, from its beginning."""

    def __init__(self, recorder: Recorder, story: Story, chance: random.Random, beginning: str) -> None:
        self._recorder = recorder
        self._story = story
        self._chance = chance
        self._policy = json.dumps({"PointType": "Timestamp", "StartingPoint": beginning})

    def run(self, over: threading.Event) -> None:
        """Subscribe until it is over, or enough have."""
        for queue in LATE:
            if over.wait(self._chance.uniform(*LATE_SECONDS)):
                return
            attributes = {"RawMessageDelivery": "true", "ReplayPolicy": self._policy}
            while not over.is_set():
                members = {"TopicArn": TOPICS + "ordered.fifo", "Protocol": "sqs", "Endpoint": QUEUES + queue}
                if self._recorder.ask("sns:Subscribe", queue, **members, Attributes=attributes).is_done:
                    self._story.late.append(queue)
                    break


def prepare(victim: Victim) -> str:
    """Make topics, queues and subscriptions; return when the archive of the FIFO topic began."""
    with closing(RawTransport(victim)) as queues:
        for queue in (*STANDARD, CHOOSY):
            queues.call("CreateQueue", {"QueueName": queue})
        for queue in (*FIFO, *LATE):
            queues.call("CreateQueue", {"QueueName": queue, "Attributes": {"FifoQueue": "true"}})
    with closing(CloudTransport(victim, ["sns"])) as cloud:
        cloud.call("sns:CreateTopic", {"Name": "many"})
        cloud.call("sns:CreateTopic", {"Name": "ordered.fifo", "Attributes": ARCHIVED})
        for queue in (*STANDARD, CHOOSY, *FIFO):
            topic = "ordered.fifo" if queue in FIFO else "many"
            attributes = {"RawMessageDelivery": "true"}
            if queue == CHOOSY:
                attributes["FilterPolicy"] = '{"kind": ["chosen"]}'
            subscription = {"TopicArn": TOPICS + topic, "Protocol": "sqs", "Endpoint": QUEUES + queue}
            cloud.call("sns:Subscribe", subscription | {"Attributes": attributes})
        shown = cloud.call("sns:GetTopicAttributes", {"TopicArn": TOPICS + "ordered.fifo"})["Attributes"]
        beginning: str = shown["BeginningArchiveTime"]
        return beginning


def come_to_rest(victim: Victim, story: Story) -> None:
    """Let all that is under way arrive, and collect what the queues hold."""
    victim.advance(1)
    with closing(RawTransport(victim)) as queues:
        for queue in (*STANDARD, CHOOSY, *FIFO, *story.late):
            story.found[queue] = list(taken(queues, queue))


def taken(queues: RawTransport, queue: str) -> Iterator[str]:
    """Receive and delete all that is in a queue; yield the bodies."""
    while messages := queues.call("ReceiveMessage", {"QueueUrl": queue, "MaxNumberOfMessages": 10}).get("Messages"):
        entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
        queues.call("DeleteMessageBatch", {"QueueUrl": queue, "Entries": entries})
        yield from (message["Body"] for message in messages)


def is_for(message: str, queue: str) -> bool:
    """Return whether a queue is to get a message."""
    if message.partition("-")[0] in GROUPS:
        return queue in FIFO or queue in LATE
    return queue in STANDARD or (queue == CHOOSY and message.startswith("chosen"))


def flaws(story: Story) -> Iterator[str]:
    """Yield what is wrong."""
    counts = {queue: Counter(found) for queue, found in story.found.items()}
    for message in sorted(story.attempted):
        wanted = {queue for queue in counts if is_for(message, queue)}
        has = {queue for queue in counts if counts[queue][message]}
        if (has or message in story.accepted) and has != wanted:
            yield f"{message} is missing in {sorted(wanted - has)}, and not for {sorted(has - wanted)}"
    for queue, found in counts.items():
        yield from (f"{queue} has {message} {count} times" for message, count in found.items() if count > 1)
        yield from (f"{queue} has {message}, which nobody sent" for message in found.keys() - story.attempted)
    for queue, group in itertools.product([*FIFO, *story.late], GROUPS):
        in_order = [message for message in story.found[queue] if message.startswith(f"{group}-")]
        numbers = [story.accepted[message] for message in in_order if message in story.accepted]
        if numbers != sorted(numbers):
            yield f"group {group} of {queue} is out of order: {in_order}"


def test_accepted_messages_reach_all_queues_once_over_kills(
    kills: int, crash_seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(f"{crash_seed} topics")
    part = max(1, round(kills * SHARE_OF_KILLS))
    victim = Victim(tmp_path / "data", clock="virtual", chance=chance)
    history, story = History(), Story()
    with running(victim), ExitStack() as opened:
        beginning = prepare(victim)
        transports = [opened.enter_context(closing(CloudTransport(victim, ["sns"]))) for _ in range(CLIENTS + 1)]
        recorders = [Recorder(victim, history, transport) for transport in transports]
        workers: list[Any] = [Publisher(recorder, story, random.Random(chance.random())) for recorder in recorders[1:]]
        workers.append(Latecomer(recorders[0], story, random.Random(chance.random()), beginning))
        with at_work(workers):
            kill_again_and_again(victim, history, chance, part, tmp_path / "copy", load_seconds=LOAD_SECONDS)
        come_to_rest(victim, story)

    found = [*history.flaws, *flaws(story)]
    assert found == [], told(found, crash_seed)
    assert story.accepted
    record_property("kills", part)
    record_property("replays", len(story.late))
    record_property("messages", len(story.accepted))
    record_property("deliveries", sum(map(len, story.found.values())))


SOUND: Mapping[str, list[str]] = {
    **{queue: ["plain-1", "chosen-1"] for queue in STANDARD},
    CHOOSY: ["chosen-1"],
    **{queue: ["a-1", "b-1", "a-2"] for queue in (*FIFO, *LATE[:1])},
}


@pytest.mark.parametrize(
    ("flaw", "found"),
    [
        ("a queue lacks a message", {"many-7": ["plain-1"]}),
        ("all queues lack a message", {queue: ["chosen-1"] for queue in STANDARD}),
        ("a message came twice", {"many-7": ["plain-1", "chosen-1", "plain-1"]}),
        ("a message came past the filter", {CHOOSY: ["chosen-1", "plain-1"]}),
        ("a message that nobody sent", {"many-7": ["plain-1", "chosen-1", "plain-2"]}),
        ("a group is out of order", {"first.fifo": ["a-2", "b-1", "a-1"]}),
        ("a FIFO queue lacks a message", {"second.fifo": ["a-1", "a-2"]}),
        ("a replay lacks a message", {"late-0.fifo": ["a-1", "b-1"]}),
        ("a replay delivers a message twice", {"late-0.fifo": ["a-1", "b-1", "a-1", "a-2"]}),
        ("a replay is overtaken by a live message", {"late-0.fifo": ["a-2", "b-1", "a-1"]}),
    ],
)
def test_flaw_is_found(flaw: str, found: dict[str, list[str]]) -> None:
    assert [*flaws(told_by(SOUND))] == []
    assert [*flaws(told_by({**SOUND, **found}))]


def told_by(found: Mapping[str, list[str]]) -> Story:
    """Return the story of five accepted messages."""
    accepted = {"plain-1": 0, "chosen-1": 0, "a-1": 1, "b-1": 2, "a-2": 3}
    return Story(set(accepted), accepted, dict(found), LATE[:1])
