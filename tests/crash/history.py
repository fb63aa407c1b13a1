"""What clients asked and what they were told, in the order in which it happened.

Every operation has two order numbers, one taken before it was asked and one after its outcome was known, and the
bounds of the platform's time in between: whatever it did, it did there. An operation without an answer is `UNKNOWN`:
it may have happened, but wholly.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Outcome(Enum):
    """What a client knows of its operation."""

    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"


@dataclass(slots=True)
class Operation:
    """One request. `latest_ms` and `ended` are bounds also where the outcome is unknown."""

    kind: str
    queue: str
    request: dict[str, Any]
    started: int
    earliest_ms: int
    ended: int = 0
    latest_ms: int = 0
    outcome: Outcome = Outcome.UNKNOWN
    answer: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it was acknowledged."""
        return self.outcome is Outcome.DONE

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The entries of a batch; a single operation is a batch of one."""
        entries: list[dict[str, Any]] = self.request.get("Entries", [self.request])
        return entries

    def entry_answer(self, entry: dict[str, Any]) -> dict[str, Any] | None:
        """Return what was answered for one of `entries`; None unless that was acknowledged."""
        if not self.is_done:
            return None
        if "Entries" not in self.request:
            return self.answer
        return next((found for found in self.answer.get("Successful", ()) if found["Id"] == entry["Id"]), None)

    def __str__(self) -> str:
        return f"{self.kind} on {self.queue} (steps {self.started} to {self.ended}, {self.outcome.value})"


class History:
    """Operations, recorded by many threads."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.flaws: list[str] = []
        """What was seen to be wrong while it was recorded."""
        self._order = itertools.count(1)

    def begin(self, kind: str, queue: str, request: dict[str, Any], earliest_ms: int) -> Operation:
        """Record an operation that is about to be asked for."""
        operation = Operation(kind, queue, request, next(self._order), earliest_ms)
        self.operations.append(operation)
        return operation

    def end(
        self, operation: Operation, outcome: Outcome, latest_ms: int, *, answer: dict[str, Any], error: str = ""
    ) -> None:
        """Record what came of it."""
        operation.outcome, operation.answer, operation.error = outcome, answer, error
        operation.latest_ms = latest_ms
        operation.ended = next(self._order)

    def of_kind(self, *kinds: str) -> Iterator[Operation]:
        """Return the operations of some kinds, in the order in which they were begun."""
        return (operation for operation in self.operations if operation.kind in kinds)


def token(body: str) -> str:
    """Return what names a message; attempts to send it again differ in the rest of the body."""
    return body.partition("~")[0]
