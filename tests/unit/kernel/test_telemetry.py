"""Metrics in memory."""

from __future__ import annotations

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock
from cumulet.kernel.telemetry import MINUTE_MS, Sample, Telemetry


class StoppedClock(VirtualClock):
    """A clock that is set by hand."""

    def __init__(self) -> None:
        super().__init__(0, Activity())

    def set(self, now_ms: int) -> None:
        self._now_ms = now_ms


def test_observations_are_summed_by_minute_and_dimension() -> None:
    clock = StoppedClock()
    telemetry = Telemetry(clock)
    for now_ms, queue, value in ((0, "a", 1), (59_999, "a", 2.5), (60_000, "a", 1), (60_000, "b", 1)):
        clock.set(now_ms)
        telemetry.record("AWS/SQS", "Sent", queue, value)

    assert sorted(telemetry.drain()) == [
        Sample("AWS/SQS", "Sent", "a", 0, 2, 3.5),
        Sample("AWS/SQS", "Sent", "a", MINUTE_MS, 1, 1),
        Sample("AWS/SQS", "Sent", "b", MINUTE_MS, 1, 1),
    ]


def test_what_was_drained_is_forgotten() -> None:
    telemetry = Telemetry(StoppedClock())
    telemetry.record("AWS/SQS", "Sent", "a")
    telemetry.drain()

    assert telemetry.drain() == []


def test_samples_that_could_not_be_written_are_taken_back() -> None:
    telemetry = Telemetry(StoppedClock())
    telemetry.record("AWS/SQS", "Sent", "a", 2)
    samples = telemetry.drain()
    telemetry.record("AWS/SQS", "Sent", "a", 3)

    telemetry.add(samples)

    assert telemetry.drain() == [Sample("AWS/SQS", "Sent", "a", 0, 2, 5)]
