"""How fast environments may come: the rule of today, and that of 2021 with the numbers of its worked example."""

from __future__ import annotations

import asyncio

import pytest
from lambda_world import function

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock
from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_.concurrency import Concurrency
from cumulet.services.lambda_.scaling import CURRENT, IDLE_MS, Growth, Rule, rule_of_2021
from cumulet.services.lambda_.simulation import simulate, spread


def simulated(minutes: int, provisioned: int, rule: Rule) -> list[tuple[int, int, int]]:
    """Return how many requests arrived, were served and were throttled in each minute, of 10,000 together."""
    arrivals = spread(10_000, minutes)
    found = asyncio.run(simulate(arrivals, account_limit=10_000, provisioned=provisioned, rule=rule))
    return [(minute.arrived, minute.provisioned + minute.warm + minute.new, minute.throttled) for minute in found]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (1, [(10_000, 3000, 7000)]),
        (2, [(5000, 3000, 2000), (5000, 3500, 1500)]),
        (3, [(3333, 3000, 333), (3333, 3333, 0), (3334, 3334, 0)]),
        (4, [(2500, 2500, 0)] * 4),
    ],
)
def test_10000_requests_by_the_rule_of_2021(minutes: int, expected: list[tuple[int, int, int]]) -> None:
    assert simulated(minutes, 0, rule_of_2021()) == expected


@pytest.mark.parametrize("minutes", [1, 2, 3, 4])
def test_10000_requests_with_7000_provisioned_are_all_served(minutes: int) -> None:
    assert [throttled for _, _, throttled in simulated(minutes, 7000, rule_of_2021())] == [0] * minutes


def test_what_provisioned_environments_can_not_take_runs_on_demand() -> None:
    alone = asyncio.run(simulate([10_000], account_limit=10_000, provisioned=7000, rule=rule_of_2021()))
    spread_out = asyncio.run(simulate(spread(10_000, 2), account_limit=10_000, provisioned=7000, rule=rule_of_2021()))

    assert [(minute.provisioned, minute.warm, minute.new) for minute in alone] == [(7000, 0, 3000)]
    assert [(minute.provisioned, minute.warm, minute.new) for minute in spread_out] == [(5000, 0, 0)] * 2


def test_10000_requests_by_todays_rule() -> None:
    assert simulated(3, 0, CURRENT) == [(3333, 1000, 2333), (3333, 2000, 1333), (3334, 3000, 334)]


def test_today_a_function_gets_1000_environments_more_in_10_seconds() -> None:
    growth = Growth(CURRENT)
    for _ in range(1000):
        growth.take(5_000)

    assert [growth.left(5_000 + ms) for ms in (0, 9, 10, 5000, 10_000, 60_000)] == [0, 0, 1, 500, 1000, 1000]


def test_in_2021_a_region_got_500_more_each_minute() -> None:
    growth = Growth(rule_of_2021())
    for _ in range(3000):
        growth.take(5_000)

    assert [growth.left(5_000 + ms) for ms in (0, 59_999, 60_000, 120_000, 600_000)] == [0, 0, 500, 1000, 3000]


def test_the_burst_of_2021_is_shared_by_all_functions_of_a_region() -> None:
    async def take_all() -> None:
        concurrency = Concurrency(100, 100, clock=VirtualClock(0, Activity()), rule=rule_of_2021(3, 1))
        taken = [concurrency.take(function(name)) for name in ("a", "a", "b")]

        assert [concurrency.free(function(name)) for name in ("a", "b", "c")] == [0, 0, 0]
        assert concurrency.free(function("c", account="999999999999")) == 3
        taken[0]()
        assert [concurrency.free(function(name)) for name in ("a", "b", "c")] == [1, 0, 0]

    asyncio.run(take_all())


def test_today_each_function_grows_for_itself() -> None:
    concurrency = Concurrency(5000, 5000, clock=VirtualClock(0, Activity()))
    for _ in range(1000):
        concurrency.take(function("a"))

    with pytest.raises(AwsError) as refusal:
        concurrency.take(function("a"))
    concurrency.take(function("b"))

    assert refusal.value.message == "Rate Exceeded."
    assert refusal.value.members == {
        "Reason": "ConcurrentInvocationLimitExceeded",
        "Type": "User",
        "retryAfterSeconds": "1",
    }


def test_environments_that_nothing_needs_are_gone_after_a_while() -> None:
    async def go() -> None:
        clock = VirtualClock(0, Activity())
        concurrency = Concurrency(100, 100, clock=clock, rule=rule_of_2021(10, 0))
        for give_back in [concurrency.take(function("a")) for _ in range(10)]:
            give_back()

        assert concurrency.free(function("a")) == 10
        await clock.advance(2 * IDLE_MS)
        assert concurrency.free(function("a")) == 0

    asyncio.run(go())


def test_who_waits_for_growth_is_woken_when_there_is_some() -> None:
    async def go() -> None:
        clock = VirtualClock(0, Activity())
        concurrency = Concurrency(100, 100, clock=clock, rule=rule_of_2021(1, 1))
        concurrency.take(function("a"))
        woken: list[int] = []

        assert concurrency.free(function("a")) == 0
        concurrency.when_free(lambda: woken.append(clock.now_ms()))
        await clock.advance(59_999)
        assert woken == []
        await clock.advance(1)

        assert woken == [60_000]
        assert concurrency.free(function("a")) == 1

    asyncio.run(go())


def test_requests_are_spread_over_minutes() -> None:
    assert [spread(10_000, minutes) for minutes in (1, 3, 4)] == [[10_000], [3333, 3333, 3334], [2500] * 4]
