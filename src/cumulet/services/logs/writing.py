"""Takes new events to their streams: clients' batches, and as the platform's `LogSink` its own parts' lines.

Writes begin at once and are committed in the order in which they began, so whoever waits for the last one that has
begun sees all before it: `settled`. The platform's lines join a write that has begun, as long as that is not running.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

from cumulet.delivery import LogEvent
from cumulet.kernel.clock import Clock
from cumulet.services.logs import events, groups, streams
from cumulet.services.logs.directory import Directory, Place, StreamKey
from cumulet.services.logs.errors import no_such_stream
from cumulet.services.logs.events import LARGEST_EVENT_BYTES, OVERHEAD_BYTES, NewEvent
from cumulet.services.logs.groups import Group
from cumulet.services.logs.upkeep import Upkeep
from cumulet.store import Store, Tx

MOST_AT_ONCE = 500
"""Events in one transaction: about two milliseconds."""
LARGEST_MESSAGE_BYTES = LARGEST_EVENT_BYTES - OVERHEAD_BYTES


class Gathering:
    """Lines of the platform's parts that are written together."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.count = 0
        self.lines: dict[StreamKey, tuple[Place | None, Group | None, list[NewEvent]]] = {}
        self.written: asyncio.Future[None]


class Writer:
    """Appends events to streams."""

    def __init__(self, store: Store, clock: Clock, directory: Directory, upkeep: Upkeep) -> None:
        self._store = store
        self._clock = clock
        self._directory = directory
        self._upkeep = upkeep
        self._last: asyncio.Future[None] | None = None
        self._gathering: Gathering | None = None
        """The last one, until it runs."""

    def write(
        self, account: str, region: str, group: str, stream: str, events: Sequence[LogEvent]
    ) -> asyncio.Future[None]:
        """Do what `LogSink.write` says."""
        kept = [(timestamp_ms, fitting(message)) for timestamp_ms, message in events if message]
        key = account, region, group, stream
        return _together([self._gather(key, part) for part in _parts(kept)])

    def put(self, key: StreamKey, new: Sequence[NewEvent]) -> asyncio.Future[None]:
        """Append a client's events; the future raises ResourceNotFoundException when group or stream is missing."""
        now_ms = self._clock.now_ms()
        place, group = self._directory.place(key), self._directory.cached(key[:3])
        return _together([self._begin(self._append, key, place, group, part, now_ms) for part in _parts(new)])

    async def settled(self) -> None:
        """Return when all writes that have begun are committed, or have failed."""
        if self._last is not None and not self._last.done():
            await asyncio.wait([self._last])

    def _begin(self, function: Callable[..., None], *args: object) -> asyncio.Future[None]:
        self._last = asyncio.ensure_future(self._store.transact(function, *args))
        return self._last

    def _gather(self, key: StreamKey, new: Sequence[NewEvent]) -> asyncio.Future[None]:
        gathering = self._gathering
        if gathering is None or gathering.count + len(new) > MOST_AT_ONCE:
            gathering = self._gathering = Gathering(self._clock.now_ms())
            gathering.written = self._begin(self._append_gathered, gathering)
            gathering.written.add_done_callback(lambda _: self._close(gathering))
        if key not in gathering.lines:
            gathering.lines[key] = self._directory.place(key), self._directory.cached(key[:3]), []
        gathering.lines[key][2].extend(new)
        gathering.count += len(new)
        return gathering.written

    def _append_gathered(self, tx: Tx, gathering: Gathering) -> None:
        self._close(gathering)
        for key, (place, group, new) in gathering.lines.items():
            self._make_and_append(tx, key, place, group, new, gathering.now_ms)

    def _close(self, gathering: Gathering) -> None:
        if gathering is self._gathering:
            self._gathering = None

    def _append(
        self, tx: Tx, key: StreamKey, place: Place | None, group: Group | None, new: Sequence[NewEvent], now_ms: int
    ) -> None:
        new_bytes = sum(events.size_bytes(message) for _, message in new)
        if place is None or not events.append(tx, *place, new, new_bytes, now_ms):
            account, region, group_name, stream_name = key
            group = groups.load(tx, account, region, group_name)
            place = Place(group.id, streams.load(tx, group.id, stream_name).id)
            if not events.append(tx, *place, new, new_bytes, now_ms):
                raise no_such_stream()
            self._remember(tx, key, place, group)
        self._expire_later(tx, group, new)

    def _make_and_append(
        self, tx: Tx, key: StreamKey, place: Place | None, group: Group | None, new: Sequence[NewEvent], now_ms: int
    ) -> None:
        new_bytes = sum(events.size_bytes(message) for _, message in new)
        if place is None or not events.append(tx, *place, new, new_bytes, now_ms):
            account, region, group_name, stream_name = key
            group_key = account, region, group_name
            group = groups.find(tx, *group_key) or groups.create(tx, group_key, now_ms)
            stream = streams.find(tx, group.id, stream_name) or streams.create(tx, group.id, stream_name, now_ms)
            place = Place(group.id, stream.id)
            events.append(tx, *place, new, new_bytes, now_ms)
            self._remember(tx, key, place, group)
        self._expire_later(tx, group, new)

    def _remember(self, tx: Tx, key: StreamKey, place: Place, group: Group) -> None:
        tx.after_commit(self._directory.keep, group)
        tx.after_commit(self._directory.keep_place, key, place)

    def _expire_later(self, tx: Tx, group: Group | None, new: Sequence[NewEvent]) -> None:
        if group is not None and group.retention_days is not None:
            tx.after_commit(self._upkeep.watch, group, min(occurred_ms for occurred_ms, _ in new))


def fitting(message: str) -> str:
    """Return a message as an event can hold it: text, cut at the limit."""
    if len(message) * 4 <= LARGEST_MESSAGE_BYTES:
        if message.isascii():
            return message
        try:
            message.encode()
        except UnicodeEncodeError:
            return message.encode("utf-8", "replace").decode()
        return message
    return message.encode("utf-8", "replace")[:LARGEST_MESSAGE_BYTES].decode("utf-8", "ignore")


def _parts(new: Sequence[NewEvent]) -> Iterator[Sequence[NewEvent]]:
    return (new[begin : begin + MOST_AT_ONCE] for begin in range(0, len(new), MOST_AT_ONCE))


def _together(parts: Sequence[asyncio.Future[None]]) -> asyncio.Future[None]:
    """Return a future for all parts; it raises what the first failure was."""
    if len(parts) == 1:
        return parts[0]
    return asyncio.ensure_future(_all(parts))


async def _all(parts: Sequence[asyncio.Future[None]]) -> None:
    await asyncio.gather(*parts)
