"""Archives and replays as records, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock
from cumulet.services.sns import archives, replays
from cumulet.services.sns.archive_policies import DAY_MS
from cumulet.services.sns.archive_upkeep import STEP_MESSAGES, ArchiveUpkeep
from cumulet.services.sns.archives import Archive
from cumulet.services.sns.messages import Message
from cumulet.services.sns.replays import Span, StaleAudience
from cumulet.services.sns.topics import Topic
from cumulet.store import Tx
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore

NOW_MS = 1_800_000_000_000
TOPIC = 7


class World:
    """A store with the tables of SNS, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.activity = Activity()
        self.clock = VirtualClock(NOW_MS, self.activity)
        self.store = self.runner.run(self._open(folder))
        self.upkeep = ArchiveUpkeep(self.store, self.clock, self.activity)

    @staticmethod
    async def _open(folder: Path) -> SqliteStore:
        return SqliteStore.open(folder, schemas=[Schema.of_package("cumulet.services.sns")], durability="relaxed")

    def run(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Run a transaction."""

        async def run() -> Any:
            return await self.store.transact(fn, *args)

        return self.runner.run(run())

    def advance(self, milliseconds: int) -> None:
        async def advance() -> list[str]:
            return [str(error) for error in await self.clock.advance(milliseconds)]

        assert self.runner.run(advance()) == []

    def follow(self, days: int | None) -> Archive | None:
        """Give the topic an archive policy, or none."""
        text = "" if days is None else f'{{"MessageRetentionPeriod": "{days}"}}'
        topic = Topic(
            id=TOPIC,
            account="000000000000",
            region="us-east-1",
            name="t.fifo",
            attributes={"ArchivePolicy": text},
            tags={},
            data_protection="",
            created_ms=NOW_MS,
        )
        found: Archive | None = self.run(archives.follow, topic, self.clock.now_ms())
        return found

    def keep(self, archive: Archive, *published_ms: int) -> None:
        """Write messages of these times, in this order."""

        def keep(tx: Tx) -> None:
            for moment_ms in published_ms:
                message = Message(id="m", topic_arn="t", body="text", published_ms=moment_ms)
                archives.insert(tx, archive, tx.next_id(), message)

        self.run(keep)

    def count(self) -> int:
        [[found]] = self.run(lambda tx: tx.all("SELECT COUNT(*) FROM sns_archived_messages"))
        return int(found)

    def remove(self, archive: Archive) -> None:
        """Let the upkeep look at an archive."""

        async def remove() -> None:
            self.upkeep.remove(archive.id)
            await self.activity.settle(10)

        self.runner.run(remove())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "data")
    yield world
    world.runner.run(world.store.close())
    world.runner.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(0, 3), max_size=30), moment=st.integers(-2, 100))
def test_the_first_message_of_a_time_is_found(world: World, steps: list[int], moment: int) -> None:
    world.follow(None)
    archive = world.follow(30)
    assert archive is not None
    times = [NOW_MS + sum(steps[: number + 1]) for number in range(len(steps))]
    world.keep(archive, *times)

    before = world.run(archives.before, archive, NOW_MS + moment)
    found = world.run(archives.heads, archive, before, 100)

    assert [head.published_ms for head in found] == [time for time in times if time >= NOW_MS + moment]


def test_messages_that_are_too_old_are_removed_when_it_is_time(world: World) -> None:
    archive = world.follow(1)
    assert archive is not None
    world.keep(archive, *[NOW_MS] * (2 * STEP_MESSAGES + 1), NOW_MS + DAY_MS // 2)
    world.remove(archive)
    at_first = world.count()

    world.advance(DAY_MS)
    after_a_day = world.count()
    world.advance(DAY_MS)

    assert (at_first, after_a_day, world.count()) == (2 * STEP_MESSAGES + 2, 1, 0)


def test_a_shorter_retention_removes_at_once(world: World) -> None:
    world.follow(30)
    archive = world.run(archives.of_topic, TOPIC)
    world.keep(archive, NOW_MS - 2 * DAY_MS, NOW_MS)

    changed = world.follow(1)
    assert changed is not None
    world.remove(changed)

    assert world.count() == 1


def test_a_closed_archive_is_removed_with_all_that_is_in_it(world: World) -> None:
    archive = world.follow(30)
    assert archive is not None
    world.keep(archive, *[NOW_MS] * (2 * STEP_MESSAGES))

    closed = world.follow(None)
    again = world.follow(30)
    assert closed is not None
    assert again is not None
    world.keep(again, NOW_MS)
    world.remove(archive)

    assert world.run(archives.find, archive.id) is None
    assert world.count() == 1


def test_upkeep_goes_on_after_a_start(world: World) -> None:
    archive = world.follow(1)
    assert archive is not None
    world.keep(archive, NOW_MS)
    later = ArchiveUpkeep(world.store, world.clock, world.activity)

    async def resume() -> None:
        await later.resume()
        await world.activity.settle(10)

    world.runner.run(resume())
    world.advance(DAY_MS)

    assert world.count() == 0


@pytest.mark.parametrize(
    ("status", "ends_ms", "is_held"),
    [
        ("Pending", None, True),
        ("In progress", None, True),
        ("In progress", NOW_MS, True),
        ("Completed", None, False),
        ("Completed", NOW_MS, True),
    ],
)
def test_who_replays_gets_no_live_messages(world: World, status: str, ends_ms: int | None, is_held: bool) -> None:
    def prepare(tx: Tx) -> None:
        replays.start(tx, 1, TOPIC, Span(0, ends_ms))
        tx.run("UPDATE sns_replays SET status = ?", status)

    world.run(prepare)

    assert world.run(replays.held_back, TOPIC, {1}) == ({1} if is_held else set())


def test_a_publisher_learns_of_a_live_subscription_that_it_does_not_know(world: World) -> None:
    """It has read the subscriptions before this one was there, and publishes after its replay was completed."""

    def prepare(tx: Tx) -> None:
        replays.start(tx, 1, TOPIC, Span(0, None))

    world.run(prepare)
    under_way = world.run(replays.held_back, TOPIC, set())
    world.run(lambda tx: tx.run("UPDATE sns_replays SET status = 'Completed'"))

    assert under_way == {1}
    with pytest.raises(StaleAudience):
        world.run(replays.held_back, TOPIC, set())


def test_a_new_replay_has_another_number(world: World) -> None:
    def start(tx: Tx) -> int:
        replays.start(tx, 1, TOPIC, Span(0, None))
        replay = replays.find(tx, 1)
        assert replay is not None
        return replay.number

    numbers = [world.run(start), world.run(start)]

    assert numbers == sorted(set(numbers))
