"""Clients that do random things to queues and remember what came of them.

A client whose connection is cut goes on once the server is up again. On a FIFO queue it sends again, with the same
deduplication ids, until it knows that the messages are there.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from history import History, Operation, Outcome
from transports import Cut, Refused, Transport
from victim import PATIENCE_SECONDS, PlatformTime, Victim

GROUPS = 12
MOST_HELD = 40
DRAIN_ROUNDS = 30
PADDING = "x" * 400


class Recorder:
    """Asks the server and writes down what it says."""

    def __init__(self, victim: Victim, history: History, transport: Transport) -> None:
        self._victim = victim
        self._history = history
        self._transport = transport

    @property
    def time(self) -> PlatformTime:
        """The platform's time as clients know it."""
        return self._victim.time

    def perform(self, kind: str, queue: str, **request: Any) -> Operation:
        """Do one operation on a queue; when the server is gone, wait until it is back."""
        return self._perform(kind, queue, request, {"QueueUrl": queue, **request})

    def ask(self, kind: str, about: str, **request: Any) -> Operation:
        """Do one operation that the history has under the name of what it is about; wait as `perform` does."""
        return self._perform(kind, about, request, request)

    def _perform(self, kind: str, about: str, request: dict[str, Any], sent: dict[str, Any]) -> Operation:
        victim = self._victim
        generation = victim.generation
        operation = self._history.begin(kind, about, request, victim.time.earliest_ms())
        outcome, answer, error = Outcome.DONE, {}, ""
        try:
            answer = self._transport.call(kind, sent)
        except Refused as refused:
            outcome, error = Outcome.REFUSED, str(refused)
        except Cut as cut:
            outcome, error = Outcome.UNKNOWN, str(cut)
            if victim.up.is_set() and victim.generation == generation:
                self._history.flaws.append(f"{kind} on {about} failed though nobody killed the server: {cut}")
        self._history.end(operation, outcome, victim.time.latest_ms(), answer=answer, error=error)
        if outcome is Outcome.UNKNOWN:
            victim.up.wait(PATIENCE_SECONDS)
        return operation


@dataclass(frozen=True)
class Habits:
    """What clients do to queues, and how often."""

    queues: Sequence[str]
    sends_to: Sequence[str]
    visibility_seconds: Sequence[int]
    delay_seconds: Sequence[int] = (0,)
    delete_share: float = 0.9
    is_fifo: bool = False


