"""SNS: the waits between the attempts of a delivery to an HTTP endpoint."""

from __future__ import annotations

import itertools
import json

import pytest

from cumulet.services.sns import delivery_policies
from cumulet.services.sns.retry_waits import GROWTHS, waits_ms


def waits(**policy: object) -> list[float]:
    """Return the waits in seconds."""
    text = json.dumps({"healthyRetryPolicy": policy})
    return [wait / 1000 for wait in waits_ms(delivery_policies.effective(None, text))]


def test_default_is_three_retries_after_20_seconds() -> None:
    assert waits_ms(delivery_policies.effective(None, None)) == (20_000, 20_000, 20_000)


def test_phases_follow_each_other() -> None:
    found = waits(
        numRetries=7,
        minDelayTarget=1,
        maxDelayTarget=9,
        numNoDelayRetries=2,
        numMinDelayRetries=1,
        numMaxDelayRetries=1,
        backoffFunction="linear",
    )

    assert found == [0, 0, 1, 1, 5, 9, 9]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("linear", [1, 17, 33, 49, 65]),
        ("arithmetic", [1, 7.4, 20.2, 39.4, 65]),
        ("geometric", [1, 2.839, 8.062, 22.892, 65]),
        ("exponential", [1, 2.839, 8.062, 22.892, 65]),
    ],
)
def test_delays_grow_from_the_least_to_the_greatest(function: str, expected: list[float]) -> None:
    assert waits(numRetries=5, minDelayTarget=1, maxDelayTarget=65, backoffFunction=function) == expected


@pytest.mark.parametrize("function", GROWTHS)
@pytest.mark.parametrize("retries", [1, 2, 3, 50, 100])
def test_no_delay_is_shorter_than_the_one_before(function: str, retries: int) -> None:
    found = waits(numRetries=retries, minDelayTarget=2, maxDelayTarget=60, backoffFunction=function)

    assert len(found) == retries
    assert found[0] == 2
    assert found[-1] == (60 if retries > 1 else 2)
    assert all(before <= after for before, after in itertools.pairwise(found))


def test_functions_lie_below_each_other() -> None:
    curves = [
        waits(numRetries=10, minDelayTarget=5, maxDelayTarget=300, backoffFunction=function) for function in GROWTHS
    ]

    for upper, lower in itertools.pairwise(curves):
        assert all(high >= low for high, low in zip(upper, lower, strict=True))
