"""Slots of invocations: reserved, shared, and how many the machine takes."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lambda_world import function

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock
from cumulet.kernel.errors import AwsError
from cumulet.kernel.telemetry import Sample, Telemetry
from cumulet.services.lambda_.concurrency import Concurrency
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.metrics import Metrics

NAMES = ("a", "b", "c")


def test_what_is_reserved_is_a_functions_own_and_its_most() -> None:
    concurrency = Concurrency(account_limit=10, machine_limit=100)
    reserved, other = function("reserved", 3), function("other")
    concurrency.reserve(reserved)

    for _ in range(7):
        concurrency.take(other)
    for _ in range(3):
        concurrency.take(reserved)

    assert (concurrency.free(reserved), concurrency.free(other)) == (0, 0)


def test_accounts_do_not_share_their_limit() -> None:
    concurrency = Concurrency(account_limit=1, machine_limit=100)
    concurrency.take(function("a"))

    assert concurrency.free(function("a")) == 0
    assert concurrency.free(function("a", account="999999999999")) == 1


def test_the_machine_limits_all() -> None:
    concurrency = Concurrency(account_limit=10, machine_limit=2)
    concurrency.take(function("a"))
    concurrency.take(function("b", account="999999999999"))

    assert concurrency.free(function("c", 5)) == 0


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (function("a", 0), "ReservedFunctionConcurrentInvocationLimitExceeded"),
        (function("a"), "ConcurrentInvocationLimitExceeded"),
    ],
)
def test_a_refusal_says_which_limit_it_was(wanted: Function, reason: str) -> None:
    concurrency = Concurrency(account_limit=0, machine_limit=100)

    with pytest.raises(AwsError) as refusal:
        concurrency.take(wanted)

    assert (refusal.value.code, refusal.value.message) == ("TooManyRequestsException", "Rate Exceeded.")
    assert refusal.value.members["Reason"] == reason


def test_who_waits_is_woken_once_when_a_slot_is_given_back() -> None:
    concurrency = Concurrency(account_limit=1, machine_limit=100)
    woken: list[str] = []

    def wake() -> None:
        woken.append("woken")

    give_back = concurrency.take(function("a"))
    concurrency.when_free(wake)
    concurrency.when_free(wake)
    give_back()
    concurrency.take(function("a"))()

    assert woken == ["woken"]


def test_a_reservation_that_changes_while_invocations_run_leaves_the_counts_right() -> None:
    concurrency = Concurrency(account_limit=10, machine_limit=100)
    give_back = concurrency.take(function("a"))
    concurrency.reserve(function("a", 2))
    give_back()

    assert concurrency.free(function("a", 2)) == 2
    assert concurrency.free(function("b")) == 8


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), max_size=60))
def test_no_limit_is_ever_passed_and_everything_comes_back(steps: list[tuple[str, bool]]) -> None:
    concurrency = Concurrency(account_limit=6, machine_limit=5)
    functions = {"a": function("a", 2), "b": function("b"), "c": function("c")}
    concurrency.reserve(functions["a"])
    running: dict[str, list[object]] = {name: [] for name in NAMES}

    for name, begins in steps:
        if begins and concurrency.free(functions[name]):
            running[name].append(concurrency.take(functions[name]))
        elif not begins and running[name]:
            running[name].pop()()  # type: ignore[operator]
        assert len(running["a"]) <= 2
        assert len(running["b"]) + len(running["c"]) <= 4
        assert sum(map(len, running.values())) <= 5

    for gives_back in [slot for slots in running.values() for slot in slots]:
        gives_back()  # type: ignore[operator]
    assert [concurrency.free(functions[name]) for name in NAMES] == [2, 4, 4]


def provisioned(concurrency: Concurrency, name: str, count: int, reserved: int | None = None) -> Function:
    version = function(name, reserved, version="1")
    concurrency.reserve(version)
    concurrency.claim(version, count)
    concurrency.provide(version, count, "live")
    return version


def test_provisioned_environments_are_their_versions_alone() -> None:
    concurrency = Concurrency(account_limit=10, machine_limit=100)
    version = provisioned(concurrency, "a", 4)

    assert concurrency.free(version) == 10
    assert concurrency.free(function("a")) == 6
    assert concurrency.free(function("b")) == 6
    for _ in range(6):
        concurrency.take(function("b"))
    assert concurrency.free(function("a")) == 0
    assert concurrency.free(version) == 4


def test_provisioned_concurrency_is_a_part_of_what_is_reserved() -> None:
    concurrency = Concurrency(account_limit=10, machine_limit=100)
    version = provisioned(concurrency, "a", 2, reserved=3)

    assert concurrency.free(version) == 3
    assert concurrency.free(function("a", 3)) == 1
    assert concurrency.free(function("b")) == 7
    slots = [concurrency.take(version) for _ in range(3)]
    with pytest.raises(AwsError) as refusal:
        concurrency.take(version)
    assert refusal.value.members["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    for give_back in slots:
        give_back()
    assert concurrency.free(version) == 3


def test_what_is_asked_for_and_not_there_yet_is_set_aside() -> None:
    concurrency = Concurrency(account_limit=10, machine_limit=100)
    concurrency.claim(function("a", version="1"), 4)

    assert concurrency.free(function("a", version="1")) == 6


def test_environments_that_wait_take_their_part_of_the_machine() -> None:
    concurrency = Concurrency(account_limit=100, machine_limit=5)
    version = provisioned(concurrency, "a", 4)

    assert concurrency.free(function("b")) == 1
    assert concurrency.free(version) == 5
    concurrency.forget(version)
    assert concurrency.free(function("b")) == 5


def test_how_much_runs_is_measured() -> None:
    async def go() -> list[Sample]:
        clock = VirtualClock(0, Activity())
        telemetry = Telemetry(clock)
        concurrency = Concurrency(10, 10, clock=clock, metrics=Metrics(telemetry))
        version = provisioned(concurrency, "a", 2)
        slots = [concurrency.take(version), concurrency.take(version), concurrency.take(version)]
        slots += [concurrency.take(function("b", 1)), concurrency.take(function("c"))]
        with pytest.raises(AwsError):
            concurrency.take(function("b"))
        await clock.advance(60_000)
        for give_back in slots:
            give_back()
        concurrency.take(function("c"))
        return telemetry.drain()

    samples = asyncio.run(go())

    seen = {
        (sample.minute_ms // 60_000, sample.metric.name, *(value for _, value in sample.metric.dimensions)): (
            sample.observations,
            sample.maximum,
        )
        for sample in samples
    }
    assert seen == {
        (0, "ConcurrentExecutions", "a"): (3, 3),
        (0, "ConcurrentExecutions", "b"): (1, 1),
        (0, "ConcurrentExecutions", "c"): (1, 1),
        (0, "ConcurrentExecutions"): (5, 5),
        (0, "UnreservedConcurrentExecutions"): (2, 2),
        (0, "ProvisionedConcurrentExecutions", "a", "a:live"): (3, 2),
        (0, "ProvisionedConcurrencyUtilization", "a", "a:live"): (3, 1),
        (0, "Throttles"): (1, 1),
        (0, "Throttles", "b"): (1, 1),
        (0, "Throttles", "b", "b"): (1, 1),
        (1, "ConcurrentExecutions", "c"): (1, 1),
        (1, "ConcurrentExecutions"): (1, 1),
        (1, "UnreservedConcurrentExecutions"): (1, 1),
    }
