"""CloudWatch Logs: log streams are created, listed by name and by time, and deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from logs_groups import HOUR_MS, MINUTE_MS, Group

from cumulet.testing import Cumulet


def described(group: Group, **members: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = group.logs.describe_log_streams(logGroupName=group.name, **members)["logStreams"]
    return found


def test_new_stream_is_described_as_aws_does(cumulet: Cumulet, group: Group) -> None:
    group.stream("2027/01/15/[$LATEST]0123456789abcdef")

    [stream] = described(group)

    assert stream == {
        "arn": f"{group.arn}:log-stream:2027/01/15/[$LATEST]0123456789abcdef",
        "creationTime": cumulet.now_ms(),
        "logStreamName": "2027/01/15/[$LATEST]0123456789abcdef",
        "storedBytes": 0,
    }


def test_stream_with_events_tells_their_times(cumulet: Cumulet, group: Group) -> None:
    group.stream("s")
    now_ms = cumulet.now_ms()
    group.put_events("s", [(now_ms - HOUR_MS, "first"), (now_ms + MINUTE_MS, "last")])
    cumulet.advance(seconds=5)
    group.put("s", "between", at_ms=now_ms)

    [stream] = described(group)

    assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (now_ms - HOUR_MS, now_ms + MINUTE_MS)
    assert stream["lastIngestionTime"] == now_ms + 5000
    assert re.fullmatch(r"[0-9]{56}", stream["uploadSequenceToken"])
    assert stream["storedBytes"] == 0


def test_name_is_taken_once_in_a_group(cumulet: Cumulet, group: Group) -> None:
    group.stream("s")
    Group(cumulet, "other").create().stream("s")

    for _ in range(2):
        with pytest.raises(group.logs.exceptions.ResourceAlreadyExistsException) as refused:
            group.stream("s")
        assert refused.value.response["Error"]["Message"] == "The specified log stream already exists"


def test_streams_are_listed_by_name(group: Group) -> None:
    group.stream("b", "a/1", "B", "a", "ünï")

    assert group.streams() == ["B", "a", "a/1", "b", "ünï"]
    assert group.streams(descending=True) == ["ünï", "b", "a/1", "a", "B"]
    assert group.streams(logStreamNamePrefix="a") == ["a", "a/1"]
    assert group.streams(logStreamNamePrefix="a", descending=True) == ["a/1", "a"]
    assert group.streams(logStreamNamePrefix="x") == []


def test_streams_are_listed_by_the_time_of_their_last_event(cumulet: Cumulet, group: Group) -> None:
    group.stream("never", "old", "new", "between")
    now_ms = cumulet.now_ms()
    for name, age in (("old", 3), ("new", 1), ("between", 2)):
        group.put(name, "x", at_ms=now_ms - age * MINUTE_MS)
    group.put("old", "older still", at_ms=now_ms - HOUR_MS)

    assert group.streams(orderBy="LastEventTime") == ["never", "old", "between", "new"]
    assert group.streams(orderBy="LastEventTime", descending=True) == ["new", "between", "old", "never"]
    assert group.streams(orderBy="LastEventTime", descending=True, limit=1) == ["new"]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order", ["LogStreamName", "LastEventTime"])
@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_pages_of_a_listing(cumulet: Cumulet, group: Group, order: str, descending: bool, size: int) -> None:
    now_ms = cumulet.now_ms()
    for number in range(7):
        group.stream(f"s{number}")
        group.put(f"s{number}", "x", at_ms=now_ms + number // 3)

    pages = list(
        group.logs.get_paginator("describe_log_streams").paginate(
            logGroupName=group.name, orderBy=order, descending=descending, limit=size
        )
    )

    found = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    assert found == sorted((f"s{number}" for number in range(7)), reverse=descending)
    assert "nextToken" not in pages[-1]


def test_group_is_named_by_identifier(group: Group) -> None:
    group.stream("s")

    for identifier in (group.name, group.arn):
        answer = group.logs.describe_log_streams(logGroupIdentifier=identifier)
        assert [stream["logStreamName"] for stream in answer["logStreams"]] == ["s"]


def test_deleted_stream_is_gone_with_its_events(group: Group) -> None:
    group.stream("s", "t")
    group.put("s", "old")
    group.put("t", "kept")

    group.logs.delete_log_stream(logGroupName=group.name, logStreamName="s")

    assert group.streams() == ["t"]
    assert group.found() == ["kept"]
    with pytest.raises(group.logs.exceptions.ResourceNotFoundException, match="log stream does not exist"):
        group.put("s", "new")
    group.stream("s")
    assert group.messages("s") == []
    group.put("s", "new")
    assert group.messages("s") == ["new"]


def test_events_of_a_deleted_stream_are_gone_before_the_platform_has_collected_them(group: Group) -> None:
    group.stream("s")
    for _ in range(5):
        group.put("s", *(["line"] * 1000))

    group.logs.delete_log_stream(logGroupName=group.name, logStreamName="s")

    assert group.found() == []
    assert group.described()["storedBytes"] == 0
