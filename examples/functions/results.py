"""What the function has told of its work, a result for each order that it has worked off, and what follows from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One order, worked off once."""

    order: str
    receives: int
    """How often its message had been received, this time included."""
    environment: str
    """The name of its log stream: each execution environment has one of its own."""
    began: float
    """When the invocation began, and when it ended, but for sending the results. In seconds since 1970."""
    ended: float


def read(bodies: Iterable[str]) -> list[Result]:
    """Return what messages say; one that was received twice counts once."""
    return [Result(**json.loads(body)) for body in set(bodies)]


def most_environments(results: Iterable[Result]) -> int:
    """Return how many environments there were at a time, each from its first invocation to its last."""
    begins: dict[str, float] = {}
    ends: dict[str, float] = {}
    for result in results:
        begins[result.environment] = min(result.began, begins.get(result.environment, result.began))
        ends[result.environment] = max(result.ended, ends.get(result.environment, result.ended))
    return max(sum(begins[other] <= begun <= ends[other] for other in begins) for begun in begins.values())


def received_again(results: Iterable[Result]) -> int:
    """Return how many orders were received more than once until they were worked off."""
    return len({result.order for result in results if result.receives > 1})


def worked_off_again(results: Iterable[Result], killed_at: float) -> tuple[int, int]:
    """Return how many orders were worked off before the kill and again after it, and how many twice without one."""
    times = Counter((result.order, result.ended < killed_at) for result in results)
    after_kill = sum(was_before and (order, False) in times for order, was_before in times)
    return after_kill, sum(number > 1 for number in times.values())
