"""Quotas by name, and the token bucket that enforces a rate.

A name is `service:Operation` for a rate of requests per second and account (`sqs:SendMessage = 300`; 0 refuses all), or
what a service's documentation says (`sqs:messages-in-flight = 120000`). No rate is limited unless configured.
"""

from __future__ import annotations

from collections.abc import Mapping

MOST_BUCKETS = 10_000
"""Accounts come from outside: the memory for them is bounded, and one that was forgotten starts with a full bucket."""


class TokenBucket:
    """Allows `rate_per_second` on average, and up to one second's worth, at least one, at once."""

    __slots__ = ("_level", "_rate", "_seen_ms", "_size")

    def __init__(self, rate_per_second: float, now_ms: int) -> None:
        self._rate = rate_per_second
        self._size = max(1.0, rate_per_second) if rate_per_second > 0 else 0.0
        self._level = self._size
        self._seen_ms = now_ms

    def take(self, now_ms: int) -> bool:
        """Take one token; False when there is none, and nothing is taken."""
        refill = max(0, now_ms - self._seen_ms) / 1000 * self._rate
        self._level = min(self._size, self._level + refill)
        self._seen_ms = now_ms
        if self._level < 1:
            return False
        self._level -= 1
        return True


class Quotas:
    """The limits in force."""

    def __init__(self, configured: Mapping[str, float]) -> None:
        self._configured = configured
        self._buckets: dict[tuple[str, str], TokenBucket] = {}

    def limit(self, name: str, default: int) -> int:
        """Return the limit called `name`."""
        return int(self._configured.get(name, default))

    def allows(self, operation: str, account: str, now_ms: int) -> bool:
        """Count one request for `operation` (`service:Operation`) of `account`; False when over the rate."""
        if not self._configured or (rate := self._configured.get(operation)) is None:
            return True
        bucket = self._buckets.get((operation, account))
        if bucket is None:
            if len(self._buckets) >= MOST_BUCKETS:
                del self._buckets[next(iter(self._buckets))]
            bucket = self._buckets[operation, account] = TokenBucket(rate, now_ms)
        return bucket.take(now_ms)
