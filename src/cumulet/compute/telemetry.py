"""What an environment tells its subscribers: extensions that asked the Telemetry API or the Logs API for it.

AWS: events are gathered and delivered when there are enough, enough bytes, or the oldest has waited long enough. What
can't be delivered is tried again with backoff; a subscriber that falls behind loses events, and is told how many.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import orjson

from cumulet.compute import platform_events
from cumulet.compute.platform_events import PlatformEvent
from cumulet.compute.subscriptions import LOGS, TELEMETRY, Subscription
from cumulet.compute.telemetry_delivery import Connect, Destination
from cumulet.kernel.clock import MACHINE

ATTEMPTS = 6
FIRST_WAIT_SECONDS = 0.05
"""Before the second attempt; doubled each time."""
MOST_EARLY_EVENTS = 10_000
JSON_RECORDS = ("2022-12-13", "2025-01-29")
"""AWS: with these schemas the record of a log line in JSON is an object."""
ONLY_LOGS = ("platform.end", "platform.fault", "platform.logsSubscription")
ONLY_TELEMETRY = (
    "platform.initStart",
    "platform.initRuntimeDone",
    "platform.initReport",
    "platform.telemetrySubscription",
)


class Subscriber:
    """One subscription, and what is on its way."""

    def __init__(self, name: str, subscription: Subscription, connect: Connect) -> None:
        self.name = name
        self.subscription = subscription
        self._destination = Destination(subscription, connect)
        self._loop = asyncio.get_running_loop()
        self._events: list[bytes] = []
        self._bytes = 0
        self._dropped = 0
        self._dropped_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Is everything delivered?"""
        return not self._events and self._sending is None

    def add(self, event: bytes) -> None:
        """Gather one more."""
        subscription = self.subscription
        is_behind = self._bytes >= 2 * subscription.most_bytes or len(self._events) >= 2 * subscription.most_items
        if is_behind and self._sending is not None:
            self._dropped += 1
            self._dropped_bytes += len(event)
            return
        self._events.append(event)
        self._bytes += len(event)
        if len(self._events) >= subscription.most_items or self._bytes >= subscription.most_bytes:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(subscription.timeout_ms / 1000, self.flush)

    def flush(self) -> None:
        """Deliver what there is, as soon as what was before is delivered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._events and self._sending is None:
            self._sending = self._loop.create_task(self._deliver())

    async def drain(self) -> None:
        """Return when everything is delivered, or given up."""
        self.flush()
        while self._sending is not None:
            await asyncio.shield(self._sending)
            self.flush()

    def stop(self) -> None:
        """Deliver nothing any more."""
        self._events.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sending is not None:
            self._sending.cancel()
        self._destination.close()

    async def _deliver(self) -> None:
        events, self._events = self._events, []
        size, self._bytes = self._bytes, 0
        if self._dropped:
            dropped = platform_events.logs_dropped(self._dropped, self._dropped_bytes)
            events.insert(0, _platform(dropped, MACHINE.now_ms()))
            self._dropped = self._dropped_bytes = 0
        wait_seconds = FIRST_WAIT_SECONDS
        try:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    await self._destination.send(events)
                    return
                except (OSError, TimeoutError):
                    if attempt < ATTEMPTS:
                        await MACHINE.sleep(wait_seconds)
                        wait_seconds *= 2
            self._dropped += len(events)
            self._dropped_bytes += size
        finally:
            self._sending = None
            if self._events and self._timer is None:
                self._timer = self._loop.call_later(self.subscription.timeout_ms / 1000, self.flush)


class Telemetry:
    """All subscribers of an environment. What happened in the init before they came is kept for them until it ends."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._subscribers: dict[tuple[str, bool, int, str], Subscriber] = {}
        self._early: list[tuple[str, bytes, bytes, str]] | None = []

    def __bool__(self) -> bool:
        """Is there anybody to tell, or may there be?"""
        return bool(self._subscribers) or self._early is not None

    @property
    def is_idle(self) -> bool:
        """Is everything delivered?"""
        return all(subscriber.is_idle for subscriber in self._subscribers.values())

    def has_other_api(self, name: str, subscription: Subscription) -> bool:
        """Has an extension subscribed to the other API already?"""
        return any(
            other.name == name and other.subscription.api is not subscription.api
            for other in self._subscribers.values()
        )

    def subscribe(self, name: str, subscription: Subscription) -> bool:
        """Add a subscription of the extension `name`; return whether it is a new one."""
        key = (name, subscription.is_http, subscription.port, subscription.target)
        if key in self._subscribers:
            return False
        subscriber = self._subscribers[key] = Subscriber(name, subscription, self._connect)
        for event in self._early or ():
            _offer(subscriber, *event)
        return True

    def close_init(self) -> None:
        """The init is over: nobody comes any more."""
        self._early = None

    def tell(self, event: PlatformEvent, time_ms: int) -> None:
        """Tell what the platform says."""
        encoded = _platform(event, time_ms)
        self._tell("platform", encoded, encoded, event.type)

    def tell_line(self, kind: str, line: str, time_ms: int, *, is_json: bool) -> None:
        """Tell what the function, or an extension, has written."""
        head = b'{"time":"%b","type":"%b","record":' % (platform_events.timestamp(time_ms).encode(), kind.encode())
        text = head + orjson.dumps(line) + b"}"
        as_object = text
        if is_json:
            try:
                parsed = orjson.loads(line)
            except orjson.JSONDecodeError:
                parsed = None
            if isinstance(parsed, dict):
                as_object = head + orjson.dumps(parsed) + b"}"
        self._tell(kind, text, as_object, kind)

    def flush(self) -> None:
        """Deliver what was gathered."""
        for subscriber in self._subscribers.values():
            subscriber.flush()

    async def drain(self, limit_seconds: float) -> None:
        """Deliver what was gathered, and wait for that as long as `limit_seconds`."""
        drains = [subscriber.drain() for subscriber in self._subscribers.values()]
        if drains:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*drains, return_exceptions=True), limit_seconds)

    def stop(self) -> None:
        """Tell nothing any more."""
        self._early = None
        for subscriber in self._subscribers.values():
            subscriber.stop()
        self._subscribers.clear()

    def _tell(self, kind: str, text: bytes, as_object: bytes, event_type: str) -> None:
        if self._early is not None and len(self._early) < MOST_EARLY_EVENTS:
            self._early.append((kind, text, as_object, event_type))
        for subscriber in self._subscribers.values():
            _offer(subscriber, kind, text, as_object, event_type)


def _offer(subscriber: Subscriber, kind: str, text: bytes, as_object: bytes, event_type: str) -> None:
    subscription = subscriber.subscription
    if kind not in subscription.types:
        return
    if subscription.api is TELEMETRY and event_type in ONLY_LOGS:
        return
    is_too_new = event_type == "platform.runtimeDone" and subscription.schema == "2020-08-15"
    if subscription.api is LOGS and (event_type in ONLY_TELEMETRY or is_too_new):
        return
    subscriber.add(as_object if subscription.schema in JSON_RECORDS else text)


def _platform(event: PlatformEvent, time_ms: int) -> bytes:
    record: Any = event.record["message"] if event.type == "platform.fault" else event.record
    return orjson.dumps({"time": platform_events.timestamp(time_ms), "type": event.type, "record": record})
