"""CloudWatch Logs: events are put within their limits, and read page by page in either direction."""

from __future__ import annotations

import re
from typing import Any

import pytest
from logs_groups import DAY_MS, HOUR_MS, Group

from cumulet.testing import Cumulet


@pytest.fixture
def filled(group: Group) -> Group:
    """Return a group with a stream of ten events, a millisecond after each other."""
    group.stream("s")
    group.put("s", *(str(number) for number in range(10)))
    return group


def test_event_comes_back_as_it_was_put(cumulet: Cumulet, group: Group) -> None:
    group.stream("s")
    now_ms = cumulet.now_ms()
    message = 'ünï ✓ 😀\n\t"quoted" \\ \u0000'

    answer = group.put("s", message, at_ms=now_ms - 7)

    assert re.fullmatch(r"[0-9]{56}", answer["nextSequenceToken"])
    assert "rejectedLogEventsInfo" not in answer
    assert group.get("s")["events"] == [{"timestamp": now_ms - 7, "message": message, "ingestionTime": now_ms}]


def test_sequence_token_is_ignored(group: Group) -> None:
    group.stream("s")

    for token in ("1", "x", "49039859644277962812598865089453171910316119489110239085"):
        group.logs.put_log_events(
            logGroupName=group.name,
            logStreamName="s",
            sequenceToken=token,
            logEvents=[{"timestamp": group.cumulet.now_ms(), "message": token}],
        )

    assert len(group.messages("s")) == 3


def test_events_of_one_time_come_in_the_order_they_were_put(group: Group) -> None:
    group.stream("s")
    now_ms = group.cumulet.now_ms()

    for number in range(5):
        group.put_events("s", [(now_ms, f"{number}a"), (now_ms, f"{number}b")])

    assert group.messages("s") == [f"{number}{letter}" for number in range(5) for letter in "ab"]


def test_stream_of_a_missing_group_or_a_missing_stream(cumulet: Cumulet, group: Group) -> None:
    for case, message in (
        (Group(cumulet, "missing"), "The specified log group does not exist."),
        (group, "The specified log stream does not exist."),
    ):
        for at_ms in (cumulet.now_ms(), 0):
            with pytest.raises(group.logs.exceptions.ResourceNotFoundException) as refused:
                case.put("s", "x", at_ms=at_ms)
            assert refused.value.response["Error"]["Message"] == message


@pytest.mark.parametrize(
    ("offsets", "rejected", "kept"),
    [
        ([-14 * DAY_MS], None, ["0"]),
        ([-14 * DAY_MS - 1], {"tooOldLogEventEndIndex": 1}, []),
        ([-20 * DAY_MS, -15 * DAY_MS, -14 * DAY_MS + 1], {"tooOldLogEventEndIndex": 2}, ["2"]),
        ([2 * HOUR_MS], None, ["0"]),
        ([2 * HOUR_MS + 1], {"tooNewLogEventStartIndex": 0}, []),
        ([0, 2 * HOUR_MS, 2 * HOUR_MS + 1, 3 * HOUR_MS], {"tooNewLogEventStartIndex": 2}, ["0", "1"]),
        (
            [-15 * DAY_MS, -1, 3 * HOUR_MS],
            {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2},
            ["1"],
        ),
        ([-15 * DAY_MS, 3 * HOUR_MS], {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 1}, []),
        ([-DAY_MS, 0], None, ["0", "1"]),
    ],
)
def test_too_old_and_too_new_events_are_rejected_by_index(
    group: Group, offsets: list[int], rejected: dict[str, int] | None, kept: list[str]
) -> None:
    group.stream("s")
    now_ms = group.cumulet.now_ms()

    answer = group.put_events("s", [(now_ms + offset, str(number)) for number, offset in enumerate(offsets)])

    assert answer.get("rejectedLogEventsInfo") == rejected
    assert group.messages("s") == kept


