"""Slots of invocations: reserved, shared, and how many the machine takes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_.concurrency import Concurrency
from cumulet.services.lambda_.configuration import Configuration
from cumulet.services.lambda_.functions import Function, Package

NAMES = ("a", "b", "c")


def function(name: str, reserved: int | None = None, account: str = "123456789012") -> Function:
    configuration = msgspec.convert(
        {"runtime": "python3.11", "handler": "app.handler", "role_arn": "arn", "logging": {"group": "g"}},
        Configuration,
        strict=False,
    )
    return Function(
        account=account,
        region="us-east-1",
        name=name,
        revision="1",
        configuration=configuration,
        package=Package("0", 1),
        tags={},
        reserved_concurrency=reserved,
        modified_ms=0,
    )


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
