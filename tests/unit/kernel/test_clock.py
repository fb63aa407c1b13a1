"""The virtual clock: what fires when, and when an advance is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import MACHINE, VirtualClock

START_MS = 1_000_000


def run(test: Callable[[VirtualClock, Activity], Any]) -> Any:
    """Run a test's coroutine with a clock on an event loop; a failure that nobody heard of fails the test."""

    async def with_clock() -> Any:
        unheard: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
        activity = Activity()
        result = await test(VirtualClock(START_MS, activity), activity)
        return result, [context["message"] for context in unheard]

    result, unheard = asyncio.run(with_clock())
    assert unheard == [] or result == unheard
    return result


def test_time_stands_still_between_advances() -> None:
    async def test(clock: VirtualClock, _: Activity) -> None:
        await asyncio.sleep(0.01)
        assert clock.now_ms() == START_MS
        assert await clock.advance(1500) == []
        assert clock.now_ms() == START_MS + 1500

    run(test)


@given(st.lists(st.integers(1, 50), max_size=30), st.lists(st.integers(0, 30), min_size=1, max_size=5))
def test_timers_fire_in_the_order_of_their_time_and_at_it(delays: list[int], advances: list[int]) -> None:
    async def test(clock: VirtualClock, _: Activity) -> None:
        fired: list[tuple[int, int, int]] = []
        for number, delay in enumerate(delays):
            clock.call_at(
                START_MS + delay, lambda delay=delay, number=number: fired.append((delay, number, clock.now_ms()))
            )

        for milliseconds in advances:
            await clock.advance(milliseconds)

        due = sorted((delay, number) for number, delay in enumerate(delays) if delay <= sum(advances))
        assert fired == [(delay, number, START_MS + delay) for delay, number in due]

    run(test)


def test_what_a_timer_starts_ends_before_the_next_moment() -> None:
    async def test(clock: VirtualClock, activity: Activity) -> None:
        said: list[str] = []

        async def work() -> None:
            for _ in range(5):
                await asyncio.sleep(0)
            said.append(f"worked at {clock.now_ms() - START_MS}")

        clock.call_at(START_MS + 10, lambda: activity.spawn("work", work()) and None)
        clock.call_at(START_MS + 11, lambda: said.append("next"))
        await clock.advance(20)

        assert said == ["worked at 10", "next"]

    run(test)


def test_a_timer_set_on_the_way_fires_in_the_same_advance() -> None:
    async def test(clock: VirtualClock, _: Activity) -> None:
        fired: list[int] = []

        def again() -> None:
            fired.append(clock.now_ms() - START_MS)
            if len(fired) < 5:
                clock.call_at(clock.now_ms() + 10, again)

        clock.call_at(START_MS + 10, again)
        await clock.advance(30)
        assert fired == [10, 20, 30]
        await clock.advance(100)
        assert fired == [10, 20, 30, 40, 50]

    run(test)


def test_what_is_already_due_fires_without_an_advance() -> None:
    async def test(clock: VirtualClock, _: Activity) -> None:
        fired: list[str] = []
        clock.call_at(START_MS, lambda: fired.append("now"))
        clock.call_at(0, lambda: fired.append("long ago"))
        cancelled = clock.call_at(0, lambda: fired.append("cancelled"))
        cancelled.cancel()
        await asyncio.sleep(0)

        assert fired == ["now", "long ago"]

    run(test)


def test_a_cancelled_timer_does_not_fire() -> None:
    async def test(clock: VirtualClock, _: Activity) -> None:
        fired: list[str] = []
        later = clock.call_at(START_MS + 10, lambda: fired.append("later"))
        clock.call_at(START_MS + 5, later.cancel)
        await clock.advance(20)
        later.cancel()

        assert fired == []

    run(test)


def test_a_sleeper_wakes_when_its_time_has_come() -> None:
    async def test(clock: VirtualClock, _: Activity) -> None:
        sleeper = asyncio.create_task(clock.sleep(2.5))
        await asyncio.sleep(0)
        await clock.advance(2499)
        await asyncio.sleep(0)
        assert not sleeper.done()
        await clock.advance(1)
        await asyncio.wait_for(sleeper, 1)

    run(test)


def test_a_sleeper_that_is_cancelled_leaves_no_timer() -> None:
    async def test(clock: VirtualClock, _: Activity) -> None:
        sleeper = asyncio.create_task(clock.sleep(1))
        await asyncio.sleep(0)
        sleeper.cancel()
        await asyncio.gather(sleeper, return_exceptions=True)
        assert await clock.advance(2000) == []

    run(test)


def test_an_advance_is_bounded_and_names_what_is_busy() -> None:
    async def test(clock: VirtualClock, activity: Activity) -> None:
        is_over = asyncio.Event()

        async def work() -> None:
            await is_over.wait()

        clock.call_at(START_MS + 10, lambda: activity.spawn("counting sheep", work()) and None)
        clock.call_at(START_MS + 20, lambda: pytest.fail("fired while the work before it was not over"))
        started = MACHINE.monotonic()

        busy = await clock.advance(15, patience_seconds=0.05)

        assert busy == ["counting sheep"]
        assert clock.now_ms() == START_MS + 10
        assert MACHINE.monotonic() - started < 1
        is_over.set()
        assert await clock.advance(0) == []

    run(test)


def test_two_advances_at_once_follow_each_other() -> None:
    async def test(clock: VirtualClock, _: Activity) -> None:
        moments: list[int] = []
        for delay in (5, 15):
            clock.call_at(START_MS + delay, lambda: moments.append(clock.now_ms() - START_MS))

        await asyncio.gather(clock.advance(10), clock.advance(10))

        assert (moments, clock.now_ms()) == ([5, 15], START_MS + 20)

    run(test)


def test_a_timer_that_fails_is_reported_and_stops_nothing() -> None:
    async def test(clock: VirtualClock, _: Activity) -> list[str]:
        fired: list[str] = []

        def fail() -> None:
            raise ValueError

        clock.call_at(START_MS + 10, fail)
        clock.call_at(START_MS + 10, lambda: fired.append("same moment"))
        clock.call_at(START_MS + 20, lambda: fired.append("later"))
        assert await clock.advance(30) == []
        assert fired == ["same moment", "later"]
        return ["a timer failed"]

    run(test)


def test_the_machines_clock_calls_back_at_once_what_is_due() -> None:
    async def test() -> None:
        called = asyncio.Event()
        MACHINE.call_at(MACHINE.now_ms() - 1000, called.set)
        await asyncio.wait_for(called.wait(), 1)
        later = MACHINE.call_at(MACHINE.now_ms() + 60_000, lambda: pytest.fail("too early"))
        await MACHINE.sleep(0.01)
        later.cancel()

    asyncio.run(test())
