"""When a delivery is tried again, and when no more."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import msgspec

FIRST_WAIT_MS = 1_000
LONGEST_WAIT_MS = 300_000


class Verdict(Enum):
    """What came of one attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """The target was reached and has failed: it is tried again as its retry policy says."""
    DEFERRED = "deferred"
    """The target could not be tried: again after a while, until the delivery is too old."""
    REFUSED = "refused"
    """The target will never take it."""


class End(Enum):
    """How a delivery came to its end."""

    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"


class Again(NamedTuple):
    """A delivery goes on."""

    due_ms: int
    attempts: int
    deferrals: int


class RetryPolicy(msgspec.Struct, frozen=True):
    """What becomes of a delivery that its target has failed."""

    most_retries: int
    waits_ms: tuple[int, ...]
    """Before the first retry, the second, and so on; the last one is for all that follow."""
    most_age_ms: int
    """From its acceptance. A delivery whose retry would be later has come to its end now."""

    def next_try(
        self, verdict: Verdict, *, accepted_ms: int, attempts: int, deferrals: int, now_ms: int, chance: float
    ) -> Again | End:
        """Return what follows an attempt of a delivery with so many failed attempts and deferrals before.

        `chance` is a random number from 0 to 1.
        """
        too_old_ms = accepted_ms + self.most_age_ms
        if verdict is Verdict.DELIVERED:
            return End.DELIVERED
        if verdict is Verdict.DEFERRED:
            return Again(min(now_ms + backoff_ms(deferrals, chance), too_old_ms), attempts, deferrals + 1)
        if verdict is Verdict.REFUSED or attempts >= self.most_retries:
            return End.EXHAUSTED
        due_ms = now_ms + self.waits_ms[min(attempts, len(self.waits_ms) - 1)]
        return End.EXPIRED if due_ms >= too_old_ms else Again(due_ms, attempts + 1, 0)


def backoff_ms(count: int, chance: float) -> int:
    """Return how long to wait when a target could not be tried, `count` times before: 1 s, 2 s, ... up to 5 minutes.

    `chance`, from 0 to 1, takes up to half of it away, so that what failed together does not come back together.
    """
    longest = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(count, 20))
    return round(longest * (1 - chance / 2))
