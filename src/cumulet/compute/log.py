"""What an environment tells its log stream: what the function writes, between the platform's own lines or objects.

Events are gathered and written together when an invocation ends, or about a second after they came in. A function that
writes faster than the log takes it is held up by its full pipe. Whatever is logged is told to telemetry too.
"""

from __future__ import annotations

import asyncio
import functools
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import orjson

from cumulet.compute import platform_events
from cumulet.compute.function import Function
from cumulet.compute.output import Piece
from cumulet.compute.platform_events import LEVELS, PlatformEvent, timestamp
from cumulet.compute.telemetry import Telemetry
from cumulet.delivery.logs import LogEvent, LogSink
from cumulet.kernel.clock import MACHINE, Clock

TAIL_BYTES = 4096
"""AWS Lambda: what `LogType=Tail` returns of an invocation's log."""
ENOUGH_BYTES = 1024 * 1024
"""So much is written at once at most, about."""
MOST_UNWRITTEN_BYTES = 8 * 1024 * 1024
FLUSH_SECONDS = 1.0
NAMES = LEVELS | {"WARNING": LEVELS["WARN"], "CRITICAL": LEVELS["FATAL"]}
"""What runtimes call the levels."""


class Log:
    """The log stream of one environment."""

    def __init__(
        self, function: Function, stream: str, sink: LogSink, clock: Clock, on_room: Callable[[], None]
    ) -> None:
        self.stream = stream
        self.telemetry: Telemetry | None = None
        """There where the environment has extensions, which may ask for it."""
        self._function = function
        self._is_json = function.log_format == "JSON"
        self._least_system = LEVELS[function.system_log_level or "INFO"]
        self._least_application = LEVELS[function.application_log_level or "INFO"]
        self._sink = sink
        self._clock = clock
        self._on_room = on_room
        self._events: list[LogEvent] = []
        self._bytes = 0
        self._last_ms = 0
        self._tail: list[str] | None = None
        """The messages of the current invocation, as far as they matter for its tail."""
        self._unwritten_bytes = 0
        self._flush_timer: asyncio.TimerHandle | None = None

    @property
    def is_plain(self) -> bool:
        """Are the platform's lines of text all that is wanted?"""
        return not self._is_json and self.telemetry is None

    @property
    def is_full(self) -> bool:
        """Is so much being written that the function should wait? `on_room` is called when it need not any more."""
        return self._unwritten_bytes > MOST_UNWRITTEN_BYTES

    def feed(self, kind: str, pieces: Sequence[Piece]) -> None:
        """Take what a program has written; `kind` is "function" or "extension"."""
        now_ms = self._clock.now_ms()
        for message, written_ms in pieces:
            known = written_ms is not None and self._clock is MACHINE
            time_ms = min(written_ms, now_ms) if known and written_ms else now_ms
            self._bytes += len(message)
            if not self._is_json or self._is_wanted(message):
                self._add(time_ms, message)
            if self.telemetry is not None:
                self.telemetry.tell_line(kind, message, time_ms, is_json=self._is_json)
        if self._bytes > ENOUGH_BYTES:
            self.flush()
        elif self._flush_timer is None and self._events:
            self._flush_timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def say(self, line: str) -> None:
        """Add a warning of ours, which AWS doesn't have; it ends with a newline."""
        now_ms = self._clock.now_ms()
        if self._is_json:
            line = orjson.dumps({"timestamp": timestamp(now_ms), "level": "WARN", "message": line.strip()}).decode()
        self._add(now_ms, line)

    def tell(self, event: PlatformEvent) -> None:
        """Add what the platform says."""
        now_ms = self._clock.now_ms()
        if not self._is_json:
            if event.text:
                self._add(now_ms, event.text)
        elif event.level >= self._least_system and event.type not in ("platform.end", "platform.fault"):
            told = {"time": timestamp(now_ms), "type": event.type, "record": event.record}
            self._add(now_ms, orjson.dumps(told).decode())
        if self.telemetry is not None:
            self.telemetry.tell(event, now_ms)

    def begin(self, request_id: str, trace: str | None) -> None:
        """An invocation begins."""
        self._tail = []
        version = self._function.version
        if self.is_plain:
            self._add(self._clock.now_ms(), f"START RequestId: {request_id} Version: {version}\n")
        else:
            self.tell(platform_events.start(request_id, self._function.arn, version, trace))

    def finish(self, request_id: str, report: PlatformEvent | str) -> bytes:
        """An invocation has ended: `report` is only text where that is all that is wanted. Return its log's tail."""
        if isinstance(report, str):
            now_ms = self._clock.now_ms()
            self._add(now_ms, f"END RequestId: {request_id}\n")
            self._add(now_ms, report)
        else:
            self.tell(platform_events.end(request_id))
            self.tell(report)
        tail = self.tail()
        self._tail = None
        self.flush()
        return tail

    def tail(self) -> bytes:
        """Return the end of the current invocation's log so far."""
        messages = self._tail or []
        if self._is_json:
            messages = [message if message.endswith("\n") else message + "\n" for message in messages]
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

    def _is_wanted(self, message: str) -> bool:
        """AWS: a line that is no object of JSON with a level is one of INFO."""
        try:
            line = orjson.loads(message)
        except orjson.JSONDecodeError:
            line = None
        level = line.get("level") if isinstance(line, dict) else None
        number = NAMES.get(level.upper()) if isinstance(level, str) else None
        return (LEVELS["INFO"] if number is None else number) >= self._least_application

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

    def _add(self, time_ms: int, message: str) -> None:
        if time_ms > self._last_ms:
            self._last_ms = time_ms
        self._events.append(LogEvent(self._last_ms, message))
        if self._tail is not None:
            self._tail.append(message)


def instance_name(function: Function, now_ms: int, unique: str) -> str:
    """Return AWS's name for an environment; `unique` is a UUID."""
    day = datetime.fromtimestamp(now_ms / 1000, UTC)
    return f"{day:%Y/%m/%d}/{function.name}[{function.version}]{unique.replace('-', '')}"


def stream_name(function: Function, instance: str) -> str:
    """Return AWS's name for an environment's log stream: its own; in the function's own log group without its name."""
    is_own = function.log_group == f"/aws/lambda/{function.name}"
    return instance.replace(f"/{function.name}[", "/[", 1) if is_own else instance


def report(
    request_id: str, duration_ms: float, init_ms: float | None, memory_mb: int, used_mb: int, status: str = ""
) -> str:
    """Return a REPORT line. AWS: the init is billed with the invocation that it was for."""
    billed_ms = billed(duration_ms, init_ms)
    line = (
        f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms\tBilled Duration: {billed_ms} ms\t"
        f"Memory Size: {memory_mb} MB\tMax Memory Used: {used_mb} MB\t"
    )
    if init_ms is not None:
        line += f"Init Duration: {init_ms:.2f} ms\t"
    return f"{line}{status}\n"


def billed(duration_ms: float, init_ms: float | None) -> int:
    """Return the milliseconds that AWS would bill."""
    return math.ceil(duration_ms + (init_ms or 0))
