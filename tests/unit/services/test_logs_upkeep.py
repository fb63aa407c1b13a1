"""Deleting in steps: groups and streams are gone at once, their rows later; what has expired goes by the clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from logs_world import NOW_MS, World

from cumulet.services.logs import expiry, groups, removals, streams
from cumulet.services.logs.events import OVERHEAD_BYTES
from cumulet.services.logs.removals import STEP_EVENTS
from cumulet.services.logs.upkeep import Upkeep
from cumulet.store import Tx

DAY_MS = 86_400_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "data")
    yield made
    made.close()


def lines(count: int, from_ms: int = NOW_MS) -> list[tuple[int, str]]:
    return [(from_ms + number, "x") for number in range(count)]


def deleted(world: World, group: str) -> removals.Removal:
    """Delete a group, and return what is left to be collected."""
    world.run(groups.delete, ("000000000000", "us-east-1", group))
    [removal] = world.run(removals.pending)
    return removal


def test_deletion_touches_no_event_and_collection_few_at_a_time(world: World) -> None:
    world.write("g", "s", *lines(2 * STEP_EVENTS + 10))
    world.write("other", "s", *lines(3))

    removal = deleted(world, "g")
    left = [world.count("logs_events")]
    while not world.run(removals.step, removal):
        left.append(world.count("logs_events"))

    assert left == [2 * STEP_EVENTS + 13, STEP_EVENTS + 13, 13]
    assert world.count("logs_events") == 3
    assert world.count("logs_streams") == 1
    assert world.count("logs_removals") == 0


def test_streams_of_a_deleted_group_are_collected_few_at_a_time(world: World) -> None:
    world.write("g", "s", *lines(1))
    group_id = world.group("g").id

    def make_streams(tx: Tx) -> None:
        for number in range(450):
            streams.create(tx, group_id, f"t{number}", NOW_MS)

    world.run(make_streams)

    removal = deleted(world, "g")
    left = []
    while not world.run(removals.step, removal):
        left.append(world.count("logs_streams"))

    assert left == [251, 51]
    assert world.count("logs_streams") == 0


def test_deleted_stream_takes_its_events_along_and_no_others(world: World) -> None:
    world.write("g", "s", *lines(STEP_EVENTS + 10))
    world.write("g", "t", *lines(2))

    world.delete_stream("g", "s")

    assert world.count("logs_events") == 2
    assert world.stored_bytes("g") == 2 * (1 + OVERHEAD_BYTES)
    assert world.messages("g", "t") == ["x", "x"]


def test_collection_goes_on_after_a_restart(world: World) -> None:
    world.write("g", "s", *lines(STEP_EVENTS + 10))
    world.run(removals.step, deleted(world, "g"))
    assert world.count("logs_events") == 10

    async def restart() -> None:
        await Upkeep(world.store, world.clock, world.activity).resume()
        await world.activity.settle(10)

    world.wait(restart)

    assert world.count("logs_events") == 0
    assert world.count("logs_removals") == 0


def test_expiry_deletes_few_at_a_time_and_keeps_the_sums(world: World) -> None:
    world.write("g", "s", *lines(expiry.STEP_EVENTS + 50))
    world.write("g", "t", (NOW_MS, "yy"), (NOW_MS + DAY_MS, "zzz"))
    group_id = world.group("g").id

    world.run(expiry.step, group_id, NOW_MS + DAY_MS)
    assert world.count("logs_events") == 52
    world.run(expiry.step, group_id, NOW_MS + DAY_MS)
    world.run(expiry.step, group_id, NOW_MS + DAY_MS)

    assert world.count("logs_events") == 1
    assert world.stored_bytes("g") == 3 + OVERHEAD_BYTES
    assert world.run(lambda tx: [row[0] for row in tx.all("SELECT stored_bytes FROM logs_streams ORDER BY name")]) == [
        0,
        3 + OVERHEAD_BYTES,
    ]


def test_expired_events_of_a_deleted_stream_are_not_counted_twice(world: World) -> None:
    world.write("g", "s", *lines(3))
    world.write("g", "t", *lines(2))
    world.run(streams.delete, world.group("g"), "s")

    world.run(expiry.step, world.group("g").id, NOW_MS + DAY_MS)

    assert world.stored_bytes("g") == 0


def test_events_leave_the_disk_within_an_hour_of_their_expiry(world: World) -> None:
    world.write("g", "s", *[(NOW_MS + minute * 60_000, "x") for minute in range(0, 240, 10)])
    world.keep_for("g", 1)

    left = []
    for _ in range(6):
        left.append(world.count("logs_events"))
        world.advance(DAY_MS if len(left) == 1 else 3_600_000)

    assert left[:2] == [24, 24]
    assert left[2] in range(12, 24)
    assert left[5] in range(0, 7)
    world.advance(3_600_000)
    assert world.count("logs_events") == 0


def test_longer_retention_keeps_what_has_not_been_deleted(world: World) -> None:
    world.write("g", "s", *lines(3))
    world.keep_for("g", 1)
    world.keep_for("g", 3)

    world.advance(2 * DAY_MS)

    assert world.count("logs_events") == 3


def test_no_retention_keeps_everything(world: World) -> None:
    world.write("g", "s", *lines(3))
    world.keep_for("g", 1)
    world.keep_for("g", None)

    world.advance(400 * DAY_MS)

    assert world.count("logs_events") == 3


def test_shorter_retention_deletes_at_once(world: World) -> None:
    world.write("g", "s", *lines(3))
    world.advance(2 * DAY_MS)

    world.keep_for("g", 1)

    assert world.count("logs_events") == 0


def test_group_that_was_deleted_is_looked_at_no_more(world: World) -> None:
    world.write("g", "s", *lines(3))
    world.keep_for("g", 1)
    world.delete_group("g")
    world.write("g", "s", *lines(2))

    world.advance(5 * DAY_MS)

    assert world.messages("g", "s") == ["x", "x"]


def test_expiry_goes_on_after_a_restart(world: World) -> None:
    world.write("g", "s", *lines(3))

    def keep_for_a_day(tx: Tx) -> None:
        tx.run("UPDATE logs_groups SET retention_days = 1")

    world.run(keep_for_a_day)
    world.wait(Upkeep(world.store, world.clock, world.activity).resume)

    world.advance(DAY_MS + 3_600_001)

    assert world.count("logs_events") == 0
