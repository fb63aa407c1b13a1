"""What an environment tells its log stream: what the function writes, between the lines of AWS's own.

Events are gathered and written together when an invocation ends, or about a second after they came in. A function that
writes faster than the log takes it is held up by its full pipe.
"""

from __future__ import annotations

import asyncio
import functools
import math
from collections.abc import Callable
from datetime import UTC, datetime

from cumulet.compute.function import Function
from cumulet.compute.output import Output, Piece
from cumulet.delivery.logs import LogEvent, LogSink
from cumulet.kernel.clock import MACHINE, Clock

TAIL_BYTES = 4096
"""AWS Lambda: what `LogType=Tail` returns of an invocation's log."""
ENOUGH_BYTES = 1024 * 1024
"""So much is written at once at most, about."""
MOST_UNWRITTEN_BYTES = 8 * 1024 * 1024
FLUSH_SECONDS = 1.0


class Log:
    """The log stream of one environment."""

    def __init__(
        self, function: Function, stream: str, sink: LogSink, clock: Clock, on_room: Callable[[], None]
    ) -> None:
        self.stream = stream
        self._function = function
        self._sink = sink
        self._clock = clock
        self._on_room = on_room
        self._output = Output()
        self._events: list[LogEvent] = []
        self._bytes = 0
        self._last_ms = 0
        self._tail: list[str] | None = None
        """The messages of the current invocation, as far as they matter for its tail."""
        self._unwritten_bytes = 0
        self._flush_timer: asyncio.TimerHandle | None = None

    @property
    def is_full(self) -> bool:
        """Is so much being written that the function should wait? `on_room` is called when it need not any more."""
        return self._unwritten_bytes > MOST_UNWRITTEN_BYTES

    def feed(self, data: bytes) -> None:
        """Take what the runtime has written."""
        self._add_pieces(self._output.feed(data, MACHINE.now_ms()))
        self._bytes += len(data)
        if self._bytes > ENOUGH_BYTES:
            self.flush()
        elif self._flush_timer is None and self._events:
            self._flush_timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def end_output(self) -> None:
        """Take what the runtime has written for complete."""
        if pieces := self._output.end():
            self._add_pieces(pieces)

    def say(self, line: str) -> None:
        """Add a line of the platform's own; it ends with a newline."""
        self._add(self._clock.now_ms(), line)

    def begin(self, request_id: str) -> None:
        """An invocation begins."""
        self._tail = []
        self.say(f"START RequestId: {request_id} Version: {self._function.version}\n")

    def finish(self, request_id: str, report: str) -> bytes:
        """An invocation has ended; return the tail of its log."""
        self.end_output()
        self.say(f"END RequestId: {request_id}\n")
        self.say(f"REPORT RequestId: {request_id}\t{report}\n")
        messages, self._tail = self._tail or [], None
        self.flush()
        return "".join(messages).encode()[-TAIL_BYTES:]

    def flush(self) -> None:
        """Write what there is."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        if not self._events:
            return
        if self._tail is not None:
            self._tail = ["".join(self._tail)[-TAIL_BYTES:]]
        events, self._events = self._events, []
        size, self._bytes = self._bytes, 0
        function = self._function
        try:
            written = self._sink.write(function.account, function.region, function.log_group, self.stream, events)
        except Exception as error:
            self._report(error)
            return
        self._unwritten_bytes += size
        asyncio.ensure_future(written).add_done_callback(functools.partial(self._written, size))

    def _written(self, size: int, written: asyncio.Future[None]) -> None:
        was_full = self.is_full
        self._unwritten_bytes -= size
        if was_full and not self.is_full:
            self._on_room()
        if not written.cancelled() and (error := written.exception()) is not None:
            self._report(error)

    def _report(self, error: BaseException) -> None:
        """Let the platform's own log say that this one has gaps; no reason for a function to fail."""
        message = f"the log of {self._function.arn} could not be written"
        asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})

    def _add_pieces(self, pieces: list[Piece]) -> None:
        now_ms = self._clock.now_ms()
        for message, written_ms in pieces:
            known = written_ms is not None and self._clock is MACHINE
            self._add(min(written_ms, now_ms) if known and written_ms else now_ms, message)

    def _add(self, time_ms: int, message: str) -> None:
        self._last_ms = max(self._last_ms, time_ms)
        self._events.append(LogEvent(self._last_ms, message))
        if self._tail is not None:
            self._tail.append(message)


def stream_name(now_ms: int, version: str, unique: str) -> str:
    """Return AWS's name for an environment's log stream; `unique` is a UUID."""
    day = datetime.fromtimestamp(now_ms / 1000, UTC)
    return f"{day:%Y/%m/%d}/[{version}]{unique.replace('-', '')}"


def report(duration_ms: float, init_ms: float | None, memory_mb: int, used_mb: int, status: str = "") -> str:
    """Return the facts of a REPORT line. AWS: the init is billed with the invocation that it was for."""
    billed_ms = math.ceil(duration_ms + (init_ms or 0))
    line = (
        f"Duration: {duration_ms:.2f} ms\tBilled Duration: {billed_ms} ms\t"
        f"Memory Size: {memory_mb} MB\tMax Memory Used: {used_mb} MB\t"
    )
    if init_ms is not None:
        line += f"Init Duration: {init_ms:.2f} ms\t"
    return line + status
