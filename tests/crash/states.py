"""In which states a thing may be after operations of which some have no answer.

One client makes one operation after the other on a thing. An operation without an answer leaves the states in which it
may have been as they were, and as they are after it. An answer that fits none of them is a flaw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from history import Operation, Outcome

State = TypeVar("State")
After = Callable[[State, Operation], State]


class Contradiction(Exception):
    """The operation can't have had this answer in this state."""


def flaws(operations: Iterable[Operation], first: State, after: After[State]) -> Iterator[str]:
    """Yield the first answer that fits no state.

    `after` returns the state after an operation that was done, or may have been, or was refused; it raises
    Contradiction.
    """
    states = {first}
    for operation in operations:
        following = set(_following(states, operation, after))
        if not following:
            said = operation.error or operation.answer
            yield f"{operation} {operation.request}: {said} fits none of {sorted(map(str, states))}"
            return
        states = following


def _following(states: Iterable[State], operation: Operation, after: After[State]) -> Iterator[State]:
    for state in states:
        if operation.outcome is Outcome.UNKNOWN:
            yield state
        try:
            yield after(state, operation)
        except Contradiction:
            continue


def merged(pairs: frozenset[tuple[str, str]], given: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Return a mapping, as its items, with what is given set in it."""
    return frozenset({**dict(pairs), **dict(given)}.items())


def without(pairs: frozenset[tuple[str, str]], keys: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Return a mapping, as its items, without some keys."""
    gone = set(keys)
    return frozenset(pair for pair in pairs if pair[0] not in gone)


def check(fits: bool) -> None:
    """Raise Contradiction unless an answer fits a state."""
    if not fits:
        raise Contradiction
