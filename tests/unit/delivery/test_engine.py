"""The engine of deliveries: what is tried when, how often, and what a crash leaves."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from delivery_world import HOUR, MINUTE, A, B, World

from cumulet.delivery import End, RetryPolicy, Verdict
from cumulet.delivery.engine import BATCH

FAILED, DEFERRED, REFUSED = Verdict.FAILED, Verdict.DEFERRED, Verdict.REFUSED


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "data")
    yield world
    world.close()
    assert world.unheard == []


def test_what_is_accepted_is_delivered_once_and_forgotten(world: World) -> None:
    world.accept("one", "two")

    assert world.endpoint.attempts == [("one", 0), ("two", 0)]
    assert [(name, end) for name, end, *_ in world.endpoint.ends] == [("one", End.DELIVERED), ("two", End.DELIVERED)]
    assert world.left() == []


def test_a_failing_target_is_tried_again_after_its_policys_waits(world: World) -> None:
    world.endpoint.scripts["one"] = [FAILED, FAILED, FAILED]

    world.accept("one")
    world.advance(HOUR)

    assert world.attempts("one") == [0, 60, 180]
    assert world.endpoint.ends == [("one", End.EXHAUSTED, "answer 3", 180)]
    assert world.left() == []


def test_a_retry_that_succeeds_is_the_last(world: World) -> None:
    world.endpoint.scripts["one"] = [FAILED]

    world.accept("one")
    world.advance(HOUR)

    assert world.attempts("one") == [0, 60]
    assert world.endpoint.ends == [("one", End.DELIVERED, "answer 2", 60)]


@pytest.mark.parametrize(
    ("most_age_seconds", "tries", "ended"),
    [(60, [0], 0), (61, [0, 60], 60), (180, [0, 60], 60), (181, [0, 60, 180], 180)],
)
def test_a_retry_that_would_be_too_late_ends_a_delivery_at_once(
    world: World, most_age_seconds: int, tries: list[float], ended: float
) -> None:
    world.endpoint.retry_policy = RetryPolicy(2, (60_000, 120_000), most_age_seconds * 1000)
    world.endpoint.scripts["one"] = [FAILED] * 3

    world.accept("one")
    world.advance(HOUR)

    assert world.attempts("one") == tries
    end = End.EXHAUSTED if len(tries) == 3 else End.EXPIRED
    assert world.endpoint.ends == [("one", end, f"answer {len(tries)}", ended)]


def test_what_a_target_refuses_is_not_tried_again(world: World) -> None:
    world.endpoint.scripts["one"] = [REFUSED]

    world.accept("one")
    world.advance(HOUR)

    assert world.attempts("one") == [0]
    assert world.endpoint.ends == [("one", End.EXHAUSTED, "answer 1", 0)]


def test_a_target_that_can_not_be_tried_is_left_alone_longer_and_longer_until_the_delivery_is_too_old(
    world: World,
) -> None:
    world.endpoint.scripts["one"] = [DEFERRED] * 1000

    world.accept("one")
    world.advance(2 * HOUR)

    tries = world.attempts("one")
    waits = [later - earlier for earlier, later in itertools.pairwise(tries)]
    for number, wait in enumerate(waits[:-1]):
        assert min(300, 2**number) / 2 <= wait <= min(300, 2**number)
    assert world.endpoint.ends == [("one", End.EXPIRED, None, HOUR)]
    assert tries[-1] < HOUR


def test_deferrals_do_not_count_as_retries(world: World) -> None:
    world.endpoint.scripts["one"] = [DEFERRED, FAILED, DEFERRED, FAILED, DEFERRED, FAILED]

    world.accept("one")
    world.advance(HOUR)

    assert len(world.attempts("one")) == 6
    assert [end for _, end, *_ in world.endpoint.ends] == [End.EXHAUSTED]


def test_an_attempt_that_breaks_counts_as_deferred_and_is_told(world: World) -> None:
    world.endpoint.scripts["one"] = [ValueError("a bug")]

    world.accept("one")
    world.advance(1)

    assert len(world.attempts("one")) == 2
    assert world.left() == []
    assert [message for message in world.unheard if A in message]
    world.unheard.clear()


def test_no_more_are_under_way_than_a_target_has_places(world: World) -> None:
    world.endpoint.places[A] = 3

    world.accept(*[f"r{number}" for number in range(250)])

    assert [name for name, _ in world.endpoint.attempts] == [f"r{number}" for number in range(250)]
    assert world.endpoint.most_running[A] == 3
    assert world.left() == []


def test_a_target_without_places_holds_up_no_other(world: World) -> None:
    world.endpoint.places[A] = 0

    world.accept(*[f"a{number}" for number in range(300)])
    world.accept("b", lane=B)

    assert world.endpoint.attempts == [("b", 0)]
    assert len(world.left()) == 300


def test_what_waits_for_a_place_ends_when_it_is_too_old(world: World) -> None:
    world.endpoint.places[A] = 0
    world.endpoint.retry_policy = RetryPolicy(2, (60_000,), 90_000)

    world.accept("one", "two")
    world.advance(30)
    world.accept("three")
    world.advance(MINUTE)

    assert world.endpoint.attempts == []
    assert [(name, end, seconds) for name, end, _, seconds in world.endpoint.ends] == [
        ("one", End.EXPIRED, 90),
        ("two", End.EXPIRED, 90),
    ]
    world.advance(30)
    assert world.left() == []


def test_a_lane_goes_on_when_its_target_says_so(world: World) -> None:
    world.endpoint.places[A] = 0
    world.accept("one")

    world.endpoint.places[A] = 1
    world.wait(lambda: _soon(world.endpoint.wake))
    world.advance(0)

    assert world.attempts("one") == [0]


def test_what_was_accepted_survives_a_crash_before_its_first_attempt(world: World) -> None:
    world.endpoint.places[A] = 0
    world.accept("one", "two")

    world.endpoint.places.clear()
    world.restart()

    assert [name for name, _ in world.endpoint.attempts] == ["one", "two"]
    assert world.left() == []


def test_an_attempt_that_a_crash_cut_off_is_made_again(world: World) -> None:
    world.endpoint.hold = world.wait(_event)
    world.accept("one")
    assert world.attempts("one") == [0]

    world.stop()
    world.endpoint.hold = None
    world.restart()

    assert len(world.attempts("one")) == 2
    assert world.left() == []


def test_a_retry_keeps_its_time_over_a_crash(world: World) -> None:
    world.endpoint.scripts["one"] = [FAILED] * 3
    world.accept("one")
    world.advance(30)

    world.restart()
    world.advance(HOUR)

    assert world.attempts("one") == [0, 60, 180]
    assert world.endpoint.ends == [("one", End.EXHAUSTED, "answer 3", 180)]


def test_what_fell_due_while_the_platform_was_down_is_tried_at_its_start(world: World) -> None:
    world.endpoint.scripts["one"] = [FAILED]
    world.accept("one")

    world.stop()
    world.advance(10 * MINUTE)
    world.restart()

    assert world.attempts("one") == [0, 600]


def test_an_end_that_the_store_refuses_is_written_after_a_further_attempt(world: World) -> None:
    world.endpoint.refused = {"one", "two"}

    world.accept("one", "two", "three")
    assert [name for name, *_ in world.endpoint.ends] == ["three"]
    world.endpoint.refused.clear()
    world.advance(10)

    assert sorted(name for name, *_ in world.endpoint.ends) == ["one", "three", "two"]
    assert world.attempts("one") == world.attempts("two") == [0, 10]
    assert world.left() == []
    assert len(world.unheard) == 2
    world.unheard.clear()


def test_many_targets_that_fail_need_one_timer(world: World) -> None:
    lanes = [f"{A}-{number}" for number in range(50)]
    for lane in lanes:
        world.endpoint.scripts[lane] = [FAILED]
        world.accept(lane, lane=lane)

    assert len([timer for _, _, timer in world.clock._timers if not timer.cancelled]) == 1
    world.advance(MINUTE)

    assert len(world.endpoint.attempts) == 100
    assert world.left() == []


def test_a_backlog_larger_than_memory_holds_is_read_in_order(world: World) -> None:
    world.endpoint.places[A] = 0
    names = [f"r{number}" for number in range(1000)]
    for first in range(0, 1000, 100):
        world.accept(*names[first : first + 100])

    world.endpoint.places[A] = 7
    world.restart()

    assert [name for name, _ in world.endpoint.attempts] == names
    assert world.left() == []


def test_a_target_without_places_has_little_in_memory(world: World) -> None:
    world.endpoint.places[A] = 1
    world.endpoint.hold = world.wait(_event)

    for first in range(0, 1000, 100):
        world.accept(*[f"r{number}" for number in range(first, first + 100)])

    lane = world.engine._lanes[A]
    assert len(lane.waiting) + len(lane.fresh) <= BATCH
    assert len(world.left()) == 1000
    world.wait(lambda: _soon(world.endpoint.hold.set))
    world.advance(0)
    assert [name for name, _ in world.endpoint.attempts] == [f"r{number}" for number in range(1000)]


def test_what_comes_while_a_backlog_waits_is_tried_behind_it(world: World) -> None:
    world.endpoint.places[A] = 1
    world.endpoint.hold = world.wait(_event)
    world.accept(*[f"early-{number}" for number in range(150)])
    world.accept("late")

    world.wait(lambda: _soon(world.endpoint.hold.set))
    world.advance(0)

    assert [name for name, _ in world.endpoint.attempts] == [*(f"early-{number}" for number in range(150)), "late"]


def test_an_end_is_written_once_though_two_attempts_come_to_it(world: World) -> None:
    world.endpoint.hold = world.wait(_event)
    world.accept("one")
    other = world._new_engine()  # as if the first did not know of its own attempt
    world.wait(other.start)
    world.advance(0)
    assert len(world.attempts("one")) == 2

    world.wait(lambda: _soon(world.endpoint.hold.set))
    world.advance(0)

    assert len(world.endpoint.ends) == 1
    other.close()


def test_all_targets_go_on_after_a_crash(world: World) -> None:
    lanes = [f"{A}-{number}" for number in range(300)]
    world.endpoint.places = dict.fromkeys(lanes, 0)
    for lane in lanes:
        world.accept(lane, lane=lane)

    world.endpoint.places.clear()
    world.restart()

    assert sorted(name for name, _ in world.endpoint.attempts) == sorted(lanes)
    assert world.engine._lanes == {}


async def _event() -> asyncio.Event:
    return asyncio.Event()


async def _soon(callback: object) -> None:
    assert callable(callback)
    callback()
