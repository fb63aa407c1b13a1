"""The operations on log streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulet.kernel.call import Call
from cumulet.services.logs import groups, paging, streams
from cumulet.services.logs.base import LogsBase
from cumulet.services.logs.errors import InvalidParameterException
from cumulet.services.logs.groups import Group, GroupKey
from cumulet.services.logs.streams import Stream
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_logs import type_defs as t

DESCRIBE_LIMIT = 50
BY_TIME = "LastEventTime"
SEQUENCE_TOKENS = 49_039_859 * 10**48
"""Tokens that nobody needs any more have 56 digits and grow."""


class StreamOperations(LogsBase):
    """What is done to log streams as a whole."""

    async def create_log_stream(self, call: Call, request: t.CreateLogStreamRequestTypeDef) -> None:
        """Make a stream."""
        key = call.account, call.region, request["logGroupName"]
        await self.store.transact(self._create_stream, key, request["logStreamName"], self.clock.now_ms())

    def _create_stream(self, tx: Tx, key: GroupKey, name: str, now_ms: int) -> None:
        streams.create(tx, groups.load(tx, *key).id, name, now_ms)

    async def delete_log_stream(self, call: Call, request: t.DeleteLogStreamRequestTypeDef) -> None:
        """Delete a stream with all its events."""
        key = call.account, call.region, request["logGroupName"]
        await self.store.transact(self._delete_stream, key, request["logStreamName"])
        self.upkeep.collect()

    def _delete_stream(self, tx: Tx, key: GroupKey, name: str) -> None:
        streams.delete(tx, groups.load(tx, *key), name)

    async def describe_log_streams(self, call: Call, request: t.DescribeLogStreamsRequestTypeDef) -> dict[str, Any]:
        """List a group's streams by name, or by the time of their latest event."""
        prefix, order = request.get("logStreamNamePrefix"), request.get("orderBy", "LogStreamName")
        if prefix is not None and order == BY_TIME:
            raise InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
        group = await self.group(call, request)
        backwards, limit = request.get("descending", False), request.get("limit", DESCRIBE_LIMIT)
        listing = ["DescribeLogStreams", group.id, prefix, order, backwards]
        after = paging.position(request.get("nextToken"), listing, tuple[int, str])
        if order == BY_TIME:
            found = await self.store.read(streams.by_last_event, group.id, after, limit + 1, backwards=backwards)
        else:
            after_name = None if after is None else after[1]
            found = await self.store.read(
                streams.by_name, group.id, prefix or "", after_name, limit + 1, backwards=backwards
            )
        shown = found[:limit]
        oldest_ms = group.oldest_kept_ms(self.clock.now_ms())
        answer: dict[str, Any] = {"logStreams": await self.store.read(_described, group, shown, oldest_ms)}
        if len(found) > limit:
            answer["nextToken"] = paging.token(listing, (shown[-1].last_event_ms, shown[-1].name))
        return answer


def sequence_token(ingested_ms: int) -> str:
    """Return a stream's sequence token."""
    return str(SEQUENCE_TOKENS + ingested_ms)


def _described(tx: Tx, group: Group, found: list[Stream], oldest_ms: int) -> list[dict[str, Any]]:
    return [_described_stream(tx, group, stream, oldest_ms) for stream in found]


def _described_stream(tx: Tx, group: Group, stream: Stream, oldest_ms: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "arn": f"{group.arn}:log-stream:{stream.name}",
        # CloudWatch Logs: since 2019 always 0 for a stream.
        "storedBytes": 0,
    }
    if stream.last_ingested_ms:
        answer["lastIngestionTime"] = stream.last_ingested_ms
        answer["uploadSequenceToken"] = sequence_token(stream.last_ingested_ms)
        first_ms = streams.first_event_ms(tx, stream.id, oldest_ms)
        if first_ms is not None:
            answer["firstEventTimestamp"] = first_ms
            answer["lastEventTimestamp"] = stream.last_event_ms
    return answer
