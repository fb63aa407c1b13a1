"""One thing that a client administers: what the client does to it, and which answers fit which of its states.

No thing is the state None. The history names operations like `iam:CreateRole`, and has them under the thing's name.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import states
from clients import Recorder
from history import History, Operation, Outcome
from states import check

State = TypeVar("State")
Rule = Callable[[State, Operation], State | None]
Refusal = Callable[[State | None, Operation], bool]


class Resource(Generic[State]):
    """The base of all. A rule returns the state after an operation that was done, or raises Contradiction."""

    shares: ClassVar[Mapping[str, int]]
    """What the client does: the names of methods, and how often they are called."""
    free_rules: ClassVar[Mapping[str, Rule[Any]]]
    """Of operations that don't need the thing: those that make it or list it among others."""
    rules: ClassVar[Mapping[str, Rule[Any]]]
    """Of all others."""
    refusals: ClassVar[Mapping[str, Refusal[Any]]]
    """Whether a state is a reason to refuse an operation, by the name of the error."""

    def __init__(self, recorder: Recorder, name: str, chance: random.Random) -> None:
        self.name = name
        self.chance = chance
        self.recorder = recorder

    def run(self, over: threading.Event) -> None:
        """Do random things until it is over."""
        while not over.is_set():
            getattr(self, self.chance.choices(list(self.shares), list(self.shares.values()))[0])()

    def look(self) -> None:
        """Ask for all that there is to know about it."""
        raise NotImplementedError

    def finish(self) -> None:
        """Delete it with all that it has."""
        raise NotImplementedError

    def flaws(self, history: History) -> Iterator[str]:
        """Yield what is wrong with its history."""
        first: State | None = None
        return states.flaws((op for op in history.operations if op.queue == self.name), first, self._after)

    def ask(self, kind: str, **request: Any) -> Operation:
        """Do an operation."""
        return self.recorder.ask(kind, self.name, **request)

    def some(self, **values: Any) -> dict[str, Any]:
        """Return at least one of some values."""
        return {name: values[name] for name in self.chance.sample(list(values), self.chance.randint(1, len(values)))}

    def number(self) -> int:
        """Return a number that hardly occurs twice."""
        return self.chance.randrange(1_000_000)

    def _after(self, state: State | None, op: Operation) -> State | None:
        if op.outcome is Outcome.REFUSED:
            check(op.error in self.refusals and self.refusals[op.error](state, op))
            return state
        if op.kind in self.free_rules:
            return self.free_rules[op.kind](state, op)
        check(state is not None)
        return self.rules[op.kind](state, op)
