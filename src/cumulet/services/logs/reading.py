"""Reads events page by page: one stream's forwards or backwards, or a group's by time across its streams.

Rows are read in slices, between which the loop may turn: a page has up to 10,000 events and 1 MB, and a search may pass
over many events for few.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import NamedTuple

from cumulet.kernel.clock import MACHINE
from cumulet.services.logs import events, streams
from cumulet.services.logs.events import Event, Position, Span
from cumulet.services.logs.patterns import Pattern
from cumulet.services.logs.streams import Stream
from cumulet.store import Store

PAGE_BYTES = 1_048_576
"""CloudWatch Logs: a page has up to 1 MB of events."""
FIRST_SLICE_EVENTS = 20
LARGEST_SLICE_EVENTS = 200
SLICE_BYTES = 262_144
MOST_SEARCHED = 20_000
MOST_SEARCHED_BYTES = 16 * PAGE_BYTES
"""What one request looks at: a search ends its page here, with a token, as AWS's do."""

Slices = AsyncGenerator[list[tuple[Event, str | None]], None]
"""Events in their order with the names of their streams, None for events that are to be passed over."""


class Found(NamedTuple):
    """What a search has found, up to where it looked."""

    events: list[tuple[Event, str]]
    """With the names of their streams."""
    next: Position | None
    """Where to go on; None when everything has been searched."""


async def page_of_stream(store: Store, stream_id: int, span: Span, limit: int) -> list[Event]:
    """Return up to `limit` events and 1 MB of a stream, in the direction of the span."""
    page: list[Event] = []
    room = PAGE_BYTES
    wanted = FIRST_SLICE_EVENTS
    while len(page) < limit:
        wanted = min(wanted, limit - len(page))
        found = await store.read(events.of_stream, stream_id, span, wanted)
        for event in found:
            room -= event.size_bytes
            if room < 0:
                return page
            page.append(event)
        if len(found) < wanted:
            break
        span = span._replace(after=found[-1].position)
        wanted = _next_slice(found)
        await MACHINE.sleep(0)
    return page


async def search(slices: Slices, pattern: Pattern, limit: int) -> Found:
    """Return up to `limit` events and 1 MB that match."""
    found: list[tuple[Event, str]] = []
    room = PAGE_BYTES
    searched = searched_bytes = 0
    last: Position | None = None
    async with aclosing(slices):
        async for part in slices:
            for event, stream_name in part:
                if stream_name is not None and pattern.matches(event.message):
                    room -= event.size_bytes
                    if room < 0:
                        return Found(found, last)
                    found.append((event, stream_name))
                    if len(found) == limit:
                        return Found(found, event.position)
                last = event.position
            searched += len(part)
            searched_bytes += sum(event.size_bytes for event, _ in part)
            if searched >= MOST_SEARCHED or searched_bytes >= MOST_SEARCHED_BYTES:
                return Found(found, last)
            await MACHINE.sleep(0)
    return Found(found, None)


async def of_group(store: Store, group_id: int, span: Span, prefix: str) -> Slices:
    """Yield a group's events by time; those of streams that don't begin with `prefix` are to be passed over."""
    names: dict[int, str | None] = {}
    size = FIRST_SLICE_EVENTS
    while True:
        found = await store.read(events.of_group, group_id, span, size)
        if unknown := [stream_id for stream_id in {event.stream_id for event in found} if stream_id not in names]:
            names |= dict.fromkeys(unknown) | await store.read(streams.names, unknown)
        named = [(event, names[event.stream_id]) for event in found]
        yield [(event, name if name is not None and name.startswith(prefix) else None) for event, name in named]
        if len(found) < size:
            return
        span = span._replace(after=found[-1].position)
        size = _next_slice(found)


async def of_streams(store: Store, chosen: Sequence[Stream], span: Span) -> Slices:
    """Yield the events of some streams by time.

    Each round reads on in the streams whose slice is used up, and yields what precedes all that is still to be read.
    """
    size = max(5, LARGEST_SLICE_EVENTS // max(1, len(chosen)))
    names = {stream.id: stream.name for stream in chosen}
    rest = {stream.id: span for stream in chosen}
    ends: dict[int, Position] = {}
    waiting: list[Event] = []
    while True:
        for stream_id in rest.keys() - ends.keys():
            found = await store.read(events.of_stream, stream_id, rest[stream_id], size)
            waiting.extend(found)
            if len(found) < size:
                del rest[stream_id]
            else:
                ends[stream_id] = found[-1].position
                rest[stream_id] = span._replace(after=ends[stream_id])
        waiting.sort(key=lambda event: event.position, reverse=span.is_backwards)
        if not ends:
            yield [(event, names[event.stream_id]) for event in waiting]
            return
        horizon = max(ends.values()) if span.is_backwards else min(ends.values())
        ready = [event for event in waiting if not _is_behind(event.position, horizon, span)]
        waiting = waiting[len(ready) :]
        ends = {stream_id: end for stream_id, end in ends.items() if _is_behind(end, horizon, span)}
        yield [(event, names[event.stream_id]) for event in ready]


def _next_slice(found: Sequence[Event]) -> int:
    """Return how many events to read next, by the size of the last ones."""
    size_bytes = sum(event.size_bytes for event in found)
    return max(1, min(LARGEST_SLICE_EVENTS, SLICE_BYTES * len(found) // size_bytes))


def _is_behind(position: Position, horizon: Position, span: Span) -> bool:
    return position < horizon if span.is_backwards else position > horizon
