"""Takes new events to their streams: clients' batches, and as the platform's `LogSink` its own parts' lines.

Writes begin at once and are committed in the order in which they began, so whoever waits for the last one that has
begun sees all before it: `settled`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

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


class Writer:
    """Appends events to streams."""

    def __init__(self, store: Store, clock: Clock, directory: Directory, upkeep: Upkeep) -> None:
        self._store = store
        self._clock = clock
        self._directory = directory
        self._upkeep = upkeep
        self._last: asyncio.Future[None] | None = None

    def write(
        self, account: str, region: str, group: str, stream: str, events: Sequence[LogEvent]
    ) -> asyncio.Future[None]:
        """Do what `LogSink.write` says."""
        kept = [(timestamp_ms, fitting(message)) for timestamp_ms, message in events if message]
        return self._begin((account, region, group, stream), kept, makes_missing=True)

    def put(self, key: StreamKey, new: Sequence[NewEvent]) -> asyncio.Future[None]:
        """Append a client's events; the future raises ResourceNotFoundException when group or stream is missing."""
        return self._begin(key, new, makes_missing=False)

    async def settled(self) -> None:
        """Return when all writes that have begun are committed, or have failed."""
        if self._last is not None and not self._last.done():
            await asyncio.wait([self._last])

    def _begin(self, key: StreamKey, new: Sequence[NewEvent], *, makes_missing: bool) -> asyncio.Future[None]:
        append = self._make_and_append if makes_missing else self._append
        now_ms = self._clock.now_ms()
        place = self._directory.place(key)
        group = self._directory.cached(key[:3])
        parts = [
            asyncio.ensure_future(
                self._store.transact(append, key, place, group, new[begin : begin + MOST_AT_ONCE], now_ms)
            )
            for begin in range(0, len(new), MOST_AT_ONCE)
        ]
        if not parts:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done
        self._last = parts[-1]
        return parts[0] if len(parts) == 1 else asyncio.ensure_future(_all(parts))

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


async def _all(parts: Sequence[asyncio.Future[None]]) -> None:
    """Wait for all parts; raise what the first failure was."""
    await asyncio.gather(*parts)
