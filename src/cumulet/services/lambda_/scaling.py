"""How fast the number of execution environments may grow. Pure: counts and times in, decisions out.

Lambda, today: each function may have 1,000 environments at once and 1,000 more every 10 seconds; what was not used
comes back continuously. Lambda until 2023: all functions of a region together had 500 to 3,000 at once, depending on
the region, and 500 more every minute. Environments that exist are used again and cost nothing, provisioned ones too.
"""

from __future__ import annotations

from typing import NamedTuple

from cumulet.kernel.quotas import Quotas

IDLE_MS = 600_000
"""How long an environment is kept that nothing needs."""


class Rule(NamedTuple):
    """How many environments may come at once, and how many more later."""

    burst: int
    amount: int
    every_ms: int
    is_regional: bool
    """Do all functions of an account in a region share it?"""


CURRENT = Rule(1000, amount=1, every_ms=10, is_regional=False)
BURST_2021 = 3000
PER_MINUTE_2021 = 500


def rule_of_2021(burst: int = BURST_2021, per_minute: int = PER_MINUTE_2021) -> Rule:
    """Return the rule of 2021 with the burst of a region."""
    return Rule(burst, amount=per_minute, every_ms=60_000, is_regional=True)


def configured_rule(quotas: Quotas) -> Rule:
    """Return the rule in force: that of 2021 where a quota `lambda:burst-concurrency` is set, else today's."""
    burst = quotas.limit("lambda:burst-concurrency", 0)
    if not burst:
        return CURRENT
    return rule_of_2021(burst, quotas.limit("lambda:burst-concurrency-per-minute", PER_MINUTE_2021))


class Growth:
    """What is left of a rule."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._left = rule.burst
        self._since_ms = 0
        """When what is left was counted; without meaning while all is left."""

    def left(self, now_ms: int) -> int:
        """Return how many environments may be added now."""
        rule = self._rule
        if self._left < rule.burst:
            steps = (now_ms - self._since_ms) // rule.every_ms
            if steps > 0:
                self._left = min(rule.burst, self._left + steps * rule.amount)
                self._since_ms += steps * rule.every_ms
        return self._left

    def take(self, now_ms: int) -> None:
        """Add one environment; there must be one left."""
        if self.left(now_ms) == self._rule.burst:
            self._since_ms = now_ms
        self._left -= 1

    @property
    def next_ms(self) -> int:
        """When more may be added than now."""
        return self._since_ms + self._rule.every_ms


class Fleet:
    """The environments of one version of a function, as far as counting goes."""

    def __init__(self, now_ms: int) -> None:
        self.running = 0
        """In environments that were started on demand,"""
        self.provisioned_running = 0
        """and in those that were provisioned."""
        self.provisioned = 0
        """How many were started ahead."""
        self.existing = 0
        """How many were started on demand and are kept."""
        self._peak = 0
        self._since_ms = now_ms

    @property
    def provisioned_free(self) -> int:
        """How many provisioned environments wait."""
        return max(0, self.provisioned - self.provisioned_running)

    def warm(self, now_ms: int) -> int:
        """Return how many environments that were started on demand wait."""
        if now_ms - self._since_ms >= IDLE_MS:
            self.existing = max(self.running, self._peak if now_ms - self._since_ms < 2 * IDLE_MS else 0)
            self._peak = self.running
            self._since_ms = now_ms
        return self.existing - self.running

    def begin(self, growth: Growth, now_ms: int) -> None:
        """Run one more on demand, in an environment that waits or in a new one."""
        if self.warm(now_ms) <= 0:
            growth.take(now_ms)
            self.existing += 1
        self.running += 1
        self._peak = max(self._peak, self.running)
