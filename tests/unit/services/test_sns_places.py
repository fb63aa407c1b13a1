"""SNS: which requests to HTTP endpoints go at once, and how those that fail are kept from holding up the others."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import pytest

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock
from cumulet.services.sns import places
from cumulet.services.sns.places import AT_ONCE, AT_ONCE_IN_ALL, AT_ONCE_TO_SICK, FAILURES, PAUSE_MS, Places


class World:
    """Places, and lanes that take what they can get whenever they are called."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self.clock = VirtualClock(1_000_000, Activity())
        self.places = Places(self.clock)
        self.called: Counter[str] = Counter()
        self.held: dict[str, list[Callable[[], None]]] = {}

    def close(self) -> None:
        self._runner.close()

    def run(self, work: Callable[[], object]) -> None:
        """Do something on the event loop, and what follows at once."""

        async def run() -> None:
            answer = work()
            if isinstance(answer, Awaitable):
                await answer
            await self.clock.advance(0)

        self._runner.run(run())

    def advance(self, milliseconds: int) -> None:
        self.run(lambda: self.clock.advance(milliseconds))

    def ask(self, lane: str) -> None:
        """Take all places that a lane can have."""
        self.run(lambda: self._ask(lane))

    def _ask(self, lane: str) -> None:
        while give_back := self.places.take(lane, partial(self._call, lane)):
            self.held.setdefault(lane, []).append(give_back)

    def _call(self, lane: str) -> None:
        self.called[lane] += 1
        self._ask(lane)

    def has(self, lane: str) -> int:
        return len(self.held.get(lane, []))

    def answer(self, lane: str, *, is_well: bool = True) -> None:
        """End one request of a lane."""

        def end() -> None:
            give_back = self.held[lane].pop(0)
            self.places.tell(lane, is_well=is_well)
            give_back()

        self.run(end)

    def grown(self, lane: str) -> None:
        """Let a lane get all places that one can have."""
        self.ask(lane)
        while self.has(lane) < AT_ONCE:
            self.answer(lane)

    def sicken(self, lane: str) -> None:
        """Let a lane fail until it is sick; nothing is under way to it."""
        for _ in range(FAILURES):
            give_back = self.places.take(lane, int)
            assert give_back is not None
            self.places.tell(lane, is_well=False)
            give_back()


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def test_endpoint_begins_with_one_request_and_gets_more_with_each_answer(world: World) -> None:
    world.ask("a")
    seen = [world.has("a")]
    for _ in range(12):
        world.answer("a")
        seen.append(world.has("a"))

    assert seen == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10]


def test_endpoint_that_fails_has_fewer(world: World) -> None:
    world.grown("a")

    for _ in range(9):
        world.answer("a", is_well=False)

    assert world.has("a") == 1


def test_no_more_go_to_all_than_there_are_places(world: World) -> None:
    for number in range(AT_ONCE_IN_ALL + 5):
        world.ask(f"{number}")
    late = [f"{number}" for number in range(AT_ONCE_IN_ALL, AT_ONCE_IN_ALL + 5)]
    assert [world.has(lane) for lane in late] == [0] * 5

    world.places.tell("0", is_well=False)
    for number in range(3):
        world.answer(f"{number}", is_well=False)

    assert [world.has(lane) for lane in late] == [1, 1, 1, 0, 0]


def test_sick_endpoint_is_tried_after_pauses(world: World) -> None:
    world.sicken("a")

    world.ask("a")
    assert world.has("a") == 1
    seen = []
    for milliseconds in (0, PAUSE_MS - 1, 1):
        if world.has("a"):
            world.answer("a", is_well=False)
        world.advance(milliseconds)
        seen.append(world.has("a"))

    assert seen == [0, 0, 1]


def test_sick_endpoints_are_tried_in_turn(world: World) -> None:
    lanes = ["a", "b", "c"]
    for lane in lanes:
        world.sicken(lane)
    for lane in lanes:
        world.ask(lane)
    order = []
    for _ in range(9):
        [busy] = [lane for lane in lanes if world.has(lane)]
        order.append(busy)
        world.answer(busy, is_well=False)
        world.advance(PAUSE_MS)

    assert order == lanes * 3


def test_endpoint_that_answers_is_not_sick_any_more(world: World) -> None:
    world.sicken("a")
    assert world.places.sick() == ["a"]
    world.ask("a")

    world.answer("a")

    assert world.has("a") == 2
    assert world.places.sick() == []


def test_sick_endpoints_that_hang_leave_places_to_the_others(world: World) -> None:
    dead = [f"dead-{number}" for number in range(AT_ONCE_IN_ALL + 50)]
    for lane in dead:
        world.sicken(lane)
    for lane in dead:
        world.ask(lane)
    world.advance(PAUSE_MS * len(dead))
    assert sum(map(world.has, dead)) == AT_ONCE_TO_SICK

    world.grown("alive")

    assert world.has("alive") == AT_ONCE


def test_sick_endpoint_gets_a_place_when_another_one_ends(world: World) -> None:
    dead = [f"dead-{number}" for number in range(AT_ONCE_TO_SICK + 1)]
    for lane in dead:
        world.sicken(lane)
    for lane in dead:
        world.ask(lane)
    world.advance(PAUSE_MS * len(dead))
    assert world.has(dead[-1]) == 0

    world.answer(dead[0], is_well=False)
    world.advance(PAUSE_MS)

    assert world.has(dead[-1]) == 1


def test_pace_is_kept_with_one_timer(world: World) -> None:
    world.ask("a")
    calls: list[int] = []
    assert world.places.keep_pace("a", 2, int)

    def refused() -> None:
        for _ in range(10):
            assert not world.places.keep_pace("a", 2, lambda: calls.append(world.clock.now_ms()))

    world.run(refused)
    world.advance(10_000)

    assert calls == [1_000_501]
    assert world.places.keep_pace("a", 2, int)


def test_without_a_limit_there_is_no_pace(world: World) -> None:
    world.ask("a")

    assert all(world.places.keep_pace("a", None, int) for _ in range(10))


def test_what_is_known_of_idle_endpoints_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MOST_KNOWN", 20)
    world.ask("busy")
    for number in range(100):
        world.sicken(f"{number}")

    assert len(world.places.sick()) == 19
    assert world.has("busy") == 1
