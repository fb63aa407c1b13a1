"""What a topic has accepted its HTTP endpoints get, however often the server is killed.

They are outside of the store: a kill finds messages that wait behind others, wait for their retry, or are on their way,
and those may come twice. The dead-letter queue is inside: what an endpoint never takes is there once.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from clients import Recorder
from history import History
from hooks import PATHS, Hooks, serving
from rounds import Advancer, at_work, kill_again_and_again, told
from transports import CloudTransport, RawTransport
from victim import Victim, running

CLIENTS = 2
SHARE_OF_KILLS = 0.02
TOPIC = "arn:aws:sns:us-east-1:000000000000:hooks"
DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
RETRY_MS = 20_000
RETRIES = 3
REST_MS = 600_000
"""Enough for all retries, though an endpoint that always fails is tried with pauses."""
PAUSE_SECONDS = (0.0, 0.05)
LOAD_SECONDS = (0.1, 0.6)


@dataclass
class Story:
    """Messages by what clients know of them, what endpoints have seen, and the dead letters."""

    attempted: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    tried: dict[str, Counter[str]] = field(default_factory=dict)
    taken: dict[str, Counter[str]] = field(default_factory=dict)
    """By path, as `tried`."""
    dead: Counter[str] = field(default_factory=Counter)


class Publisher:
    """Publishes again and again."""

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
            message = f"{self._name}-{number}"
            self._story.attempted.add(message)
            if self._recorder.ask("sns:Publish", "hooks", TopicArn=TOPIC, Message=message).is_done:
                self._story.accepted.add(message)


def prepare(victim: Victim, hooks: Hooks) -> None:
    """Make the topic, its dead-letter queue, and subscriptions that are confirmed."""
    with closing(RawTransport(victim)) as queues:
        queues.call("CreateQueue", {"QueueName": "dead"})
    attributes = {"RawMessageDelivery": "true", "RedrivePolicy": f'{{"deadLetterTargetArn": "{DEAD}"}}'}
    with closing(CloudTransport(victim, ["sns"])) as cloud:
        cloud.call("sns:CreateTopic", {"Name": "hooks"})
        for path in PATHS:
            subscription = {"TopicArn": TOPIC, "Protocol": "http", "Endpoint": hooks.url(path)}
            cloud.call("sns:Subscribe", subscription | {"Attributes": attributes})
        victim.advance(1)
        for path in PATHS:
            cloud.call("sns:ConfirmSubscription", {"TopicArn": TOPIC, "Token": hooks.tokens[path]})


def come_to_rest(victim: Victim, story: Story, hooks: Hooks) -> None:
    """Let all that is due happen, and collect what there is."""
    victim.advance(REST_MS)
    story.tried, story.taken = hooks.tried, hooks.taken
    with closing(RawTransport(victim)) as queues:
        story.dead = Counter(taken(queues, "dead"))


def taken(queues: RawTransport, queue: str) -> Iterator[str]:
    """Receive and delete all that is in a queue; yield the bodies."""
    while messages := queues.call("ReceiveMessage", {"QueueUrl": queue, "MaxNumberOfMessages": 10}).get("Messages"):
        entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
        queues.call("DeleteMessageBatch", {"QueueUrl": queue, "Entries": entries})
        yield from (message["Body"] for message in messages)


def flaws(story: Story, kills: int) -> Iterator[str]:
    """Yield what is wrong."""
    for message in sorted(story.attempted):
        tries = {path: story.tried[path][message] for path in PATHS}
        takings = {path: story.taken[path][message] for path in PATHS}
        if not (any(tries.values()) or story.dead[message] or message in story.accepted):
            continue
        for path in ("plain", "flaky", "slow"):
            if not 1 <= takings[path] <= 1 + kills:
                yield f"{message} was taken {takings[path]} times by {path}"
        if not 1 <= tries["refusing"] - RETRIES <= 1 + kills or takings["refusing"]:
            yield f"{message} was tried {tries['refusing']} times with what refuses it"
        if story.dead[message] != 1:
            yield f"{message} has {story.dead[message]} dead letters"
    seen = set(story.dead).union(*story.tried.values())
    yield from (f"there is {message}, which nobody sent" for message in sorted(seen - story.attempted))


def test_accepted_messages_reach_http_endpoints_over_kills(
    kills: int, crash_seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(f"{crash_seed} hooks")
    part = max(1, round(kills * SHARE_OF_KILLS))
    victim = Victim(tmp_path / "data", clock="virtual", chance=chance)
    history, story = History(), Story()
    with serving(random.Random(chance.random())) as hooks, running(victim), ExitStack() as opened:
        prepare(victim, hooks)
        transports = [opened.enter_context(closing(CloudTransport(victim, ["sns"]))) for _ in range(CLIENTS)]
        recorders = [Recorder(victim, history, transport) for transport in transports]
        workers: list[Any] = [Publisher(recorder, story, random.Random(chance.random())) for recorder in recorders]
        workers.append(Advancer(victim, random.Random(chance.random()), (RETRY_MS,), leap_share=0.1))
        with at_work(workers):
            kill_again_and_again(victim, history, chance, part, tmp_path / "copy", load_seconds=LOAD_SECONDS)
        come_to_rest(victim, story, hooks)

    found = [*history.flaws, *flaws(story, part)]
    assert found == [], told(found, crash_seed)
    assert story.accepted
    record_property("kills", part)
    record_property("messages", len(story.accepted))
    again = sum(story.taken["slow"][message] - 1 for message in story.accepted)
    record_property("taken again after a kill", again)


SOUND = {"plain": 1, "flaky": 1, "slow": 1, "refusing": 0}


@pytest.mark.parametrize(
    ("flaw", "takings", "tries", "dead"),
    [
        ("a message is lost", {"slow": 0}, 4, 1),
        ("it came more often than kills explain", {"plain": 3}, 4, 1),
        ("a dead letter is missing", {}, 4, 0),
        ("a dead letter is there twice", {}, 4, 2),
        ("a retry is missing", {}, 3, 1),
        ("one retry more than kills explain", {}, 6, 1),
        ("who refuses has taken it", {"refusing": 1}, 4, 1),
    ],
)
def test_flaw_in_deliveries_is_found(flaw: str, takings: dict[str, int], tries: int, dead: int) -> None:
    assert [*flaws(told_by(SOUND, 4, 1), 1)] == []
    assert [*flaws(told_by(SOUND | takings, tries, dead), 1)]


def told_by(takings: dict[str, int], tries: int, dead: int) -> Story:
    """Return the story of one accepted message."""
    tried = {path: Counter({"m": tries if path == "refusing" else takings[path]}) for path in PATHS}
    taken = {path: Counter({"m": count}) for path, count in takings.items()}
    return Story({"m"}, {"m"}, tried, taken, Counter({"m": dead}))
