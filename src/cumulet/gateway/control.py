"""The platform's own endpoints under `/_cumulet/`: health, the clock, metrics, the outbox, and what services let be
downloaded.

`/_localstack/health` answers too, because tools probe it to see whether an endpoint is ready.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
import orjson
from msgspec.structs import asdict

from cumulet import __version__
from cumulet.kernel.clock import MACHINE, VirtualClock
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.services.cloudwatch import CloudWatch
from cumulet.services.service import Platform, Service
from cumulet.services.sns import outbox_page
from cumulet.store import Tx
from cumulet.store.sqlite import SqliteStore
from cumulet.wire.http import HttpRequest, HttpResponse

SAVE_TIME = """
INSERT INTO settings (key, value) VALUES ('virtual-time', ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value"""
SELECT_TIME = "SELECT value FROM settings WHERE key = 'virtual-time'"
PATIENCE_SECONDS = 30.0
OUTBOX_IS_CLOSED = "The outbox has messages of all accounts: it is open only where requests aren't checked."
END_OF_TIME_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z, the last moment that dates can say."""


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """How far to move a virtual clock: the sum of the parts."""

    days: float = 0
    hours: float = 0
    minutes: float = 0
    seconds: float = 0
    milliseconds: int = 0

    @property
    def total_ms(self) -> int:
        """The sum in milliseconds."""
        seconds = ((self.days * 24 + self.hours) * 60 + self.minutes) * 60 + self.seconds
        return round(seconds * 1000) + self.milliseconds


class Control:
    """Answers what is asked of the platform itself."""

    PREFIXES: ClassVar = (b"/_cumulet/", b"/_localstack/")

    def __init__(self, platform: Platform, store: SqliteStore, services: Mapping[str, Service]) -> None:
        self._platform = platform
        self._store = store
        self._services = services
        self._folders = {
            folder: answer for service in services.values() for folder, answer in service.folders().items()
        }
        self._started = MACHINE.monotonic()
        self._endpoints: dict[tuple[str, bytes], Callable[[HttpRequest], Awaitable[HttpResponse]]] = {
            ("GET", b"/_cumulet/health"): self._health,
            ("GET", b"/_cumulet/clock"): self._time,
            ("POST", b"/_cumulet/clock/advance"): self._advance,
            ("GET", b"/_cumulet/metrics"): self._metrics,
            ("GET", b"/_cumulet/outbox"): self._outbox,
            ("POST", b"/_cumulet/outbox/opt-out"): self._opt_out,
            ("GET", b"/_localstack/health"): self._probe,
        }

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Return the answer of the endpoint, 404 where there is none, 503 while the store can't do its part."""
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = self._endpoints.get((method, request.raw_path))
        if endpoint is None and method == "GET":
            endpoint = self._folders.get(request.raw_path[: request.raw_path.rfind(b"/") + 1])
        if endpoint is None:
            return self._no_endpoint(request)
        try:
            return await endpoint(request)
        except ServiceUnavailable as error:
            return _json({"error": error.message}, error.status)

    def _no_endpoint(self, request: HttpRequest) -> HttpResponse:
        allowed = [method for method, path in self._endpoints if path == request.raw_path]
        if not allowed:
            return _json({"error": "There is no such endpoint."}, 404)
        response = _json({"error": f"This endpoint takes {allowed[0]}."}, 405)
        response.headers.append((b"allow", allowed[0].encode()))
        return response

    async def _health(self, request: HttpRequest) -> HttpResponse:
        degraded = [self._store.degraded] if self._store.degraded else []
        return _json(
            {
                "status": "degraded" if degraded else "ok",
                "version": __version__,
                "services": dict.fromkeys(self._services, "available"),
                "auth": self._platform.config.auth,
                "store": {"engine": "sqlite", "durability": self._platform.config.durability}
                | asdict(self._store.stats()),
                "clock": {"name": self._platform.clock.name, "now": _iso(self._platform.clock.now_ms())},
                "uptime_seconds": round(MACHINE.monotonic() - self._started, 3),
                "degraded": degraded,
            }
            | {name: report for name, service in self._services.items() if (report := service.report())}
        )

    async def _probe(self, request: HttpRequest) -> HttpResponse:
        return _json({"services": dict.fromkeys(self._services, "running"), "version": __version__})

    async def _time(self, request: HttpRequest) -> HttpResponse:
        clock = self._platform.clock
        return _json({"name": clock.name, "now": _iso(clock.now_ms()), "now_ms": clock.now_ms()})

    async def _advance(self, request: HttpRequest) -> HttpResponse:
        clock = self._platform.clock
        if not isinstance(clock, VirtualClock):
            return _json({"error": "Only a virtual clock can be advanced: start with --clock virtual."}, 409)
        try:
            advance = msgspec.json.decode(request.body or b"{}", type=Advance)
            total_ms = advance.total_ms
        except (msgspec.MsgspecError, OverflowError, ValueError) as error:
            return _json({"error": f'Say how far, as in {{"days": 4, "seconds": 30}}: {error}'}, 400)
        if total_ms < 0:
            return _json({"error": "Time moves forward only."}, 400)
        if clock.now_ms() + total_ms > END_OF_TIME_MS:
            return _json({"error": "Time ends with the year 9999."}, 400)
        busy = await clock.advance(total_ms, patience_seconds=PATIENCE_SECONDS)
        await self._store.transact(save_time, clock.now_ms())
        answer = {"now": _iso(clock.now_ms()), "now_ms": clock.now_ms(), "busy": busy}
        return _json(answer, 504 if busy else 200)

    async def _metrics(self, request: HttpRequest) -> HttpResponse:
        cloudwatch = self._services["cloudwatch"]
        assert isinstance(cloudwatch, CloudWatch)
        return _json({"metrics": await cloudwatch.sums()})

    async def _outbox(self, request: HttpRequest) -> HttpResponse:
        if self._platform.config.auth == "enforce":
            return _json({"error": OUTBOX_IS_CLOSED}, 403)
        try:
            return _json({"messages": await outbox_page.items(self._platform.store, request.query)})
        except (msgspec.MsgspecError, ValueError) as error:
            return _json({"error": str(error)}, 400)

    async def _opt_out(self, request: HttpRequest) -> HttpResponse:
        if self._platform.config.auth == "enforce":
            return _json({"error": OUTBOX_IS_CLOSED}, 403)
        try:
            await outbox_page.opt_out(self._platform.store, request.body)
        except (msgspec.MsgspecError, ValueError) as error:
            return _json({"error": str(error)}, 400)
        return _json({})


def save_time(tx: Tx, now_ms: int) -> None:
    """Keep a virtual clock's time, so that it goes on from there after a restart."""
    tx.run(SAVE_TIME, str(now_ms))


def time_to_go_on_from(tx: Tx, now_ms: int) -> int:
    """Return the time at which the virtual clock stood last; at the first start, keep and return `now_ms`."""
    row = tx.one(SELECT_TIME)
    if row:
        return int(row[0])
    save_time(tx, now_ms)
    return now_ms


def _json(value: Any, status: int = 200) -> HttpResponse:
    body = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    return HttpResponse(status, body, [(b"content-type", b"application/json")])


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
