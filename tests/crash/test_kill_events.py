"""What was accepted for an asynchronous invocation is run and told of, however often the server is killed.

Outside of the store at least once: each accepted event is run as often as its retries say, or more often when kills cut
runs off. Inside exactly once: each has one record, in the queue of its end.
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

import orjson
import pytest
from clients import Recorder
from history import History
from pipeline import ARN, FUNCTIONS, ROLE, package
from rounds import Advancer, at_work, kill_again_and_again, told
from transports import CloudTransport, RawTransport
from victim import Victim, running

CLIENTS = 2
SHARE_OF_KILLS = 0.05
KINDS = {"plain": 75, "failing": 15, "slow": 10}
"""What events do to the function, and their shares."""
RETRIES = 1
RETRY_MS = 60_000
LOAD_SECONDS = (0.1, 0.8)
QUEUES = ("results", "successes", "failures", "dead")


@dataclass
class Story:
    """Events by what clients know of them, and what the queues say."""

    attempted: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    runs: Counter[str] = field(default_factory=Counter)
    records: dict[str, Counter[str]] = field(default_factory=dict)
    """By queue."""


class Invoker:
    """Invokes the function asynchronously, again and again."""

    _numbers = itertools.count(1)

    def __init__(self, recorder: Recorder, story: Story, chance: random.Random) -> None:
        self._recorder = recorder
        self._story = story
        self._chance = chance
        self._name = f"i{next(self._numbers)}"

    def run(self, over: threading.Event) -> None:
        """Invoke until it is over."""
        for number in itertools.count(1):
            if over.wait(self._chance.uniform(0.0, 0.02)):
                return
            kind = self._chance.choices(list(KINDS), list(KINDS.values()))[0]
            event = f"{kind}-{self._name}-{number}"
            self._story.attempted.add(event)
            operation = self._recorder.ask(
                "lambda:Invoke",
                "teller",
                FunctionName="teller",
                InvocationType="Event",
                Payload=orjson.dumps({"id": event, "kind": kind}),
            )
            if operation.is_done:
                self._story.accepted.add(event)


def prepare(victim: Victim) -> None:
    """Make the queues and the function."""
    with closing(RawTransport(victim)) as queues:
        for queue in QUEUES:
            queues.call("CreateQueue", {"QueueName": queue})
    with closing(CloudTransport(victim, ["lambda"])) as cloud:
        cloud.call(
            "lambda:CreateFunction",
            {
                "FunctionName": "teller",
                "Runtime": "python3.11",
                "Role": ROLE,
                "Handler": "app.handler",
                "Timeout": 20,
                "Code": {"ZipFile": package((FUNCTIONS / "teller.py").read_text())},
                "Environment": {"Variables": {"RESULTS": "results"}},
                "DeadLetterConfig": {"TargetArn": ARN + "dead"},
            },
        )
        # Some events wait for others to end, or for their time: kills find them in every state.
        cloud.call("lambda:PutFunctionConcurrency", {"FunctionName": "teller", "ReservedConcurrentExecutions": 4})
        cloud.call(
            "lambda:PutFunctionEventInvokeConfig",
            {
                "FunctionName": "teller",
                "MaximumRetryAttempts": RETRIES,
                "DestinationConfig": {
                    "OnSuccess": {"Destination": ARN + "successes"},
                    "OnFailure": {"Destination": ARN + "failures"},
                },
            },
        )


def come_to_rest(victim: Victim, story: Story) -> None:
    """Let all that is due happen, and collect what the queues hold."""
    for _ in range(RETRIES + 1):
        victim.advance(RETRY_MS)
    with closing(RawTransport(victim)) as queues:
        story.runs = Counter(taken(queues, "results"))
        for queue in ("successes", "failures"):
            records = map(orjson.loads, taken(queues, queue))
            story.records[queue] = Counter(record["requestPayload"]["id"] for record in records)
        story.records["dead"] = Counter(orjson.loads(body)["id"] for body in taken(queues, "dead"))


def taken(queues: RawTransport, queue: str) -> Iterator[str]:
    """Receive and delete all that is in a queue; yield the bodies."""
    while messages := queues.call("ReceiveMessage", {"QueueUrl": queue, "MaxNumberOfMessages": 10}).get("Messages"):
        entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
        queues.call("DeleteMessageBatch", {"QueueUrl": queue, "Entries": entries})
        yield from (message["Body"] for message in messages)


def least(event: str) -> int:
    """Return how often an event is run at least."""
    return 1 + RETRIES if event.startswith("failing") else 1


def flaws(story: Story, kills: int) -> Iterator[str]:
    """Yield what is wrong."""
    for event in sorted(story.attempted):
        is_failing = event.startswith("failing")
        ends = {queue: records[event] for queue, records in story.records.items()}
        wanted = {"successes": not is_failing, "failures": is_failing, "dead": is_failing}
        if any(ends.values()) or event in story.accepted:
            if ends != wanted:
                yield f"{event} was accepted and ended as {ends}"
            if not least(event) <= story.runs[event] <= least(event) + kills:
                yield f"{event} was run {story.runs[event]} times"
    for name, found in {"results": story.runs, **story.records}.items():
        yield from (f"{name} tells of {event}, which nobody sent" for event in found.keys() - story.attempted)


def test_accepted_events_are_run_and_told_of_over_kills(
    kills: int, crash_seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(f"{crash_seed} events")
    part = max(1, round(kills * SHARE_OF_KILLS))
    victim = Victim(tmp_path / "data", clock="virtual", chance=chance)
    history, story = History(), Story()
    with running(victim), ExitStack() as opened:
        prepare(victim)
        transports = [opened.enter_context(closing(CloudTransport(victim, ["lambda"]))) for _ in range(CLIENTS)]
        recorders = [Recorder(victim, history, transport) for transport in transports]
        workers: list[Any] = [Invoker(recorder, story, random.Random(chance.random())) for recorder in recorders]
        workers.append(Advancer(victim, random.Random(chance.random()), (RETRY_MS,), leap_share=0.1))
        with at_work(workers):
            kill_again_and_again(victim, history, chance, part, tmp_path / "copy", load_seconds=LOAD_SECONDS)
        come_to_rest(victim, story)

    found = [*history.flaws, *flaws(story, part)]
    assert found == [], told(found, crash_seed)
    assert story.accepted
    record_property("kills", part)
    record_property("events", len(story.accepted))
    record_property("runs again after a kill", sum(story.runs[event] - least(event) for event in story.accepted))


SOUND = {"plain-1": ("successes",), "failing-1": ("failures", "dead")}


@pytest.mark.parametrize(
    ("flaw", "runs", "ends"),
    [
        ("an event is lost", {"failing-1": 2}, {"failing-1": ("failures", "dead")}),
        ("a record is missing", {"plain-1": 1, "failing-1": 2}, {"failing-1": ("failures", "dead")}),
        ("a record is there twice", {"plain-1": 1, "failing-1": 2}, SOUND | {"plain-1": ("successes",) * 2}),
        ("a success is a failure", {"plain-1": 1, "failing-1": 2}, SOUND | {"plain-1": ("failures", "dead")}),
        ("a dead letter is missing", {"plain-1": 1, "failing-1": 2}, SOUND | {"failing-1": ("failures",)}),
        ("a retry is missing", {"plain-1": 1, "failing-1": 1}, SOUND),
        ("one run more than kills explain", {"plain-1": 3, "failing-1": 2}, SOUND),
        ("an event that nobody sent", {"plain-1": 1, "failing-1": 2, "plain-2": 1}, SOUND),
    ],
)
def test_flaw_is_found(flaw: str, runs: dict[str, int], ends: dict[str, tuple[str, ...]]) -> None:
    assert [*flaws(told_by({"plain-1": 1, "failing-1": 2}, SOUND), 1)] == []
    assert [*flaws(told_by(runs, ends), 1)]


def told_by(runs: dict[str, int], ends: dict[str, tuple[str, ...]]) -> Story:
    """Return the story of two accepted events."""
    story = Story({"plain-1", "failing-1"}, {"plain-1", "failing-1"}, Counter(runs))
    for queue in ("successes", "failures", "dead"):
        story.records[queue] = Counter(
            {event: queues.count(queue) for event, queues in ends.items() if queue in queues}
        )
    return story
