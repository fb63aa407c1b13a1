"""Metrics: summed in memory by the minute of the platform's clock, drained by whoever writes them down.

A metric is a namespace, a name and one dimension's value (`AWS/SQS`, `NumberOfMessagesSent`, the queue). Counting
costs two dictionary updates, so the hottest path may count.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from cumulet.kernel.clock import Clock

MINUTE_MS = 60_000


class Sample(NamedTuple):
    """What a metric came to within one minute."""

    namespace: str
    name: str
    dimension: str
    minute_ms: int
    observations: int
    total: float


class Telemetry:
    """What was observed since the last drain."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._observations: defaultdict[tuple[str, str, str, int], int] = defaultdict(int)
        self._totals: defaultdict[tuple[str, str, str, int], float] = defaultdict(float)

    def record(self, namespace: str, name: str, dimension: str, value: float = 1) -> None:
        """Add one observation."""
        key = (namespace, name, dimension, self._clock.now_ms() // MINUTE_MS)
        self._observations[key] += 1
        self._totals[key] += value

    def drain(self) -> list[Sample]:
        """Return what was observed since the last drain, and forget it."""
        observations, self._observations = self._observations, defaultdict(int)
        totals, self._totals = self._totals, defaultdict(float)
        return [
            Sample(namespace, name, dimension, minute * MINUTE_MS, count, totals[namespace, name, dimension, minute])
            for (namespace, name, dimension, minute), count in observations.items()
        ]
