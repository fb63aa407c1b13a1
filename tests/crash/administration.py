"""What queues are after operations on them as a whole, and a client that makes some."""

from __future__ import annotations

import dataclasses
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import states
from clients import Recorder
from history import History, Operation, Outcome
from states import Contradiction

ATTRIBUTES = ("VisibilityTimeout", "DelaySeconds", "MessageRetentionPeriod")
TAG_KEYS = ("team", "stage", "cost", "owner")
DEFAULTS = {"VisibilityTimeout": "30", "DelaySeconds": "0", "MessageRetentionPeriod": "345600"}
MOST_MESSAGES = 1500


@dataclass(frozen=True)
class QueueState:
    """One queue; None in place of it is no queue."""

    attributes: frozenset[tuple[str, str]] = frozenset(DEFAULTS.items())
    tags: frozenset[tuple[str, str]] = frozenset()
    messages: int = 0


State = QueueState | None
Rule = Callable[[QueueState, Operation], State]


def flaws(history: History, queue: str) -> Iterator[str]:
    """Yield what is wrong with one queue's history."""
    return states.flaws((op for op in history.operations if op.queue == queue), None, _after)


def _after(state: State, op: Operation) -> State:
    return _refused(state, op) if op.outcome is Outcome.REFUSED else _done(state, op)


def _done(state: State, op: Operation) -> State:
    if op.kind == "CreateQueue":
        return state or QueueState()
    if state is None:
        raise Contradiction
    return RULES[op.kind](state, op)


def _refused(state: State, op: Operation) -> State:
    """Return the state, which is the same, if it explains the refusal."""
    if op.error == "QueueDoesNotExist" and state is not None:
        raise Contradiction
    if op.error == "QueueDeletedRecently" and (state is not None or op.kind != "CreateQueue"):
        raise Contradiction
    if op.error == "PurgeQueueInProgress" and (state is None or op.kind != "PurgeQueue"):
        raise Contradiction
    if op.error not in ("QueueDoesNotExist", "QueueDeletedRecently", "PurgeQueueInProgress"):
        raise Contradiction
    return state


def _sent(state: QueueState, op: Operation) -> QueueState:
    return dataclasses.replace(state, messages=state.messages + len(op.entries))


def _purged(state: QueueState, op: Operation) -> QueueState:
    return dataclasses.replace(state, messages=0)


def _changed(state: QueueState, op: Operation) -> QueueState:
    return dataclasses.replace(state, attributes=states.merged(state.attributes, op.request["Attributes"].items()))


def _tagged(state: QueueState, op: Operation) -> QueueState:
    return dataclasses.replace(state, tags=states.merged(state.tags, op.request["Tags"].items()))


def _untagged(state: QueueState, op: Operation) -> QueueState:
    return dataclasses.replace(state, tags=states.without(state.tags, op.request["TagKeys"]))


def _seen(state: QueueState, op: Operation) -> QueueState:
    if op.is_done:
        shown = op.answer["Attributes"]
        messages = sum(int(value) for name, value in shown.items() if name.startswith("ApproximateNumber"))
        if messages != state.messages or any(shown[name] != value for name, value in state.attributes):
            raise Contradiction
    return state


def _tags_seen(state: QueueState, op: Operation) -> QueueState:
    if op.is_done and frozenset(op.answer.get("Tags", {}).items()) != state.tags:
        raise Contradiction
    return state


def _deleted(state: QueueState, op: Operation) -> None:
    return None


RULES: dict[str, Rule] = {
    "SendMessageBatch": _sent,
    "PurgeQueue": _purged,
    "SetQueueAttributes": _changed,
    "TagQueue": _tagged,
    "UntagQueue": _untagged,
    "GetQueueAttributes": _seen,
    "ListQueueTags": _tags_seen,
    "DeleteQueue": _deleted,
}


class Administrator:
    """Does random things to one queue."""

    def __init__(self, recorder: Recorder, queue: str, chance: random.Random) -> None:
        self._recorder = recorder
        self._queue = queue
        self._chance = chance
        self._sent = 0
        self._filled = 0

    def run(self, over: threading.Event) -> None:
        """Do random things until it is over."""
        steps = (self._create, self._send, self._purge, self._change, self._tag, self._untag, self._look, self._delete)
        shares = (2, 24, 1, 4, 3, 2, 6, 1)
        while not over.is_set():
            self._chance.choices(steps, shares)[0]()

    def finish(self) -> None:
        """Delete the queue, so that nothing is left."""
        self._look()
        while self._perform("DeleteQueue").outcome is Outcome.UNKNOWN:
            pass

    def _perform(self, kind: str, **request: Any) -> Operation:
        return self._recorder.perform(kind, self._queue, **request)

    def _create(self) -> None:
        attributes = {"FifoQueue": "true"} if self._queue.endswith(".fifo") else {}
        self._perform("CreateQueue", QueueName=self._queue, Attributes=attributes)

    def _send(self) -> None:
        if self._filled > MOST_MESSAGES:
            return
        entries = []
        for number in range(10):
            self._sent += 1
            entry = {"Id": str(number), "MessageBody": f"{self._queue} {self._sent}"}
            if self._queue.endswith(".fifo"):
                entry |= {"MessageGroupId": f"g{self._sent % 50}", "MessageDeduplicationId": str(self._sent)}
            entries.append(entry)
        self._filled += 10
        self._perform("SendMessageBatch", Entries=entries)

    def _purge(self) -> None:
        if self._perform("PurgeQueue").is_done:
            self._filled = 0

    def _change(self) -> None:
        values = {
            "VisibilityTimeout": str(self._chance.randrange(100)),
            "DelaySeconds": str(self._chance.randrange(100)),
            "MessageRetentionPeriod": str(self._chance.randrange(1_000_000, 1_200_000)),
        }
        given = {name: values[name] for name in self._chance.sample(ATTRIBUTES, self._chance.randint(1, 3))}
        self._perform("SetQueueAttributes", Attributes=given)

    def _tag(self) -> None:
        keys = self._chance.sample(TAG_KEYS, self._chance.randint(1, 3))
        self._perform("TagQueue", Tags={key: str(self._chance.randrange(100)) for key in keys})

    def _untag(self) -> None:
        self._perform("UntagQueue", TagKeys=self._chance.sample(TAG_KEYS, 2))

    def _look(self) -> None:
        self._perform("GetQueueAttributes", AttributeNames=["All"])
        self._perform("ListQueueTags")

    def _delete(self) -> None:
        if self._perform("DeleteQueue").is_done:
            self._filled = 0
