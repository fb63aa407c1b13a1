"""CloudWatch Logs: what was acknowledged is there after a kill, and upkeep goes on where it stood."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from botocore.exceptions import HTTPClientError
from logs_groups import Group

from cumulet.testing import Cumulet


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Cumulet]:
    """Return a server of the test's own, whose disk is the truth."""
    with Cumulet(tmp_path / "data", durability="full") as server:
        yield server


def restarted(own: Cumulet, *, kill: bool = True) -> Group:
    """End the server, start it again, and return the group as a new client sees it."""
    if kill:
        own.kill()
    else:
        own.stop()
    own.start()
    return Group(own)


def rows(own: Cumulet, table: str) -> int:
    with closing(apsw.Connection(str(own.folder / "cumulet.db"), flags=apsw.SQLITE_OPEN_READONLY)) as database:
        [(count,)] = database.execute(f"SELECT COUNT(*) FROM {table}")
        return int(count)


@pytest.mark.parametrize("kill", [True, False])
def test_everything_is_as_it_was(own: Cumulet, kill: bool) -> None:
    group = Group(own).create(tags={"a": "b"})
    group.stream("s", "empty")
    group.logs.put_retention_policy(logGroupName=group.name, retentionInDays=7)
    group.put("s", *(str(number) for number in range(2000)))
    forward = group.get("s", limit=10, startFromHead=True)["nextForwardToken"]
    searched = group.filter(limit=1500)["nextToken"]
    before = group.described(), group.logs.describe_log_streams(logGroupName=group.name)["logStreams"]

    group = restarted(own, kill=kill)

    assert (group.described(), group.logs.describe_log_streams(logGroupName=group.name)["logStreams"]) == before
    assert group.messages("s") == [str(number) for number in range(2000)]
    assert group.messages("s", nextToken=forward, startFromHead=True, limit=2) == ["10", "11"]
    assert [event["message"] for event in group.filter(nextToken=searched, limit=2)["events"]] == ["1500", "1501"]
    assert group.logs.list_tags_for_resource(resourceArn=group.arn)["tags"] == {"a": "b"}


def test_order_of_one_moment_is_kept_across_a_kill(own: Cumulet) -> None:
    group = Group(own).create()
    group.stream("s")
    now_ms = own.now_ms()

    for number in range(3):
        group.put_events("s", [(now_ms, f"{number}a"), (now_ms, f"{number}b")])
        group = restarted(own)

    assert group.messages("s") == ["0a", "0b", "1a", "1b", "2a", "2b"]


def test_acknowledged_batches_survive_a_kill_whole_and_in_order(own: Cumulet) -> None:
    group = Group(own).create()
    group.stream("s")
    now_ms = own.now_ms()
    acknowledged: list[int] = []
    enough = threading.Event()

    def put_until_it_fails() -> None:
        for number in itertools.count():
            try:
                group.put_events("s", [(now_ms + number, f"{number} {part}") for part in range(40)])
            except (ConnectionError, HTTPClientError):
                return
            acknowledged.append(number)
            if number == 30:
                enough.set()

    writer = threading.Thread(target=put_until_it_fails)
    writer.start()
    assert enough.wait(30)
    own.kill()
    writer.join()
    group = restarted(own, kill=False)

    messages = group.messages("s")
    batches = len(messages) // 40
    assert batches - len(acknowledged) in (0, 1)
    assert messages == [f"{number} {part}" for number in range(batches) for part in range(40)]


def test_deleted_group_stays_deleted_and_is_collected(own: Cumulet) -> None:
    group = Group(own).create()
    group.stream("s")
    for _ in range(3):
        group.put("s", *(["line"] * 5000))
    group.logs.delete_log_group(logGroupName=group.name)

    group = restarted(own)
    own.advance(milliseconds=1)

    assert group.logs.describe_log_groups()["logGroups"] == []
    assert [rows(own, table) for table in ("logs_events", "logs_streams", "logs_removals")] == [0, 0, 0]


def test_events_expire_after_a_restart(own: Cumulet) -> None:
    group = Group(own).create()
    group.stream("s")
    group.put("s", "old")
    group.logs.put_retention_policy(logGroupName=group.name, retentionInDays=1)

    group = restarted(own)
    own.advance(days=1, hours=1)

    assert group.messages("s") == []
    assert rows(own, "logs_events") == 0
