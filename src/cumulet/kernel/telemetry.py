"""Metrics: summed in memory by the minute of the platform's clock, drained by whoever writes them down.

A metric is what CloudWatch calls one: a namespace, a name and a set of dimensions, in an account and a region.
Recording costs a microsecond. A path that is too hot for that counts in numbers of its own and hands them over as
samples when they are drained: `collect_from`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from cumulet.kernel.clock import Clock

MINUTE_MS = 60_000


class Metric(NamedTuple):
    """What is measured."""

    account: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    """Names and values, in the order of the names."""
    unit: str = "None"
    """CloudWatch's name of it."""


class Sample(NamedTuple):
    """What a metric came to within one minute."""

    metric: Metric
    minute_ms: int
    observations: float
    """CloudWatch's SampleCount, which clients may give with fractions."""
    total: float
    minimum: float
    maximum: float


class Telemetry:
    """What was observed since the last drain."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sums: dict[int, dict[Metric, list[float]]] = {}
        """Observations, total, minimum and maximum by minute and metric."""
        self._minute_ms = -MINUTE_MS
        self._of_minute: dict[Metric, list[float]] = {}
        """Those of the minute that `record` counted in last."""
        self._sources: list[Callable[[], Iterable[Sample]]] = []

    @property
    def minute_ms(self) -> int:
        """The beginning of the minute that it is now."""
        now_ms = self._clock.now_ms()
        return now_ms - now_ms % MINUTE_MS

    def record(self, metric: Metric, value: float = 1.0) -> None:
        """Add one observation."""
        now_ms = self._clock.now_ms()
        if not 0 <= now_ms - self._minute_ms < MINUTE_MS:
            self._minute_ms = now_ms - now_ms % MINUTE_MS
            self._of_minute = self._sums.setdefault(self._minute_ms, {})
        _add(self._of_minute, metric, 1, value, value, value)

    def add(self, samples: Iterable[Sample]) -> None:
        """Add what came together elsewhere, or a drain that could not be written down."""
        for metric, minute_ms, *found in samples:
            _add(self._sums.setdefault(minute_ms, {}), metric, *found)

    def collect_from(self, source: Callable[[], Iterable[Sample]]) -> None:
        """Ask `source` at each drain for what it has counted since it was asked last."""
        self._sources.append(source)

    def drain(self) -> list[Sample]:
        """Return what was observed since the last drain, and forget it."""
        for source in self._sources:
            self.add(source())
        sums, self._sums, self._minute_ms = self._sums, {}, -MINUTE_MS
        return [
            Sample(metric, minute_ms, *found)
            for minute_ms, of_minute in sums.items()
            for metric, found in of_minute.items()
        ]


def _add(
    sums: dict[Metric, list[float]], metric: Metric, observations: float, total: float, minimum: float, maximum: float
) -> None:
    found = sums.get(metric)
    if found is None:
        sums[metric] = [observations, total, minimum, maximum]
        return
    found[0] += observations
    found[1] += total
    if minimum < found[2]:
        found[2] = minimum
    if maximum > found[3]:
        found[3] = maximum
