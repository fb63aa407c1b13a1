"""The operations on log events: put, get, filter, and testing a filter's pattern."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulet.kernel.call import Call
from cumulet.services.logs import batches, events, paging, patterns, reading, streams
from cumulet.services.logs.base import LogsBase
from cumulet.services.logs.errors import InvalidParameterException, invalid_token
from cumulet.services.logs.events import LATEST_MS, Position, Span
from cumulet.services.logs.groups import Group
from cumulet.services.logs.reading import Slices
from cumulet.services.logs.stream_operations import sequence_token

if TYPE_CHECKING:
    from types_boto3_logs import type_defs as t

MOST_EVENTS = 10_000
MOST_MERGED = 100
"""Streams that are read side by side; for more of them the whole group is looked through."""
BACKWARDS_SINCE_MS = 1_704_067_200_000
"""FilterLogEvents: the newest first only from 2024 on."""
TOKEN = re.compile(r"([fb])/([0-9]{56})/s")


class EventOperations(LogsBase):
    """What is done to events."""

    async def put_log_events(self, call: Call, request: t.PutLogEventsRequestTypeDef) -> dict[str, Any]:
        """Append events to a stream. The sequence token is ignored, as AWS does; so is the entity."""
        batch = [(event["timestamp"], event["message"]) for event in request["logEvents"]]
        key = call.account, call.region, request["logGroupName"]
        now_ms = self.clock.now_ms()
        group = await self.known(key)
        taken = batches.checked(batch, group, now_ms)
        if taken.events:
            await self.writer.put((*key, request["logStreamName"]), taken.events)
        else:
            await self.store.read(streams.load, group.id, request["logStreamName"])
        answer: dict[str, Any] = {"nextSequenceToken": sequence_token(now_ms)}
        return answer | ({"rejectedLogEventsInfo": taken.rejected} if taken.rejected else {})

    async def get_log_events(self, call: Call, request: t.GetLogEventsRequestTypeDef) -> dict[str, Any]:
        """Return a page of a stream, oldest event first.

        CloudWatch Logs: without a token the page is the stream's last, or with `startFromHead` its first. Where nothing
        is left in a token's direction, the answer has the same token again.
        """
        token, after = request.get("nextToken"), None
        backwards = not request.get("startFromHead", False)
        if token is not None:
            backwards, after = _read_token(token)
        group = await self.group(call, request)
        stream = await self.store.read(streams.load, group.id, request["logStreamName"])
        first_ms = max(_time(request.get("startTime", 0)), group.oldest_kept_ms(self.clock.now_ms()))
        span = Span(first_ms, _time(request.get("endTime", LATEST_MS)) - 1, backwards, after)
        page = await reading.page_of_stream(self.store, stream.id, span, request.get("limit", MOST_EVENTS))
        if backwards:
            page.reverse()
        first, last = (page[0].position, page[-1].position) if page else (after or (first_ms, 0),) * 2
        return {
            "events": [
                {"timestamp": event.occurred_ms, "message": event.message, "ingestionTime": event.ingested_ms}
                for event in page
            ],
            "nextForwardToken": f"f/{events.event_id(last)}/s",
            "nextBackwardToken": f"b/{events.event_id(first)}/s",
        }

    async def filter_log_events(self, call: Call, request: t.FilterLogEventsRequestTypeDef) -> dict[str, Any]:
        """Search a group's events by time, across its streams or some of them."""
        if "logStreamNames" in request and "logStreamNamePrefix" in request:
            # AWS documents no text for this.
            raise InvalidParameterException("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
        pattern = patterns.compiled(request.get("filterPattern", ""))
        backwards = not request.get("startFromHead", True)
        if backwards and request.get("startTime", BACKWARDS_SINCE_MS) < BACKWARDS_SINCE_MS:
            # AWS documents no text for this.
            raise InvalidParameterException(
                f"startFromHead can be false only when startTime is not before {BACKWARDS_SINCE_MS}."
            )
        group = await self.group(call, request)
        listing = ["FilterLogEvents", group.id]
        after: Position | None = None
        if found_token := paging.position(request.get("nextToken"), listing, tuple[bool, int, int]):
            backwards, *rest = found_token
            after = rest[0], rest[1]
        first_ms = max(_time(request.get("startTime", 0)), group.oldest_kept_ms(self.clock.now_ms()))
        span = Span(first_ms, _time(request.get("endTime", LATEST_MS)), backwards, after)
        slices = await self._slices(group, request, span)
        found = await reading.search(slices, pattern, request.get("limit", MOST_EVENTS))
        answer: dict[str, Any] = {
            "events": [
                {
                    "logStreamName": stream_name,
                    "timestamp": event.occurred_ms,
                    "message": event.message,
                    "ingestionTime": event.ingested_ms,
                    "eventId": events.event_id(event.position),
                }
                for event, stream_name in found.events
            ],
            # CloudWatch Logs: since 2020 always empty.
            "searchedLogStreams": [],
        }
        if found.next is not None:
            answer["nextToken"] = paging.token(listing, (backwards, *found.next))
        return answer

    async def _slices(self, group: Group, request: t.FilterLogEventsRequestTypeDef, span: Span) -> Slices:
        """Return the events of the streams that a request names."""
        if "logStreamNames" in request:
            names = sorted(set(request["logStreamNames"]))
            chosen = [await self.store.read(streams.load, group.id, name) for name in names]
            return reading.of_streams(self.store, chosen, span)
        prefix = request.get("logStreamNamePrefix", "")
        if prefix:
            chosen = await self.store.read(streams.by_name, group.id, prefix, None, MOST_MERGED + 1, backwards=False)
            if len(chosen) <= MOST_MERGED:
                return reading.of_streams(self.store, chosen, span)
        return reading.of_group(self.store, group.id, span, prefix)

    async def test_metric_filter(self, call: Call, request: t.TestMetricFilterRequestTypeDef) -> dict[str, Any]:
        """Say which messages a filter pattern takes, and what it finds in them."""
        pattern = patterns.compiled(request["filterPattern"])
        found = enumerate((message, pattern.extract(message)) for message in request["logEventMessages"])
        return {
            "matches": [
                {"eventNumber": number, "eventMessage": message, "extractedValues": values}
                for number, (message, values) in found
                if values is not None
            ]
        }


def _time(given_ms: int) -> int:
    """Return a time that fits the store with one to spare."""
    return min(given_ms, LATEST_MS)


def _read_token(token: str) -> tuple[bool, Position]:
    """Return whether a token of GetLogEvents goes backwards, and from where; raises InvalidParameterException."""
    found = TOKEN.fullmatch(token)
    position = events.position_of(found[2]) if found else None
    if found is None or position is None:
        raise invalid_token()
    return found[1] == "b", position
