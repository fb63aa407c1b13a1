"""Reads events page by page: one stream's forwards or backwards, or a group's by time across its streams.

Rows are read in slices, between which the loop may turn: a page has up to 10,000 events and 1 MB, and a search may pass
over many events for few.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from cumulet.kernel.clock import MACHINE
from cumulet.services.logs import events
from cumulet.services.logs.events import Event, Position, Span
from cumulet.services.logs.patterns import Pattern
from cumulet.services.logs.streams import Stream
from cumulet.store import Store

PAGE_BYTES = 1_048_576
"""CloudWatch Logs: a page has up to 1 MB of events."""
SLICE_EVENTS = 100
MOST_SEARCHED = 20_000
"""Events that one request looks at: a search ends its page here, with a token, as AWS's do."""


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
    while len(page) < limit:
        wanted = min(SLICE_EVENTS, limit - len(page))
        found = await store.read(events.of_stream, stream_id, span, wanted)
        for event in found:
            room -= event.size_bytes
            if room < 0:
                return page
            page.append(event)
        if len(found) < wanted:
            break
        span = span._replace(after=found[-1].position)
        await MACHINE.sleep(0)
    return page


async def search(slices: AsyncIterator[list[tuple[Event, str | None]]], pattern: Pattern, limit: int) -> Found:
    """Return up to `limit` events and 1 MB that match; events without a stream's name are passed over."""
    found: list[tuple[Event, str]] = []
    room = PAGE_BYTES
    searched = 0
    last: Position | None = None
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
        if searched >= MOST_SEARCHED:
            return Found(found, last)
        await MACHINE.sleep(0)
    return Found(found, None)


async def of_group(
    store: Store, group_id: int, span: Span, prefix: str
) -> AsyncIterator[list[tuple[Event, str | None]]]:
    """Yield a group's events by time, with the names of the streams that are there and begin with `prefix`."""
    names: dict[int, str | None] = {}
    while True:
        found = await store.read(events.of_group, group_id, span, SLICE_EVENTS, names)
        with_names = [(event, names[event.stream_id]) for event in found]
        yield [(event, name if name is not None and name.startswith(prefix) else None) for event, name in with_names]
        if len(found) < SLICE_EVENTS:
            return
        span = span._replace(after=found[-1].position)


async def of_streams(
    store: Store, chosen: Sequence[Stream], span: Span
) -> AsyncIterator[list[tuple[Event, str | None]]]:
    """Yield the events of some streams by time.

    Each round fills up the streams whose slice is used up, and yields what no event that is still to be read precedes.
    """
    size = max(10, SLICE_EVENTS // max(1, len(chosen)))
    spans = {stream.id: span for stream in chosen}
    names = {stream.id: stream.name for stream in chosen}
    slices: dict[int, list[Event]] = {}
    waiting: list[Event] = []
    while True:
        for stream_id in spans.keys() - slices.keys():
            found = await store.read(events.of_stream, stream_id, spans[stream_id], size)
            waiting.extend(found)
            if len(found) < size:
                del spans[stream_id]
            else:
                spans[stream_id] = spans[stream_id]._replace(after=found[-1].position)
                slices[stream_id] = found
        waiting.sort(key=lambda event: event.position, reverse=span.is_backwards)
        if not slices:
            yield [(event, names[event.stream_id]) for event in waiting]
            return
        ends = {stream_id: found[-1].position for stream_id, found in slices.items()}
        horizon = max(ends.values()) if span.is_backwards else min(ends.values())
        ready = [event for event in waiting if not _is_behind(event.position, horizon, span)]
        waiting = waiting[len(ready) :]
        slices = {stream_id: slices[stream_id] for stream_id, end in ends.items() if _is_behind(end, horizon, span)}
        yield [(event, names[event.stream_id]) for event in ready]


def _is_behind(position: Position, horizon: Position, span: Span) -> bool:
    return position < horizon if span.is_backwards else position > horizon
