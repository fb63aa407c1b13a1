"""What functions have printed is in their log after SIGKILL.

The platform writes an invocation's lines when it ends and answers without waiting for the disk, but in order: whoever
has had anything acknowledged that was asked for after the answer finds the lines.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import orjson
from clients import Recorder
from history import History
from pipeline import ROLE, package
from rounds import at_work, kill_again_and_again, told
from transports import CloudTransport
from victim import Victim, running

SHARE = 0.02
"""Of the kills."""
CALLERS = 3
LOAD_SECONDS = (0.4, 1.0)
SOURCE = """
def handler(event, context):
    print("one of", event)
    print("two of", event)
    return context.aws_request_id
"""


class Caller:
    """Invokes a function, and has something written after each answer."""

    _names = itertools.count(1)

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._name = f"caller{next(self._names)}"
        self._events = itertools.count(1)
        self.answered: dict[str, str] = {}
        """The request ids of invocations, by their events."""
        self.settled: set[str] = set()
        """The events of those that were answered before something that was acknowledged was asked for."""

    def run(self, over: threading.Event) -> None:
        """Invoke until it is over."""
        while not over.is_set():
            event = f"{self._name}-{next(self._events)}"
            payload = orjson.dumps(event)
            invocation = self._recorder.ask("lambda:Invoke", "talker", FunctionName="talker", Payload=payload)
            if not invocation.is_done:
                continue
            self.answered[event] = orjson.loads(invocation.answer["Payload"])
            if self._recorder.perform("sqs:SendMessage", "notes", MessageBody=event).is_done:
                self.settled.add(event)


def test_lines_of_answered_invocations_are_there(
    kills: int, crash_seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(f"{crash_seed} logs of functions")
    count = max(1, round(kills * SHARE))
    history = History()
    with ExitStack() as opened:
        victim = opened.enter_context(running(Victim(tmp_path / "data", clock="virtual", chance=chance)))
        cloud = opened.enter_context(closing(CloudTransport(victim, ["lambda", "logs", "sqs"])))
        cloud.call("sqs:CreateQueue", {"QueueName": "notes"})
        settings = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler", "Timeout": 30}
        cloud.call(
            "lambda:CreateFunction", {"FunctionName": "talker", "Code": {"ZipFile": package(SOURCE)}, **settings}
        )
        cloud.call("lambda:Invoke", {"FunctionName": "talker"})
        callers = [Caller(Recorder(victim, history, cloud)) for _ in range(CALLERS)]

        with at_work(callers):
            kill_again_and_again(victim, history, chance, count, tmp_path / "copy", load_seconds=LOAD_SECONDS)
        lines = lines_of(cloud)

    answered = {event: request_id for caller in callers for event, request_id in caller.answered.items()}
    settled = set().union(*(caller.settled for caller in callers))
    incomplete = {event for event, request_id in answered.items() if missing(event, request_id, lines)}
    found = history.flaws + [f"{missing(event, answered[event], lines)} not logged" for event in incomplete & settled]
    assert found == [], told(found, crash_seed)
    record_property("kills", count)
    record_property("invocations", len(answered))
    record_property("answered, nothing acknowledged since, lines lost", len(incomplete))
    assert len(incomplete) <= count * CALLERS


def missing(event: str, request_id: str, lines: set[str]) -> list[str]:
    """Return which lines of an invocation there aren't."""
    expected = [f"START RequestId: {request_id}", f"one of {event}", f"two of {event}", f"END RequestId: {request_id}"]
    return [line for line in (*expected, f"REPORT RequestId: {request_id}") if line not in lines]


def lines_of(cloud: CloudTransport) -> set[str]:
    """Return the beginnings of all lines of the function, as far as they are always the same."""
    lines = set()
    request: dict[str, Any] = {"logGroupName": "/aws/lambda/talker"}
    while True:
        answer = cloud.call("logs:FilterLogEvents", request)
        lines |= {" ".join(event["message"].split()[:3]) for event in answer["events"]}
        if "nextToken" not in answer:
            return lines
        request["nextToken"] = answer["nextToken"]