def test_events_older_than_the_retention_are_rejected(group: Group) -> None:
    group.stream("s")
    group.logs.put_retention_policy(logGroupName=group.name, retentionInDays=3)
    now_ms = group.cumulet.now_ms()

    expired = group.put_events("s", [(now_ms - 3 * DAY_MS - 1, "expired"), (now_ms - 3 * DAY_MS, "kept")])
    both = group.put_events("s", [(now_ms - 15 * DAY_MS, "too old"), (now_ms - 4 * DAY_MS, "expired"), (now_ms, "new")])

    assert expired["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert both["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2}
    assert group.messages("s") == ["kept", "new"]


def test_batch_spans_at_most_24_hours_without_what_is_rejected(group: Group) -> None:
    group.stream("s")
    now_ms = group.cumulet.now_ms()

    with pytest.raises(group.logs.exceptions.InvalidParameterException) as refused:
        group.put_events("s", [(now_ms - DAY_MS - 1, "a"), (now_ms, "b")])
    group.put_events("s", [(now_ms - 20 * DAY_MS, "too old"), (now_ms, "c"), (now_ms + DAY_MS, "too new")])

    assert refused.value.response["Error"]["Message"] == (
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
    )
    assert group.messages("s") == ["c"]


def test_batch_has_up_to_10000_events(group: Group) -> None:
    group.stream("s")
    now_ms = group.cumulet.now_ms()

    group.put_events("s", [(now_ms, str(number)) for number in range(10_000)])

    assert group.messages("s") == [str(number) for number in range(10_000)]


