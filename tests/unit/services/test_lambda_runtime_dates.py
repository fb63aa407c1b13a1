"""The days on which AWS ends its runtimes, and what is refused from then on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_.configuration import runtimes
from cumulet.services.lambda_.runtime_lifecycle import LIFECYCLES, check_create, check_update

Check = Callable[[str, int], None]


def ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


def refuses(check: Check, runtime: str, day: str) -> bool:
    try:
        check(runtime, ms(day))
    except AwsError:
        return True
    return False


@pytest.mark.parametrize(
    ("day", "create", "update"),
    [
        ("2021-03-29", False, False),
        ("2021-03-31", True, False),
        ("2021-05-27", True, False),
        ("2021-05-29", True, True),
    ],
)
def test_node_10_goes_in_two_steps(day: str, create: bool, update: bool) -> None:
    assert (refuses(check_create, "nodejs10.x", day), refuses(check_update, "nodejs10.x", day)) == (create, update)


@pytest.mark.parametrize(("check", "day"), [(check_create, "2027-02-01"), (check_update, "2027-03-03")])
def test_it_is_so_from_the_first_moment_of_the_day_in_utc(check: Check, day: str) -> None:
    check("python3.8", ms(day) - 1)

    with pytest.raises(AwsError):
        check("python3.8", ms(day))


def test_it_is_said_in_lambdas_words() -> None:
    with pytest.raises(AwsError) as refused:
        check_create("python3.7", ms("2024-01-09"))
    with pytest.raises(AwsError) as newest:
        check_update("python3.14", ms("2030-01-01"))

    assert refused.value.code == "InvalidParameterValueException"
    assert str(refused.value.message) == (
        "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions. "
        "We recommend you use the new runtime (python3.14) while creating or updating functions."
    )
    assert "We recommend you use a supported runtime while creating" in str(newest.value.message)


@pytest.mark.parametrize("runtime", sorted(LIFECYCLES))
def test_each_runtime_ends_once_and_has_a_successor_that_lives_as_long(runtime: str) -> None:
    lifecycle = LIFECYCLES[runtime]

    assert runtime in runtimes()
    if lifecycle.block_create and lifecycle.block_update:
        assert lifecycle.block_create <= lifecycle.block_update
    if lifecycle.successor:
        assert LIFECYCLES[lifecycle.successor].deprecated >= lifecycle.deprecated
        assert LIFECYCLES[lifecycle.successor].successor is None


def test_a_runtime_without_days_is_never_refused() -> None:
    for check in (check_create, check_update):
        check("python3.15", ms("2100-01-01"))
        check("java17.al2023", ms("2100-01-01"))
