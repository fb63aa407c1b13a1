"""How long deliveries to HTTP endpoints wait before each retry, by the phases of their delivery policy.

SNS: retries come at once, then after the least delay, then after delays that grow, then after the greatest delay. It
names the functions by which delays grow and gives no formulas; of ours each begins with the least delay, ends with the
greatest, and lies below the ones before it: linear, arithmetic, geometric, exponential.
"""

from __future__ import annotations

from collections.abc import Callable

from cumulet.services.sns.delivery_policies import Effective


def waits_ms(policy: Effective) -> tuple[int, ...]:
    """Return the wait before each retry."""
    least, most = policy.min_delay_seconds * 1000, policy.max_delay_seconds * 1000
    growing = policy.retries - policy.immediate_retries - policy.min_delay_retries - policy.max_delay_retries
    grow = GROWTHS[policy.backoff_function]
    return (
        *(0 for _ in range(policy.immediate_retries)),
        *(least for _ in range(policy.min_delay_retries)),
        *(round(grow(number, growing - 1, least, most)) for number in range(growing)),
        *(most for _ in range(policy.max_delay_retries)),
    )


def _linear(number: int, last: int, least: int, most: int) -> float:
    return least + (most - least) * number / max(last, 1)


def _arithmetic(number: int, last: int, least: int, most: int) -> float:
    """Each step is longer than the one before by the same amount."""
    return least + (most - least) * number * (number + 1) / max(last * (last + 1), 1)


def _geometric(number: int, last: int, least: int, most: int) -> float:
    """Each delay is the one before times the same factor."""
    return float(least * (most / least) ** (number / max(last, 1)))


def _exponential(number: int, last: int, least: int, most: int) -> float:
    """Each step is twice the one before."""
    return float(
        min(least + (most - least) * (2**number - 1) / max(2**last - 1, 1), _geometric(number, last, least, most))
    )


GROWTHS: dict[str, Callable[[int, int, int, int], float]] = {
    "linear": _linear,
    "arithmetic": _arithmetic,
    "geometric": _geometric,
    "exponential": _exponential,
}
