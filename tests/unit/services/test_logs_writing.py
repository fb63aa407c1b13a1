"""The platform's log sink: groups and streams come by themselves, order is kept, reads see what has begun."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from logs_world import ACCOUNT, NOW_MS, REGION, World

from cumulet.delivery import LogEvent
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.services.logs import events, groups, streams, writing
from cumulet.services.logs.errors import ResourceNotFoundException
from cumulet.services.logs.events import LARGEST_EVENT_BYTES, LATEST_MS, OVERHEAD_BYTES, Span
from cumulet.services.logs.writing import MOST_AT_ONCE
from cumulet.store import Tx


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "data")
    yield made
    made.close()


def test_group_and_stream_are_made_where_they_are_missing(world: World) -> None:
    world.write("/aws/lambda/f", "2027/01/15/[$LATEST]abc", (NOW_MS, "START"), (NOW_MS + 1, "END"))

    assert world.group("/aws/lambda/f").created_ms == NOW_MS
    assert world.messages("/aws/lambda/f", "2027/01/15/[$LATEST]abc") == ["START", "END"]


def test_events_of_one_moment_keep_their_order(world: World) -> None:
    for number in range(20):
        world.write("g", "s", (NOW_MS, f"{number}a"), (NOW_MS, f"{number}b"))

    assert world.messages("g", "s") == [f"{number}{letter}" for number in range(20) for letter in "ab"]


def test_events_are_read_by_time_whatever_their_order(world: World) -> None:
    world.write("g", "s", (NOW_MS + 5, "last"), (NOW_MS, "first"))
    world.write("g", "s", (NOW_MS + 1, "second"))

    assert world.messages("g", "s") == ["first", "second", "last"]
    assert world.run(streams.load, world.group("g").id, "s").last_event_ms == NOW_MS + 5


def test_group_that_was_deleted_is_made_again(world: World) -> None:
    world.write("g", "s", (NOW_MS, "old"))
    old_id = world.group("g").id
    world.delete_group("g")

    world.write("g", "s", (NOW_MS, "new"))

    assert world.messages("g", "s") == ["new"]
    assert world.group("g").id != old_id
    assert world.count("logs_events") == 1


def test_stream_that_was_deleted_is_made_again(world: World) -> None:
    world.write("g", "s", (NOW_MS, "old"))
    world.delete_stream("g", "s")

    world.write("g", "s", (NOW_MS, "new"))

    assert world.messages("g", "s") == ["new"]
    assert world.stored_bytes("g") == len("new") + OVERHEAD_BYTES


def test_write_that_follows_a_deletion_at_once_is_kept(world: World) -> None:
    world.write("g", "s", (NOW_MS, "old"))

    async def write_while_it_is_deleted() -> None:
        gone = world.store.transact(groups.delete, (ACCOUNT, REGION, "g"))
        written = world.writer.write(ACCOUNT, REGION, "g", "s", [LogEvent(NOW_MS, "new")])
        await gone
        await written

    world.wait(write_while_it_is_deleted)

    assert world.messages("g", "s") == ["new"]


def test_reads_that_begin_later_see_what_is_being_written(world: World) -> None:
    async def write_and_read() -> int:
        for number in range(3):
            written = world.writer.write(ACCOUNT, REGION, "g", f"s{number}", [LogEvent(NOW_MS, "line")])
        await world.writer.settled()
        assert written.done()
        group = await world.store.read(groups.load, ACCOUNT, REGION, "g")
        return len(await world.store.read(streams.by_name, group.id, "", None, 10, backwards=False))

    assert world.wait(write_and_read) == 3


def test_nothing_to_wait_for_is_settled(world: World) -> None:
    world.wait(world.writer.settled)


def test_failed_write_is_settled_and_told_to_its_writer(world: World) -> None:
    async def write_to_a_closed_store() -> None:
        await world.store.close()
        written = world.writer.write(ACCOUNT, REGION, "g", "s", [LogEvent(NOW_MS, "line")])
        await world.writer.settled()
        with pytest.raises(ServiceUnavailable):
            await written

    world.wait(write_to_a_closed_store)


def test_many_events_are_written_in_bounded_transactions(world: World) -> None:
    lines = [(NOW_MS, str(number)) for number in range(3 * MOST_AT_ONCE + 1)]
    before = world.store.stats().operations

    world.write("g", "s", *lines)

    assert world.messages("g", "s") == [message for _, message in lines]
    assert world.store.stats().operations - before >= 4


def test_lines_that_come_together_are_written_together(world: World) -> None:
    before = world.store.stats().operations

    async def write() -> None:
        written = [
            world.writer.write(ACCOUNT, REGION, "g", f"s{number % 2}", [LogEvent(NOW_MS, str(number))])
            for number in range(10)
        ]
        await asyncio.gather(*written)

    world.wait(write)

    assert world.store.stats().operations - before == 1
    assert world.messages("g", "s0") == ["0", "2", "4", "6", "8"]
    assert world.messages("g", "s1") == ["1", "3", "5", "7", "9"]


def test_lines_join_those_before_a_later_transaction(world: World) -> None:
    def count_events(tx: Tx) -> int:
        return len(tx.all("SELECT id FROM logs_events"))

    async def write_and_count() -> int:
        world.writer.write(ACCOUNT, REGION, "g", "s", [LogEvent(NOW_MS, "first")])
        later = asyncio.ensure_future(world.store.transact(count_events))
        world.writer.write(ACCOUNT, REGION, "g", "s", [LogEvent(NOW_MS, "second")])
        found: int = await later
        return found

    assert world.wait(write_and_count) == 2


def test_lines_are_written_again_after_a_write_that_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    append = events.append

    async def write() -> None:
        monkeypatch.setattr(events, "append", fail)
        with pytest.raises(ZeroDivisionError):
            await world.writer.write(ACCOUNT, REGION, "g", "s", [LogEvent(NOW_MS, "lost")])
        monkeypatch.setattr(events, "append", append)
        await world.writer.write(ACCOUNT, REGION, "g", "s", [LogEvent(NOW_MS, "kept")])

    def fail(*args: object) -> None:
        raise ZeroDivisionError

    world.wait(write)

    assert world.messages("g", "s") == ["kept"]


def test_part_of_many_events_that_fails_is_told_to_the_writer(world: World) -> None:
    async def put() -> None:
        key = ACCOUNT, REGION, "g", "s"
        with pytest.raises(ResourceNotFoundException, match="log group"):
            await world.writer.put(key, [(NOW_MS, "x")] * (2 * MOST_AT_ONCE))

    world.wait(put)


@pytest.mark.parametrize("written", [[], [(NOW_MS, "")]])
def test_nothing_is_written_for_no_text(world: World, written: list[tuple[int, str]]) -> None:
    world.write("g", "s", *written)

    assert world.count("logs_groups") == 0


def test_message_beyond_the_limit_is_cut_between_characters(world: World) -> None:
    world.write("g", "s", (NOW_MS, "x" * 2_000_000))
    world.write("g", "t", (NOW_MS, "x" + "ü" * 1_000_000))

    assert world.messages("g", "s") == ["x" * (LARGEST_EVENT_BYTES - OVERHEAD_BYTES)]
    assert world.messages("g", "t") == ["x" + "ü" * ((LARGEST_EVENT_BYTES - OVERHEAD_BYTES - 1) // 2)]


def test_what_is_no_text_is_replaced(world: World) -> None:
    world.write("g", "s", (NOW_MS, "a\ud800b"), (NOW_MS, "\x00 \n"))

    assert world.messages("g", "s") == ["a?b", "\x00 \n"]


def test_stored_bytes_are_those_of_all_messages(world: World) -> None:
    world.write("g", "s", (NOW_MS, "abc"), (NOW_MS, "ü"))
    world.write("g", "t", (NOW_MS, "d"))

    assert world.stored_bytes("g") == 3 + 2 + 1 + 3 * OVERHEAD_BYTES


def test_places_that_are_remembered_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cumulet.services.logs.directory.MOST_PLACES", 3)

    for number in range(10):
        world.write("g", f"s{number}", (NOW_MS, "a"))
        world.write("g", f"s{number}", (NOW_MS, "b"))

    assert [world.messages("g", f"s{number}") for number in range(10)] == [["a", "b"]] * 10


def test_expired_lines_of_a_group_that_keeps_them_for_a_time_leave_the_disk(world: World) -> None:
    world.write("g", "s", (NOW_MS, "first"))
    world.keep_for("g", 1)
    world.write("g", "s", (NOW_MS + 1000, "second"))

    world.advance(86_400_000)
    assert world.count("logs_events") == 2
    world.advance(3_600_001)
    assert world.count("logs_events") == 0
    assert world.stored_bytes("g") == 0
    world.write("g", "s", (world.clock.now_ms(), "third"))
    world.advance(86_400_001)

    assert world.count("logs_events") == 0


def test_span_of_a_page_is_kept(world: World) -> None:
    world.write("g", "s", *[(NOW_MS + number, str(number)) for number in range(10)])

    page = world.page("g", "s", Span(NOW_MS + 2, NOW_MS + 5, False))

    assert [event.message for event in page] == ["2", "3", "4", "5"]
    assert len(world.page("g", "s", Span(0, LATEST_MS, True), 3)) == 3


def test_fitting_leaves_text_as_it_is() -> None:
    assert [writing.fitting(text) for text in ("plain", "ünï ✓ 😀")] == ["plain", "ünï ✓ 😀"]
