"""Reading and searching against a plain list: whatever the pages, directions and streams, the same events come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logs_world import NOW_MS, World

from cumulet.services.logs import events, reading, streams
from cumulet.services.logs.events import LATEST_MS, Span

STREAMS = ("a", "ab", "b")


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("logs") / "data")
    yield made
    made.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "data")
    yield made
    made.close()


written = st.lists(st.tuples(st.sampled_from(STREAMS), st.integers(0, 5), st.sampled_from("xy")), max_size=60)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    written=written,
    first=st.integers(0, 5),
    last=st.integers(0, 5),
    is_backwards=st.booleans(),
    limit=st.integers(1, 7),
    only=st.none() | st.sets(st.sampled_from(STREAMS), min_size=1),
    pattern=st.sampled_from(["", "x", "-x"]),
)
def test_pages_together_are_what_was_written(
    worlds: World,
    written: list[tuple[str, int, str]],
    first: int,
    last: int,
    is_backwards: bool,
    limit: int,
    only: set[str] | None,
    pattern: str,
) -> None:
    group = f"g{worlds.count('logs_groups')}"
    for stream in STREAMS:
        worlds.write(group, stream, (NOW_MS - 1, "before all"))
    for number, (stream, offset, letter) in enumerate(written):
        worlds.write(group, stream, (NOW_MS + offset, f"{letter}{number}"))
    span = Span(NOW_MS + first, NOW_MS + last, is_backwards)
    numbered = sorted((offset, number, stream, letter) for number, (stream, offset, letter) in enumerate(written))
    expected = [
        (stream, f"{letter}{number}")
        for offset, number, stream, letter in (reversed(numbered) if is_backwards else numbered)
        if first <= offset <= last
        and (only is None or stream in only)
        and (pattern == "" or (letter == "x") == (pattern == "x"))
    ]

    found = []
    after = None
    while True:
        page = worlds.search(
            group, span._replace(after=after), limit, only=sorted(only) if only else None, pattern=pattern
        )
        assert len(page.events) <= limit
        found += [(stream, event.message) for event, stream in page.events]
        after = page.next
        if after is None:
            break

    assert found == expected
    for stream in STREAMS if pattern == "" and only is None else ():
        page_of_one = [event.message for event in worlds.page(group, stream, span)]
        assert page_of_one == [message for name, message in expected if name == stream]


def test_prefix_chooses_streams(world: World) -> None:
    for stream in STREAMS:
        world.write("g", stream, (NOW_MS, f"in {stream}"))

    found = world.search("g", Span(0, LATEST_MS, False), 10, prefix="a")

    assert [stream for _, stream in found.events] == ["a", "ab"]


def test_many_streams_are_merged_by_time(world: World) -> None:
    for number in range(600):
        world.write("g", f"s{number * 7 % 30}", (NOW_MS + number, str(number)))
    names = [f"s{number}" for number in range(30)]

    forwards = world.search("g", Span(0, LATEST_MS, False), 10_000, only=names)
    backwards = world.search("g", Span(0, LATEST_MS, True), 10_000, only=names)

    assert [event.message for event, _ in forwards.events] == [str(number) for number in range(600)]
    assert [event.message for event, _ in backwards.events] == [str(number) for number in reversed(range(600))]


def test_page_has_no_more_than_a_megabyte(world: World) -> None:
    for number in range(4):
        world.write("g", "s", (NOW_MS + number, str(number) * 400_000))

    first = world.page("g", "s", Span(0, LATEST_MS, False))
    last = world.page("g", "s", Span(0, LATEST_MS, True))
    found = world.search("g", Span(0, LATEST_MS, False), 10)

    assert [event.message[0] for event in first] == ["0", "1"]
    assert [event.message[0] for event in last] == ["3", "2"]
    assert [event.message[0] for event, _ in found.events] == ["0", "1"]
    assert found.next == found.events[-1][0].position


def test_largest_event_is_a_page(world: World) -> None:
    world.write("g", "s", (NOW_MS, "x" * 2_000_000), (NOW_MS + 1, "y" * 2_000_000))

    assert [event.message[0] for event in world.page("g", "s", Span(0, LATEST_MS, False))] == ["x"]
    assert [event.message[0] for event, _ in world.search("g", Span(0, LATEST_MS, False), 10).events] == ["x"]


def test_search_ends_its_page_when_it_has_looked_at_enough(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_SEARCHED", 300)
    world.write("g", "s", *[(NOW_MS + number, f"line {number}") for number in range(1000)])
    span, pages = Span(0, LATEST_MS, False), 0

    while not (found := world.search("g", span, 10, pattern='"line 999"')).events:
        assert found.next is not None
        span = span._replace(after=found.next)
        pages += 1

    assert 1 < pages < 5


def test_search_ends_its_page_when_it_has_looked_at_many_bytes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_SEARCHED_BYTES", 1_000_000)
    world.write("g", "s", *[(NOW_MS + number, "x" * 100_000) for number in range(100)])

    found = world.search("g", Span(0, LATEST_MS, False), 10, pattern="y")

    assert found.next is not None
    assert found.next[0] < NOW_MS + 60


def test_events_of_a_deleted_stream_are_passed_over_before_they_are_collected(world: World) -> None:
    world.write("g", "gone", (NOW_MS, "a"), (NOW_MS + 2, "c"))
    world.write("g", "here", (NOW_MS + 1, "b"))
    world.run(streams.delete, world.group("g"), "gone")

    found = world.search("g", Span(0, LATEST_MS, False), 10)

    assert world.count("logs_events") == 3
    assert [event.message for event, _ in found.events] == ["b"]


@given(occurred_ms=st.integers(0, LATEST_MS), number=st.integers(0, 2**63 - 1))
def test_event_id_stands_for_a_position(occurred_ms: int, number: int) -> None:
    assert events.position_of(events.event_id((occurred_ms, number))) == (occurred_ms, number)


@given(
    positions=st.lists(st.tuples(st.integers(0, 4_000_000_000_000), st.integers(0, 2**63 - 1)), min_size=2, max_size=2)
)
def test_event_ids_sort_as_events_do(positions: list[tuple[int, int]]) -> None:
    ids = [events.event_id(position) for position in positions]

    assert [len(text) for text in ids] == [56, 56]
    assert sorted(ids) == [events.event_id(position) for position in sorted(positions)]


@pytest.mark.parametrize("text", ["9" * 56, str(2**64), str((2**63) << 144)])
def test_number_that_is_no_event_id(text: str) -> None:
    assert events.position_of(text.zfill(56)) is None