def test_batch_has_up_to_a_megabyte_with_26_bytes_for_each_event(group: Group) -> None:
    group.stream("s")
    half = "ü" * ((1_048_576 // 2 - 26) // 2)

    group.put("s", half, half)
    with pytest.raises(group.logs.exceptions.InvalidParameterException) as refused:
        group.put("s", half, half + "x")

    assert refused.value.response["Error"]["Message"] == "Upload too large: 1048577 bytes exceeds limit of 1048576"
    assert group.messages("s") == [half, half]


def test_event_has_up_to_a_megabyte(group: Group) -> None:
    group.stream("s")
    largest = "x" * (1_048_576 - 26)

    group.put("s", largest)
    with pytest.raises(group.logs.exceptions.InvalidParameterException) as refused:
        group.put("s", largest + "x")

    assert refused.value.response["Error"]["Message"] == "Log event too large: 1048577 bytes exceeds limit of 1048576"
    assert group.messages("s") == [largest]


def test_events_must_be_in_the_order_of_time(group: Group) -> None:
    group.stream("s")
    now_ms = group.cumulet.now_ms()

    with pytest.raises(group.logs.exceptions.InvalidParameterException) as refused:
        group.put_events("s", [(now_ms, "a"), (now_ms - 1, "b")])

    assert refused.value.response["Error"]["Message"] == (
        "Log events in a single PutLogEvents request must be in chronological order."
    )
    assert group.messages("s") == []


def test_first_page_is_the_end_of_the_stream_or_with_start_from_head_its_beginning(filled: Group) -> None:
    assert filled.messages("s") == list("0123456789")
    assert filled.messages("s", limit=3) == list("789")
    assert filled.messages("s", limit=3, startFromHead=True) == list("012")


@pytest.mark.parametrize("limit", [1, 3, 10, 100])
def test_stream_is_read_forwards(filled: Group, limit: int) -> None:
    found: list[str] = []
    members: dict[str, Any] = {"startFromHead": True, "limit": limit}

    while True:
        page = filled.get("s", **members)
        found += [event["message"] for event in page["events"]]
        if page["nextForwardToken"] == members.get("nextToken"):
            break
        members["nextToken"] = page["nextForwardToken"]

    assert found == list("0123456789")


@pytest.mark.parametrize("limit", [1, 3, 10, 100])
def test_stream_is_read_backwards(filled: Group, limit: int) -> None:
    found: list[str] = []
    members: dict[str, Any] = {"limit": limit}

    while True:
        page = filled.get("s", **members)
        found = [event["message"] for event in page["events"]] + found
        if page["nextBackwardToken"] == members.get("nextToken"):
            break
        members["nextToken"] = page["nextBackwardToken"]

    assert found == list("0123456789")


def test_tokens_lead_both_ways_from_a_page(filled: Group) -> None:
    middle = filled.get("s", limit=4, startFromHead=True)
    middle = filled.get("s", limit=2, nextToken=middle["nextForwardToken"], startFromHead=True)
    assert [event["message"] for event in middle["events"]] == list("45")

    assert filled.messages("s", nextToken=middle["nextForwardToken"], startFromHead=True) == list("6789")
    assert filled.messages("s", nextToken=middle["nextBackwardToken"]) == list("0123")
    assert filled.messages("s", nextToken=middle["nextBackwardToken"], limit=2) == list("23")


def test_token_at_the_end_stays_the_same_until_more_comes(filled: Group) -> None:
    token = filled.get("s")["nextForwardToken"]

    for _ in range(2):
        page = filled.get("s", nextToken=token, startFromHead=True)
        assert (page["events"], page["nextForwardToken"]) == ([], token)
    filled.put("s", "more", at_ms=filled.cumulet.now_ms() + 1000)
    page = filled.get("s", nextToken=token, startFromHead=True)

    assert [event["message"] for event in page["events"]] == ["more"]
    assert page["nextForwardToken"] != token


def test_token_at_the_beginning_stays_the_same(filled: Group) -> None:
    token = filled.get("s")["nextBackwardToken"]

    page = filled.get("s", nextToken=token)

    assert (page["events"], page["nextBackwardToken"]) == ([], token)


def test_empty_stream_has_tokens_that_find_what_comes(group: Group) -> None:
    group.stream("s")

    page = group.get("s")
    again = group.get("s", nextToken=page["nextForwardToken"])
    group.put("s", "first")

    assert page["events"] == again["events"] == []
    assert again["nextForwardToken"] == page["nextForwardToken"]
    assert re.fullmatch(r"f/[0-9]{56}/s", page["nextForwardToken"])
    assert re.fullmatch(r"b/[0-9]{56}/s", page["nextBackwardToken"])
    assert group.messages("s", nextToken=page["nextForwardToken"]) == ["first"]


def test_time_range_includes_its_start_and_not_its_end(filled: Group) -> None:
    first_ms = filled.get("s")["events"][0]["timestamp"]

    assert filled.messages("s", startTime=first_ms + 2, endTime=first_ms + 5) == list("234")
    assert filled.messages("s", startTime=first_ms + 2, endTime=first_ms + 5, limit=2) == list("34")
    assert filled.messages("s", startTime=first_ms + 2, limit=2, startFromHead=True) == list("23")
    assert filled.messages("s", endTime=first_ms + 1) == ["0"]
    assert filled.messages("s", startTime=first_ms + 5, endTime=first_ms + 2) == []
    assert filled.messages("s", startTime=0, endTime=2**63 - 1) == list("0123456789")
    assert filled.messages("s", startTime=2**63 - 1) == []
    assert filled.messages("s", endTime=0) == []


def test_page_ends_at_a_megabyte(group: Group) -> None:
    group.stream("s")
    now_ms = group.cumulet.now_ms()
    for number in range(3):
        group.put("s", str(number) * 600_000, at_ms=now_ms + number)

    last = group.get("s")
    before = group.get("s", nextToken=last["nextBackwardToken"])

    assert [event["message"][0] for event in last["events"]] == ["2"]
    assert [event["message"][0] for event in before["events"]] == ["1"]
    assert [message[0] for message in group.messages("s", startFromHead=True)] == ["0"]


def test_group_is_named_by_identifier(filled: Group) -> None:
    for identifier in (filled.name, filled.arn):
        answer = filled.logs.get_log_events(logGroupIdentifier=identifier, logStreamName="s")
        assert len(answer["events"]) == 10


def test_streams_do_not_mix(group: Group) -> None:
    group.stream("s", "t")
    group.put("s", "in s")
    group.put("t", "in t")

    assert (group.messages("s"), group.messages("t")) == (["in s"], ["in t"])
