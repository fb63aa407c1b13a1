"""Metrics: summed in memory by the minute of the platform's clock, drained by whoever writes them down.

A metric is a namespace, a name and one dimension's value (`AWS/SQS`, `NumberOfMessagesSent`, the queue). Counting
costs half a microsecond, so the hottest path may count.
"""

from __future__ import annotations

from collections.abc import Iterable
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
        self._sums: dict[tuple[str, str, str, int], tuple[int, float]] = {}

    def record(self, namespace: str, name: str, dimension: str, value: float = 1, observations: int = 1) -> None:
        """Add one observation, or several that come to `value` together."""
        self._add((namespace, name, dimension, self._clock.now_ms() // MINUTE_MS), observations, value)

    def add(self, samples: Iterable[Sample]) -> None:
        """Take back samples of a drain that could not be written down."""
        for sample in samples:
            key = (sample.namespace, sample.name, sample.dimension, sample.minute_ms // MINUTE_MS)
            self._add(key, sample.observations, sample.total)

    def drain(self) -> list[Sample]:
        """Return what was observed since the last drain, and forget it."""
        sums, self._sums = self._sums, {}
        return [
            Sample(namespace, name, dimension, minute * MINUTE_MS, observations, total)
            for (namespace, name, dimension, minute), (observations, total) in sums.items()
        ]

    def _add(self, key: tuple[str, str, str, int], observations: int, value: float) -> None:
        before = self._sums.get(key)
        if before is not None:
            observations, value = before[0] + observations, before[1] + value
        self._sums[key] = observations, value
