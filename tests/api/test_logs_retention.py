"""CloudWatch Logs: events expire by the platform's clock, are answered no more, and leave the disk."""

from __future__ import annotations

from contextlib import closing

import apsw
import pytest
from logs_groups import DAY_MS, Group

from cumulet.testing import Cumulet

ALLOWED = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


def stored(cumulet: Cumulet, text: str) -> list[str]:
    """Return the messages on disk, of all groups of the server, that begin with a text."""
    with closing(apsw.Connection(str(cumulet.folder / "cumulet.db"), flags=apsw.SQLITE_OPEN_READONLY)) as database:
        rows = database.execute("SELECT message FROM logs_events WHERE message LIKE ? ORDER BY id", (f"{text}:%",))
        return [str(message) for (message,) in rows]


def keep_for(group: Group, days: int) -> None:
    group.logs.put_retention_policy(logGroupName=group.name, retentionInDays=days)


@pytest.mark.parametrize("days", ALLOWED)
def test_retention_is_one_of_aws_s_periods(group: Group, days: int) -> None:
    keep_for(group, days)

    assert group.described()["retentionInDays"] == days


def test_retention_is_taken_away(group: Group) -> None:
    keep_for(group, 1)

    for _ in range(2):
        group.logs.delete_retention_policy(logGroupName=group.name)

    assert "retentionInDays" not in group.described()


def test_expired_events_are_answered_no_more(cumulet: Cumulet, group: Group) -> None:
    group.stream("s")
    keep_for(group, 1)
    group.put("s", "old")
    cumulet.advance(hours=12)
    group.put("s", "new")
    assert group.messages("s") == ["old", "new"]

    cumulet.advance(hours=12)
    assert group.messages("s") == ["old", "new"]
    cumulet.advance(milliseconds=1)

    assert group.messages("s") == group.found() == group.found(logStreamNames=["s"]) == ["new"]
    assert group.messages("s", startFromHead=True, startTime=0) == ["new"]
    [stream] = group.logs.describe_log_streams(logGroupName=group.name)["logStreams"]
    assert stream["firstEventTimestamp"] == stream["lastEventTimestamp"] == cumulet.now_ms() - DAY_MS // 2 - 1


def test_stream_whose_events_have_expired_stays(cumulet: Cumulet, group: Group) -> None:
    group.stream("s")
    group.put("s", "old")
    keep_for(group, 1)

    cumulet.advance(days=2)

    [stream] = group.logs.describe_log_streams(logGroupName=group.name)["logStreams"]
    assert "firstEventTimestamp" not in stream
    assert "lastEventTimestamp" not in stream
    assert group.described()["storedBytes"] == 0
    assert group.messages("s") == []


def test_expired_events_leave_the_disk(cumulet: Cumulet, group: Group) -> None:
    group.stream("s")
    keep_for(group, 3)
    mark = f"{cumulet.account} leave"
    group.put("s", *(f"{mark}:{number}" for number in range(1000)))
    cumulet.advance(days=2)
    group.put("s", f"{mark}:new")

    cumulet.advance(days=1, hours=2)
    assert stored(cumulet, mark) == [f"{mark}:new"]
    cumulet.advance(days=2)

    assert stored(cumulet, mark) == []


def test_shorter_retention_expires_at_once_and_longer_keeps(cumulet: Cumulet, group: Group) -> None:
    group.stream("s")
    mark = f"{cumulet.account} change"
    group.put("s", f"{mark}:old")
    keep_for(group, 30)
    cumulet.advance(days=10)
    assert group.messages("s") == [f"{mark}:old"]

    keep_for(group, 14)
    assert group.messages("s") == [f"{mark}:old"]
    keep_for(group, 7)
    cumulet.advance(milliseconds=1)

    assert group.messages("s") == []
    assert stored(cumulet, mark) == []


def test_without_retention_nothing_expires(cumulet: Cumulet, group: Group) -> None:
    group.stream("s")
    group.put("s", "old")

    cumulet.advance(days=4000)

    assert group.messages("s") == ["old"]


@pytest.mark.parametrize("operation", ["delete_log_group", "delete_log_stream"])
def test_deleted_events_leave_the_disk(cumulet: Cumulet, group: Group, operation: str) -> None:
    group.stream("s")
    mark = f"{cumulet.account} {operation}"
    group.put("s", *(f"{mark}:{number}" for number in range(1200)))

    stream = {"logStreamName": "s"} if operation == "delete_log_stream" else {}
    getattr(group.logs, operation)(logGroupName=group.name, **stream)
    cumulet.advance(milliseconds=1)

    assert stored(cumulet, mark) == []