class RandomClient:
    """One client."""

    _numbers = itertools.count(1)

    def __init__(self, recorder: Recorder, habits: Habits, chance: random.Random) -> None:
        self._recorder = recorder
        self._habits = habits
        self._chance = chance
        self._name = f"c{next(self._numbers)}"
        self._messages = itertools.count(1)
        self._held: dict[str, list[str]] = {queue: [] for queue in habits.queues}
        self._sent: deque[tuple[str, dict[str, Any]]] = deque(maxlen=50)

    def run(self, over: threading.Event) -> None:
        """Do random things until it is over."""
        steps = (self._send, self._send_batch, self._receive, self._delete, self._change_visibility)
        shares = (2, 3, 4, 4, 1)
        while not over.is_set():
            self._chance.choices(steps, shares)[0]()

    def _entry(self) -> dict[str, Any]:
        name = f"{self._name}-{next(self._messages)}"
        entry: dict[str, Any] = {"MessageBody": f"{name}~1 {PADDING[: self._chance.randrange(400)]}"}
        if self._habits.is_fifo:
            entry["MessageGroupId"] = f"g{self._chance.randrange(GROUPS)}"
            entry["MessageDeduplicationId"] = name
        elif delay := self._chance.choice(self._habits.delay_seconds):
            entry["DelaySeconds"] = delay
        return entry

    def _send(self) -> None:
        queue = self._chance.choice(self._habits.sends_to)
        if self._habits.is_fifo and self._sent and self._chance.random() < 0.15:
            # A second time though the first was acknowledged.
            queue, entry = self._chance.choice(self._sent)
            self._settle("SendMessage", queue, _again(entry))
            return
        entry = self._entry()
        self._settle("SendMessage", queue, entry)
        self._sent.append((queue, entry))

    def _send_batch(self) -> None:
        entries = [{"Id": str(number), **self._entry()} for number in range(self._chance.randint(1, 10))]
        self._settle("SendMessageBatch", self._chance.choice(self._habits.sends_to), {"Entries": entries})

    def _settle(self, kind: str, queue: str, request: dict[str, Any]) -> None:
        """Send; to a FIFO queue until the outcome is known."""
        while self._recorder.perform(kind, queue, **request).outcome is Outcome.UNKNOWN and self._habits.is_fifo:
            if kind == "SendMessageBatch":
                request = {"Entries": [_again(entry) for entry in request["Entries"]]}
            else:
                request = _again(request)

    def _receive(self) -> None:
        queue = self._chance.choice(self._habits.queues)
        if len(self._held[queue]) > MOST_HELD:
            return
        request: dict[str, Any] = {
            "MaxNumberOfMessages": self._chance.randint(1, 10),
            "VisibilityTimeout": self._chance.choice(self._habits.visibility_seconds),
            "MessageSystemAttributeNames": ["All"],
        }
        if self._chance.random() < 0.1:
            request["WaitTimeSeconds"] = 1
        if self._habits.is_fifo and self._chance.random() < 0.5:
            request["ReceiveRequestAttemptId"] = f"{self._name}-{next(self._messages)}"
        operation = self._recorder.perform("ReceiveMessage", queue, **request)
        if operation.outcome is Outcome.UNKNOWN and "ReceiveRequestAttemptId" in request:
            operation = self._recorder.perform("ReceiveMessage", queue, **request)
        self._held[queue] += [message["ReceiptHandle"] for message in operation.answer.get("Messages", ())]

    def _delete(self) -> None:
        queue = self._chance.choice(self._habits.queues)
        handles = self._held[queue]
        if not handles:
            return
        taken = [handles.pop(0) for _ in range(min(len(handles), self._chance.randint(1, 10)))]
        taken = [handle for handle in taken if self._chance.random() < self._habits.delete_share]
        if len(taken) == 1:
            self._recorder.perform("DeleteMessage", queue, ReceiptHandle=taken[0])
        elif taken:
            entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(taken)]
            self._recorder.perform("DeleteMessageBatch", queue, Entries=entries)

    def _change_visibility(self) -> None:
        queue = self._chance.choice(self._habits.queues)
        if not self._held[queue]:
            return
        handle, seconds = self._chance.choice(self._held[queue]), self._chance.choice(self._habits.visibility_seconds)
        self._recorder.perform("ChangeMessageVisibility", queue, ReceiptHandle=handle, VisibilityTimeout=seconds)


def _again(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the entry for one more attempt; its body says which attempt it is, its deduplication id does not."""
    name, _, rest = entry["MessageBody"].partition("~")
    number, _, padding = rest.partition(" ")
    return {**entry, "MessageBody": f"{name}~{int(number) + 1} {padding}"}


def drain(recorder: Recorder, victim: Victim, queues: Sequence[str], longest_visibility_seconds: int) -> list[str]:
    """Receive and delete all that is in the queues, however long it is delayed or held; return what stays."""
    counts = dict.fromkeys(queues, 1)
    for _ in range(DRAIN_ROUNDS):
        for queue in queues:
            while messages := _receive_ten(recorder, queue, 0 if victim.time.is_virtual else 1):
                entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
                recorder.perform("DeleteMessageBatch", queue, Entries=entries)
        counts = {queue: _count(recorder, queue) for queue in queues}
        if not any(counts.values()):
            return []
        if victim.time.is_virtual:
            victim.advance(longest_visibility_seconds * 1000)
    return [f"messages can't be received: {counts}"]


def _receive_ten(recorder: Recorder, queue: str, wait_seconds: int) -> list[dict[str, Any]]:
    operation = recorder.perform(
        "ReceiveMessage",
        queue,
        MaxNumberOfMessages=10,
        VisibilityTimeout=3600,
        WaitTimeSeconds=wait_seconds,
        MessageSystemAttributeNames=["All"],
    )
    messages: list[dict[str, Any]] = operation.answer.get("Messages", [])
    return messages


def _count(recorder: Recorder, queue: str) -> int:
    """Return how many messages a queue holds, seen or not."""
    attributes = recorder.perform("GetQueueAttributes", queue, AttributeNames=["All"]).answer["Attributes"]
    return sum(int(value) for name, value in attributes.items() if name.startswith("ApproximateNumber"))
