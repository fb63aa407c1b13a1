"""Limits by name, and the rate of a token bucket."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cumulet.kernel import quotas
from cumulet.kernel.quotas import Quotas, TokenBucket

START_MS = 1_000_000


def test_a_limit_is_the_documented_one_unless_configured() -> None:
    limits = Quotas({"sqs:messages-in-flight": 10})

    assert limits.limit("sqs:messages-in-flight", 120_000) == 10
    assert limits.limit("sqs:something-else", 7) == 7


def test_no_rate_is_limited_unless_configured() -> None:
    assert all(Quotas({"sqs:SendMessage": 1}).allows("sqs:ReceiveMessage", "1", START_MS) for _ in range(100))


def test_a_rate_is_counted_for_each_account() -> None:
    limits = Quotas({"sqs:SendMessage": 2})

    taken = [limits.allows("sqs:SendMessage", account, START_MS) for account in ("1", "1", "1", "2")]

    assert taken == [True, True, False, True]


@given(
    st.floats(0.1, 100),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 20)), min_size=1, max_size=40),
)
def test_no_window_lets_more_through_than_the_rate_and_one_burst(rate: float, steps: list[tuple[int, int]]) -> None:
    bucket, now_ms = TokenBucket(rate, START_MS), START_MS
    taken = 0
    for wait_ms, attempts in steps:
        now_ms += wait_ms
        taken += sum(bucket.take(now_ms) for _ in range(attempts))
        assert taken <= max(1.0, rate) + rate * (now_ms - START_MS) / 1000 + 1e-6


def test_a_patient_client_gets_the_whole_rate() -> None:
    bucket = TokenBucket(4, START_MS)

    assert all(bucket.take(START_MS + number * 250) for number in range(1000))


def test_a_clock_that_is_set_back_does_not_close_the_bucket() -> None:
    bucket = TokenBucket(1, START_MS)
    bucket.take(START_MS)

    assert not bucket.take(START_MS - 3_600_000)
    assert bucket.take(START_MS - 3_600_000 + 1000)


def test_a_rate_of_nothing_lets_nothing_through() -> None:
    bucket = TokenBucket(0, START_MS)

    assert not any(bucket.take(START_MS + seconds * 1000) for seconds in range(10))


def test_the_memory_for_accounts_is_bounded() -> None:
    limits = Quotas({"sqs:SendMessage": 1})
    for account in range(quotas.MOST_BUCKETS + 10):
        limits.allows("sqs:SendMessage", str(account), START_MS)

    assert len(limits._buckets) == quotas.MOST_BUCKETS
