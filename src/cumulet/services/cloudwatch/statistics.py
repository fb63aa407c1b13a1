"""Statistics over periods, from minutes. Percentiles and trimmed means would need the single observations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType

from cumulet.kernel.errors import NotImplementedFailure
from cumulet.kernel.telemetry import MINUTE_MS
from cumulet.services.cloudwatch.metrics import Minute

STATISTICS: MappingProxyType[str, Callable[[Minute], float]] = MappingProxyType(
    {
        "SampleCount": lambda period: period.observations,
        "Average": lambda period: period.total / period.observations if period.observations else 0.0,
        "Sum": lambda period: period.total,
        "Minimum": lambda period: period.minimum,
        "Maximum": lambda period: period.maximum,
    }
)
SUB_MINUTE_PERIODS = (1, 5, 10, 20, 30)
"""CloudWatch: periods that metrics of high resolution can be asked for, in seconds."""


def periods(found: Iterable[Minute], start_ms: int, period_ms: int, *, by_unit: bool) -> list[Minute]:
    """Return minutes put together to periods that follow each other from `start_ms`, those without data left out.

    `by_unit`: what has different units stays apart; otherwise the unit of a period is the one that came first.
    """
    together: dict[tuple[int, str], Minute] = {}
    for minute in found:
        begin_ms = minute.minute_ms - (minute.minute_ms - start_ms) % period_ms
        key = (begin_ms, minute.unit if by_unit else "")
        before = together.get(key)
        together[key] = minute._replace(minute_ms=begin_ms) if before is None else _sum(before, minute)
    return list(together.values())


def whole_minute(time_ms: int) -> int:
    """Return the beginning of the minute that a time is in."""
    return time_ms - time_ms % MINUTE_MS


def is_period(seconds: int) -> bool:
    """Is it a period of whole minutes? NotImplementedFailure for shorter ones that CloudWatch has."""
    if seconds in SUB_MINUTE_PERIODS:
        raise NotImplementedFailure("Cumulet does not implement periods of less than 60 seconds of CloudWatch yet.")
    return seconds % 60 == 0


def check_percentiles(extended: Sequence[str]) -> None:
    """Raise NotImplementedFailure where one is asked for."""
    if extended:
        raise NotImplementedFailure(
            f"Cumulet does not implement the statistic {extended[0]} of CloudWatch yet, but {', '.join(STATISTICS)}."
        )


def _sum(one: Minute, other: Minute) -> Minute:
    return Minute(
        one.minute_ms,
        one.unit,
        one.observations + other.observations,
        one.total + other.total,
        min(one.minimum, other.minimum),
        max(one.maximum, other.maximum),
    )
