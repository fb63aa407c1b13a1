"""Log groups, with their streams and events, as their administrators see them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from administered import Resource
from history import Operation
from states import check, merged, without

TAG_KEYS = ("team", "stage", "cost")
STREAMS = ("one", "two")
RETENTION_DAYS = (30, 60, 90, 120, 365)
"""Longer than any of these histories."""
MOST_EVENTS = 300
ARN = "arn:aws:logs:us-east-1:000000000000:log-group:"

Events = tuple[str, ...]


@dataclass(frozen=True)
class GroupState:
    """One log group."""

    tags: frozenset[tuple[str, str]]
    retention_days: int | None = None
    streams: frozenset[tuple[str, Events]] = frozenset()

    def with_stream(self, name: str, events: Events) -> GroupState:
        """Return the group after a change of one of its streams."""
        return dataclasses.replace(self, streams=frozenset({**dict(self.streams), name: events}.items()))


def _created(state: GroupState | None, op: Operation) -> GroupState:
    check(state is None)
    return GroupState(frozenset(op.request["tags"].items()))


def _listed(state: GroupState | None, op: Operation) -> GroupState | None:
    if op.is_done:
        found = [group for group in op.answer["logGroups"] if group["logGroupName"] == op.queue]
        check(len(found) == (state is not None))
        check(state is None or found[0].get("retentionInDays") == state.retention_days)
    return state


def _kept(state: GroupState, op: Operation) -> GroupState:
    return dataclasses.replace(state, retention_days=op.request.get("retentionInDays"))


def _tagged(state: GroupState, op: Operation) -> GroupState:
    return dataclasses.replace(state, tags=merged(state.tags, op.request["tags"].items()))


def _untagged(state: GroupState, op: Operation) -> GroupState:
    return dataclasses.replace(state, tags=without(state.tags, op.request["tagKeys"]))


def _tags_shown(state: GroupState, op: Operation) -> GroupState:
    check(not op.is_done or frozenset(op.answer["tags"].items()) == state.tags)
    return state


def _stream_created(state: GroupState, op: Operation) -> GroupState:
    check(op.request["logStreamName"] not in dict(state.streams))
    return state.with_stream(op.request["logStreamName"], ())


def _stream_deleted(state: GroupState, op: Operation) -> GroupState:
    name = op.request["logStreamName"]
    left = dict(state.streams)
    check(name in left)
    del left[name]
    return dataclasses.replace(state, streams=frozenset(left.items()))


def _streams_listed(state: GroupState, op: Operation) -> GroupState:
    check(
        not op.is_done
        or sorted(stream["logStreamName"] for stream in op.answer["logStreams"]) == sorted(dict(state.streams))
    )
    return state


def _put(state: GroupState, op: Operation) -> GroupState:
    name = op.request["logStreamName"]
    check(name in dict(state.streams) and "rejectedLogEventsInfo" not in op.answer)
    return state.with_stream(name, dict(state.streams)[name] + tuple(_messages(op.request["logEvents"])))


def _read(state: GroupState, op: Operation) -> GroupState:
    if op.is_done:
        check(dict(state.streams).get(op.request["logStreamName"]) == tuple(_messages(op.answer["events"])))
    return state


def _searched(state: GroupState, op: Operation) -> GroupState:
    if op.is_done:
        check(sorted(_messages(op.answer["events"])) == sorted(sum((events for _, events in state.streams), ())))
    return state


def _messages(events: list[dict[str, Any]]) -> list[str]:
    return [event["message"] for event in events]


def _lacks(state: GroupState | None, op: Operation) -> bool:
    if state is None:
        return op.kind != "logs:CreateLogGroup"
    is_of_stream = "logStreamName" in op.request and op.kind != "logs:CreateLogStream"
    return is_of_stream and op.request["logStreamName"] not in dict(state.streams)


def _exists(state: GroupState | None, op: Operation) -> bool:
    if op.kind == "logs:CreateLogStream":
        return state is not None and op.request["logStreamName"] in dict(state.streams)
    return op.kind == "logs:CreateLogGroup" and state is not None


class GroupResource(Resource[GroupState]):
    """One log group."""

    shares: ClassVar = {
        "create": 3,
        "keep": 2,
        "keep_for_ever": 1,
        "tag": 2,
        "untag": 1,
        "create_stream": 4,
        "put": 16,
        "look": 4,
        "delete_stream": 1,
        "delete": 1,
    }
    free_rules: ClassVar = {"logs:CreateLogGroup": _created, "logs:DescribeLogGroups": _listed}
    rules: ClassVar = {
        "logs:PutRetentionPolicy": _kept,
        "logs:DeleteRetentionPolicy": _kept,
        "logs:TagResource": _tagged,
        "logs:UntagResource": _untagged,
        "logs:ListTagsForResource": _tags_shown,
        "logs:CreateLogStream": _stream_created,
        "logs:DeleteLogStream": _stream_deleted,
        "logs:DescribeLogStreams": _streams_listed,
        "logs:PutLogEvents": _put,
        "logs:GetLogEvents": _read,
        "logs:FilterLogEvents": _searched,
        "logs:DeleteLogGroup": lambda state, op: None,
    }
    refusals: ClassVar = {"ResourceNotFoundException": _lacks, "ResourceAlreadyExistsException": _exists}
    _put_count = 0
    _last_ms = 0

    def look(self) -> None:
        """Ask for all that there is to know about it."""
        self.ask("logs:DescribeLogGroups", logGroupNamePrefix=self.name)
        self.ask("logs:ListTagsForResource", resourceArn=ARN + self.name)
        self._ask("logs:DescribeLogStreams")
        self._ask("logs:FilterLogEvents")
        for name in STREAMS:
            self._ask("logs:GetLogEvents", logStreamName=name, startFromHead=True)

    def finish(self) -> None:
        """Delete it with all that it has."""
        self.look()
        self.delete()
        self.look()

    def create(self) -> None:
        """Create it."""
        self._ask("logs:CreateLogGroup", tags=self._tags())

    def keep(self) -> None:
        """Change for how long events are kept."""
        self._ask("logs:PutRetentionPolicy", retentionInDays=self.chance.choice(RETENTION_DAYS))

    def keep_for_ever(self) -> None:
        """Keep events for ever."""
        self._ask("logs:DeleteRetentionPolicy")

    def tag(self) -> None:
        """Set some tags."""
        self.ask("logs:TagResource", resourceArn=ARN + self.name, tags=self._tags())

    def untag(self) -> None:
        """Remove some tags."""
        self.ask("logs:UntagResource", resourceArn=ARN + self.name, tagKeys=self.chance.sample(TAG_KEYS, 2))

    def create_stream(self) -> None:
        """Create a stream."""
        self._ask("logs:CreateLogStream", logStreamName=self.chance.choice(STREAMS))

    def put(self) -> None:
        """Append events to a stream."""
        if self._put_count > MOST_EVENTS:
            return
        # Never before those that are there, also if the clock went back with a kill.
        self._last_ms = max(self._last_ms, self.recorder.time.earliest_ms())
        events = [
            {"timestamp": self._last_ms, "message": f"event {self.number()}"} for _ in range(self.chance.randint(1, 20))
        ]
        self._put_count += len(events)
        self._ask("logs:PutLogEvents", logStreamName=self.chance.choice(STREAMS), logEvents=events)

    def delete_stream(self) -> None:
        """Delete a stream."""
        self._ask("logs:DeleteLogStream", logStreamName=self.chance.choice(STREAMS))

    def delete(self) -> None:
        """Delete it."""
        if self._ask("logs:DeleteLogGroup").is_done:
            self._put_count = 0

    def _ask(self, kind: str, **request: Any) -> Operation:
        return self.ask(kind, logGroupName=self.name, **request)

    def _tags(self) -> dict[str, str]:
        return {key: str(self.number()) for key in self.chance.sample(TAG_KEYS, 2)}
