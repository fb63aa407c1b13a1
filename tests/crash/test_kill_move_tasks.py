"""Message move tasks go on after SIGKILL where they were: each message is moved once, and the counts add up."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import orjson
from clients import Habits, RandomClient, Recorder
from history import History
from rounds import at_work, told
from transports import RawTransport
from victim import Victim, running

SHARE = 0.1
"""Of the kills."""
MESSAGES = 800
HELD = 10
LATE = 20
LATEST_KILL_SECONDS = 0.08
ARN = "arn:aws:sqs:us-east-1:000000000000:"


class MoveTask:
    """A dead-letter queue with messages in it, and the task that moves them."""

    def __init__(self, transport: RawTransport, number: int, chance: random.Random) -> None:
        self._transport = transport
        self._number = number
        self._chance = chance
        self._rate = chance.choice((None, None, 200, 500))
        self.source, self.dead, self.target = (f"{name}-{number}" for name in ("source", "dead", "target"))
        self.goes_back = chance.random() < 0.5
        self.waiting = [f"{number}-{n}" for n in range(MESSAGES)]
        self.late = [f"{number}-late-{n}" for n in range(LATE)]

    def prepare(self) -> None:
        """Make the queues and fill the dead-letter queue; some of its messages are in flight."""
        redrive = orjson.dumps({"deadLetterTargetArn": ARN + self.dead, "maxReceiveCount": 1}).decode()
        self._call("CreateQueue", QueueName=self.dead)
        self._call("CreateQueue", QueueName=self.target)
        self._call("CreateQueue", QueueName=self.source, Attributes={"RedrivePolicy": redrive})
        self._send(self.source if self.goes_back else self.dead, self.waiting)
        while self.goes_back and self._count(self.dead) < MESSAGES:
            self._receive(self.source, 0)  # twice each, then they are dead
        self.held = self._receive(self.dead, 43_200)

    def start(self) -> None:
        """Start the task and send more messages, which it does not move."""
        request: dict[str, Any] = {"SourceArn": ARN + self.dead}
        if not self.goes_back:
            request["DestinationArn"] = ARN + self.target
        if self._rate is not None:
            request["MaxNumberOfMessagesPerSecond"] = self._rate
        self._call("StartMessageMoveTask", **request)
        self._send(self.dead, self.late)

    def flaws(self, victim: Victim) -> list[str]:
        """Let the task end and return what is wrong with what it has done."""
        for _ in range(MESSAGES):
            victim.advance(0 if self._rate is None else 1000)
            [task] = self._call("ListMessageMoveTasks", SourceArn=ARN + self.dead)["Results"]
            if task["Status"] != "RUNNING":
                break
        victim.advance(43_200_000)
        moved, left = self._drain(self.source if self.goes_back else self.target), self._drain(self.dead)
        expected = set(self.waiting) - set(self.held)
        found = []
        if (task["Status"], task["ApproximateNumberOfMessagesMoved"]) != ("COMPLETED", len(expected)):
            found.append(f"the task ends as {task}, not with {len(expected)} moved")
        if moved != Counter(expected):
            lost, more = Counter(expected) - moved, moved - Counter(expected)
            found.append(
                f"{lost.total()} messages were not moved, {more.total()} twice or for no reason: {lost} {more}"
            )
        if left != Counter([*self.held, *self.late]):
            found.append(f"left are {sorted(left.elements())}")
        return [f"task {self._number} with rate {self._rate}, goes back: {self.goes_back}: {flaw}" for flaw in found]

    def _drain(self, queue: str) -> Counter[str]:
        bodies: Counter[str] = Counter()
        while received := self._receive(queue, 43_200):
            bodies.update(received)
        return bodies

    def _receive(self, queue: str, visibility_seconds: int) -> list[str]:
        answer = self._call(
            "ReceiveMessage", QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=visibility_seconds
        )
        return [message["Body"] for message in answer.get("Messages", ())]

    def _send(self, queue: str, bodies: list[str]) -> None:
        for start in range(0, len(bodies), 10):
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + 10])]
            self._call("SendMessageBatch", QueueUrl=queue, Entries=entries)

    def _count(self, queue: str) -> int:
        name = "ApproximateNumberOfMessages"
        answer = self._call("GetQueueAttributes", QueueUrl=queue, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        return self._transport.call(operation, request)


def test_move_tasks_go_on_where_they_were(kills: int, crash_seed: int, tmp_path: Path) -> None:
    chance = random.Random(f"{crash_seed} move tasks")
    left = max(1, round(kills * SHARE))
    found: list[str] = []

    with ExitStack() as opened:
        victim = opened.enter_context(running(Victim(tmp_path / "data", clock="virtual", chance=chance)))
        transports = [opened.enter_context(closing(RawTransport(victim))) for _ in range(3)]
        transports[0].call("CreateQueue", {"QueueName": "noise"})
        history = History()
        habits = Habits(("noise",), ("noise",), (10,))
        noise = [
            RandomClient(Recorder(victim, history, transport), habits, random.Random(chance.random()))
            for transport in transports[1:]
        ]
        for number in itertools.count(1):
            task = MoveTask(transports[0], number, chance)
            with at_work(noise):
                task.prepare()
                task.start()
                for _ in range(min(left, chance.randint(1, 3))):
                    threading.Event().wait(chance.uniform(0, LATEST_KILL_SECONDS))
                    victim.kill()
                    found += victim.flaws_of_store(tmp_path / "copy")
                    found += victim.start()
                    left -= 1
                transports[0].close()  # the server that it was connected to is dead
            found += task.flaws(victim)
            if found or not left:
                break

    found += history.flaws
    assert found == [], told(found, crash_seed)
