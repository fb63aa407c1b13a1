"""CloudWatch Logs: a group is searched by time across its streams, by patterns, streams and time ranges."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from logs_groups import HOUR_MS, Group


@pytest.fixture
def busy(group: Group) -> Group:
    """Return a group with twelve events, one a minute, which three streams have in turns."""
    group.stream("web/1", "web/2", "db")
    now_ms = group.cumulet.now_ms()
    for number in range(12):
        level = "ERROR" if number % 4 == 0 else "INFO"
        group.put(("web/1", "web/2", "db")[number % 3], f"{number} {level}", at_ms=now_ms - HOUR_MS + number * 60_000)
    return group


def numbers(messages: list[str]) -> list[int]:
    return [int(message.split()[0]) for message in messages]


def test_found_event_is_answered_as_aws_does(group: Group) -> None:
    group.stream("s")
    now_ms = group.cumulet.now_ms()
    group.put("s", "line", at_ms=now_ms - 5)

    answer = group.filter()

    [event] = answer["events"]
    assert re.fullmatch(r"[0-9]{56}", event.pop("eventId"))
    assert event == {"logStreamName": "s", "timestamp": now_ms - 5, "message": "line", "ingestionTime": now_ms}
    assert answer["searchedLogStreams"] == []
    assert "nextToken" not in answer


def test_events_of_all_streams_come_by_time(busy: Group) -> None:
    answer = busy.filter()

    assert numbers([event["message"] for event in answer["events"]]) == list(range(12))
    assert [event["logStreamName"] for event in answer["events"][:3]] == ["web/1", "web/2", "db"]


def test_newest_events_come_first_on_request(busy: Group) -> None:
    assert numbers(busy.found(startFromHead=False)) == list(reversed(range(12)))
    assert numbers(busy.found(startFromHead=False, limit=5)) == list(reversed(range(12)))


def test_direction_is_that_of_the_token(busy: Group) -> None:
    token = busy.filter(startFromHead=False, limit=2)["nextToken"]

    answer = busy.filter(nextToken=token, startFromHead=True, limit=2)

    assert numbers([event["message"] for event in answer["events"]]) == [9, 8]


@pytest.mark.parametrize("interleaved", [True, False])
def test_interleaved_changes_nothing(busy: Group, interleaved: bool) -> None:
    assert numbers(busy.found(interleaved=interleaved)) == list(range(12))


@pytest.mark.parametrize("limit", [1, 5, 12, 10_000])
@pytest.mark.parametrize(
    "members", [{}, {"logStreamNames": ["web/1", "db"]}, {"logStreamNamePrefix": "web"}, {"filterPattern": "INFO"}]
)
def test_pages_together_are_the_whole(busy: Group, members: dict[str, Any], limit: int) -> None:
    pages = list(busy.logs.get_paginator("filter_log_events").paginate(logGroupName=busy.name, limit=limit, **members))

    assert all(len(page["events"]) <= limit for page in pages)
    assert [event["message"] for page in pages for event in page["events"]] == busy.found(**members)


def test_streams_are_chosen_by_name_or_prefix(busy: Group) -> None:
    assert numbers(busy.found(logStreamNames=["db"])) == [2, 5, 8, 11]
    assert numbers(busy.found(logStreamNames=["web/2", "db", "db"])) == [1, 2, 4, 5, 7, 8, 10, 11]
    assert numbers(busy.found(logStreamNamePrefix="web/")) == [0, 1, 3, 4, 6, 7, 9, 10]
    assert numbers(busy.found(logStreamNamePrefix="web/1")) == [0, 3, 6, 9]
    assert busy.found(logStreamNamePrefix="cache") == []


def test_more_streams_with_a_prefix_than_are_merged(group: Group) -> None:
    now_ms = group.cumulet.now_ms()
    for number in range(105):
        group.stream(f"in/{number}")
        group.put(f"in/{number}", str(number), at_ms=now_ms + number)
    group.stream("out")
    group.put("out", "999")

    assert numbers(group.found(logStreamNamePrefix="in/")) == list(range(105))


def test_time_range_includes_both_ends(busy: Group) -> None:
    first_ms = busy.filter()["events"][0]["timestamp"]
    start, end = first_ms + 2 * 60_000, first_ms + 5 * 60_000

    assert numbers(busy.found(startTime=start, endTime=end)) == [2, 3, 4, 5]
    assert numbers(busy.found(startTime=start, endTime=end, startFromHead=False)) == [5, 4, 3, 2]
    assert numbers(busy.found(startTime=start, endTime=end, logStreamNames=["db"])) == [2, 5]
    assert numbers(busy.found(startTime=end)) == [5, 6, 7, 8, 9, 10, 11]
    assert numbers(busy.found(endTime=first_ms)) == [0]
    assert busy.found(startTime=end, endTime=start) == []
    assert len(busy.found(startTime=0, endTime=2**63 - 1)) == 12


def test_patterns_of_all_kinds(group: Group) -> None:
    group.stream("s")
    lines = [
        "[ERROR] plain",
        json.dumps({"level": "ERROR", "latency": 250, "user": None}),
        json.dumps({"level": "INFO", "latency": 5}),
        '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /x HTTP/1.0" 404 1534',
    ]
    group.put("s", *lines)

    def found(pattern: str) -> list[int]:
        return [lines.index(message) for message in group.found(filterPattern=pattern)]

    assert found("") == [0, 1, 2, 3]
    assert found("ERROR") == [0, 1]
    assert found('ERROR -"[ERROR]"') == [1]
    assert found("?plain ?frank") == [0, 3]
    assert found('{ $.level = "ERROR" || $.latency < 10 }') == [1, 2]
    assert found("{ $.user IS NULL }") == [1]
    assert found("[..., status = 4*, bytes > 1000]") == [3]
    assert found("%[0-9]{3}%") == [1, 3]


def test_sparse_pattern_ends_pages_early_and_finds_all(group: Group) -> None:
    group.stream("s")
    for batch in range(3):
        group.put("s", *[f"needle {batch}" if number == 9999 else "hay" for number in range(10_000)])

    pages = list(
        group.logs.get_paginator("filter_log_events").paginate(logGroupName=group.name, filterPattern="needle")
    )

    assert [event["message"] for page in pages for event in page["events"]] == ["needle 0", "needle 1", "needle 2"]
    assert len(pages) > 1


def test_followers_find_each_event_once(group: Group) -> None:
    """Ask as `aws logs tail --follow` does: again and again from the time of the newest event on."""
    group.stream("a", "b")
    seen: list[str] = []
    newest: set[str] = set()
    start_ms = group.cumulet.now_ms() - HOUR_MS

    for number in range(4):
        group.put("ab"[number % 2], f"{number}a", f"{number}b")
        for page in (group.filter(startTime=start_ms, interleaved=True) for _ in range(2)):
            for event in page["events"]:
                if event["eventId"] not in newest:
                    seen.append(event["message"])
            start_ms = max(event["timestamp"] for event in page["events"])
            newest = {event["eventId"] for event in page["events"] if event["timestamp"] == start_ms}
        group.cumulet.advance(seconds=1)

    assert seen == [f"{number}{letter}" for number in range(4) for letter in "ab"]


def test_group_is_named_by_identifier(busy: Group) -> None:
    for identifier in (busy.name, busy.arn):
        assert len(busy.logs.filter_log_events(logGroupIdentifier=identifier)["events"]) == 12


def test_token_of_another_group_is_refused(busy: Group) -> None:
    token = busy.filter(limit=1)["nextToken"]
    other = Group(busy.cumulet, "other").create()

    with pytest.raises(busy.logs.exceptions.InvalidParameterException, match="The specified nextToken is invalid"):
        other.filter(nextToken=token)


def test_pattern_is_tried_on_messages(group: Group) -> None:
    lines = [
        '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 200 1534',
        '127.0.0.1 - frank [10/Oct/2000:13:35:22 -0700] "GET /apache_pb.gif HTTP/1.0" 500 5324',
        '127.0.0.1 - frank [10/Oct/2000:13:50:35 -0700] "GET /apache_pb.gif HTTP/1.0" 200 4355',
    ]

    matches = group.logs.test_metric_filter(filterPattern="[..., status_code=200, size]", logEventMessages=lines)[
        "matches"
    ]

    assert matches == [
        {
            "eventNumber": number,
            "eventMessage": lines[number],
            "extractedValues": {
                "$1": "127.0.0.1",
                "$2": "-",
                "$3": "frank",
                "$4": time,
                "$5": "GET /apache_pb.gif HTTP/1.0",
                "$status_code": "200",
                "$size": size,
            },
        }
        for number, time, size in ((0, "10/Oct/2000:13:25:15 -0700", "1534"), (2, "10/Oct/2000:13:50:35 -0700", "4355"))
    ]


def test_pattern_that_takes_nothing_matches_nothing(group: Group) -> None:
    answer = group.logs.test_metric_filter(filterPattern="ERROR", logEventMessages=["fine", "also fine"])

    assert answer["matches"] == []
