"""One invocation in an environment: from its event to its report."""

from __future__ import annotations

import asyncio
from typing import Any

from cumulet.compute import platform_events
from cumulet.compute.event import trace_header
from cumulet.compute.failure import Failure
from cumulet.compute.function import Function, Invocation, Outcome
from cumulet.compute.log import billed, report
from cumulet.compute.platform_events import PlatformEvent
from cumulet.compute.response_stream import ResponseStream
from cumulet.kernel.clock import MACHINE
from cumulet.kernel.ids import Ids


class Turn:
    """What is known of one. Times are seconds of the machine's monotonic clock, where they aren't milliseconds."""

    __slots__ = (
        "answered_at",
        "began_at",
        "deadline_ms",
        "failure",
        "has_begun",
        "invocation",
        "is_answered",
        "is_for_nothing",
        "is_runtime_done",
        "limit_at",
        "limit_seconds",
        "outcome",
        "over",
        "payload",
        "produced_bytes",
        "stream",
        "stream_at",
        "trace",
    )

    def __init__(self, invocation: Invocation, function: Function, began_at: float, now: float, ids: Ids) -> None:
        self.invocation = invocation
        self.began_at = began_at
        self.limit_seconds = function.timeout_seconds
        self.limit_at = began_at + function.timeout_seconds
        now_ms = MACHINE.now_ms()
        self.deadline_ms = now_ms + int((self.limit_at - now) * 1000)
        self.trace = invocation.trace_id or trace_header(now_ms // 1000, ids)
        self.outcome: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self.has_begun = False
        """Has the runtime got the event?"""
        self.is_answered = False
        """Is it known what the caller gets?"""
        self.is_for_nothing = False
        """Has the init failed, so that the handler will never see the event?"""
        self.is_runtime_done = False
        """Has platform.runtimeDone been said?"""
        self.payload = b""
        self.failure: Failure | None = None
        self.answered_at = 0.0
        self.stream: ResponseStream | None = None
        self.stream_at = 0.0
        self.produced_bytes = 0
        self.over: asyncio.Event | None = None

    def answer(self, payload: bytes, failure: Failure | None, now: float) -> None:
        """Decide what the caller gets."""
        self.is_answered = True
        self.payload = payload
        self.failure = failure
        self.answered_at = now
        if not self.produced_bytes and (failure is None or failure.body is not None):
            self.produced_bytes = len(payload)

    def resolve(self, outcome: Outcome | None) -> None:
        """Give the caller the answer, unless that was done; None where there is none."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    async def wait_until_over(self) -> None:
        """Return when all is done, what extensions do too."""
        if self.over is None:
            self.over = asyncio.Event()
        await self.over.wait()

    def end(self, outcome: Outcome) -> None:
        """All is done."""
        self.resolve(outcome)
        self._be_over()

    def abandon(self) -> None:
        """Nothing comes of it any more."""
        self.resolve(None)
        self._be_over()

    def _be_over(self) -> None:
        if self.over is not None:
            self.over.set()

    def duration_ms(self, now: float) -> float:
        """Return how long it has taken. AWS: what has timed out took its time limit and not a moment more."""
        if self.failure is not None and self.failure.is_timeout:
            return self.limit_seconds * 1000
        return (now - self.began_at) * 1000

    def told_trace(self, function: Function) -> str | None:
        """Return the trace header, where events of the platform have it: where something is traced."""
        return self.trace if function.tracing_mode == "Active" or "Sampled=1" in self.trace else None

    def event(self) -> dict[str, Any]:
        """Return what extensions are told of it."""
        return {
            "deadlineMs": self.deadline_ms,
            "requestId": self.invocation.request_id,
            "invokedFunctionArn": self.invocation.invoked_arn,
            "tracing": platform_events.tracing(self.trace),
        }

    def runtime_done(self, function: Function, now: float, now_ms: int) -> PlatformEvent:
        """Account for the runtime's part; `now_ms` is the platform's time."""
        status, error_type = _status(self.failure)
        spans = []
        if self.failure is None or self.failure.body is not None:
            begin_ms = now_ms - (now - self.began_at) * 1000
            first = self.stream_at or self.answered_at
            spans = [
                _span("responseLatency", begin_ms, first - self.began_at),
                _span("responseDuration", begin_ms + (first - self.began_at) * 1000, self.answered_at - first),
                _span("runtimeOverhead", now_ms - (now - self.answered_at) * 1000, now - self.answered_at),
            ]
        return platform_events.runtime_done(
            self.invocation.request_id,
            status,
            error_type,
            self.told_trace(function),
            duration_ms=(now - self.began_at) * 1000,
            produced_bytes=self.produced_bytes,
            spans=spans,
        )

    def report(
        self, function: Function, duration_ms: float, init_ms: float | None, used_mb: int, *, is_plain: bool
    ) -> PlatformEvent | str:
        """Account for it all; only a line of text where that is what is wanted."""
        failure = self.failure
        is_fatal = failure is not None and (self.is_for_nothing or failure.body is None)
        in_text = failure.status if failure is not None and is_fatal else ""
        request_id = self.invocation.request_id
        line = report(request_id, duration_ms, init_ms, function.memory_mb, used_mb, in_text)
        if is_plain:
            return line
        metrics: dict[str, float] = {
            "durationMs": round(duration_ms, 3),
            "billedDurationMs": billed(duration_ms, init_ms),
            "memorySizeMB": function.memory_mb,
            "maxMemoryUsedMB": used_mb,
        }
        if init_ms is not None:
            metrics["initDurationMs"] = round(init_ms, 3)
        status, error_type = _status(failure)
        return platform_events.report(request_id, metrics, status, error_type, self.told_trace(function), line)


def _status(failure: Failure | None) -> tuple[str, str | None]:
    if failure is None:
        return "success", None
    if failure.is_timeout:
        return "timeout", None
    return "error", failure.error_type or None


def _span(name: str, start_ms: float, seconds: float) -> dict[str, Any]:
    start = platform_events.timestamp(int(start_ms))
    return {"name": name, "start": start, "durationMs": round(seconds * 1000, 3)}
