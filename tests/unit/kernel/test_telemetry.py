"""Metrics in memory."""

from __future__ import annotations

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock
from cumulet.kernel.telemetry import MINUTE_MS, Metric, Sample, Telemetry


class StoppedClock(VirtualClock):
    """A clock that is set by hand."""

    def __init__(self) -> None:
        super().__init__(0, Activity())

    def set(self, now_ms: int) -> None:
        self._now_ms = now_ms


def sent(queue: str) -> Metric:
    return Metric("123456789012", "us-east-1", "AWS/SQS", "Sent", (("QueueName", queue),), "Count")


def test_observations_are_put_together_by_metric_and_minute() -> None:
    clock = StoppedClock()
    telemetry = Telemetry(clock)
    for now_ms, queue, value in ((0, "a", 2), (30_000, "a", 1), (59_999, "a", 4.5), (60_000, "a", 1), (60_000, "b", 1)):
        clock.set(now_ms)
        telemetry.record(sent(queue), value)

    assert sorted(telemetry.drain()) == [
        Sample(sent("a"), 0, 3, 7.5, 1, 4.5),
        Sample(sent("a"), MINUTE_MS, 1, 1, 1, 1),
        Sample(sent("b"), MINUTE_MS, 1, 1, 1, 1),
    ]


def test_what_was_drained_is_forgotten() -> None:
    telemetry = Telemetry(StoppedClock())
    telemetry.record(sent("a"))
    telemetry.drain()

    assert telemetry.drain() == []


def test_samples_that_could_not_be_written_are_taken_back() -> None:
    telemetry = Telemetry(StoppedClock())
    telemetry.record(sent("a"), 2)
    samples = telemetry.drain()
    telemetry.record(sent("a"), 3)

    telemetry.add(samples)

    assert telemetry.drain() == [Sample(sent("a"), 0, 2, 5, 2, 3)]


def test_whoever_counts_in_numbers_of_its_own_is_asked_at_each_drain() -> None:
    telemetry = Telemetry(StoppedClock())
    telemetry.record(sent("a"), 1)
    counted = [[Sample(sent("a"), 0, 2, 10, 4, 6)], [Sample(sent("b"), 0, 1, 1, 1, 1)]]
    telemetry.collect_from(lambda: counted.pop(0))

    assert telemetry.drain() == [Sample(sent("a"), 0, 3, 11, 1, 6)]
    assert telemetry.drain() == [Sample(sent("b"), 0, 1, 1, 1, 1)]
