"""How many invocations run at a time: of a function, of an account in a region, on this machine.

Lambda: an account has a limit in each region (1,000); a function with reserved concurrency has its part alone and no
more, all others share what is left. Provisioned concurrency is a part of what its function has reserved, or of what is
shared otherwise, and only invocations of its version use it; more of them run on demand. What runs on demand needs an
environment, and there may not be more of them at once than the scaling rule allows. Pure: nothing here runs anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from cumulet.kernel.clock import MACHINE, Clock, Timer
from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_.errors import TooManyRequestsException
from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.metrics import Gauge, Metrics, function_metric, region_metric, resource_metric
from cumulet.services.lambda_.scaling import CURRENT, Fleet, Growth, Rule

ACCOUNT_CONCURRENCY = 1000
"""Lambda: how many invocations of an account may run at a time in a region."""
ENVIRONMENT_MB = 32
"""What an idle Python environment takes of memory, roughly: half of the machine's memory is for environments."""


class Region:
    """What the functions of an account in a region share."""

    def __init__(self, name: tuple[str, str], growth: Growth, metrics: Metrics | None) -> None:
        self.growth = growth
        self.shares: dict[str, Share] = {}
        """By the function's name."""
        self.set_aside = 0
        """What functions have for themselves of the account's limit."""
        self.running = 0
        self.unreserved = 0
        """What runs on demand of functions that have nothing reserved."""
        if metrics is not None:
            self.all_running = metrics.gauge(region_metric(name, "ConcurrentExecutions"))
            self.unreserved_running = metrics.gauge(region_metric(name, "UnreservedConcurrentExecutions"))

    def count(self) -> None:
        """Count again what is set aside."""
        shares = self.shares.values()
        self.set_aside = sum(share.claimed if share.reserved is None else share.reserved for share in shares)


class Share:
    """What a function has and uses."""

    def __init__(self, function: Function, region: Region, growth: Growth, metrics: Metrics | None) -> None:
        self.region = region
        self.growth = growth
        self.reserved = function.reserved_concurrency
        self.claimed = 0
        """Provisioned concurrency that was asked for, there yet or not."""
        self.running = 0
        self.on_demand = 0
        self.fleets: dict[str, Fleet] = {}
        """By version."""
        self.provisioned: dict[str, tuple[Gauge, Gauge]] = {}
        """By version: how much runs in provisioned environments, and which part of them is used."""
        if metrics is not None:
            self.gauge = metrics.gauge(function_metric(function, "ConcurrentExecutions"))


class Concurrency:
    """The slots of invocations. A slot that was taken must be given back."""

    def __init__(
        self,
        account_limit: int,
        machine_limit: int,
        *,
        clock: Clock = MACHINE,
        rule: Rule = CURRENT,
        metrics: Metrics | None = None,
    ) -> None:
        self._account_limit = account_limit
        self._machine_limit = machine_limit
        self._clock = clock
        self._rule = rule
        self._metrics = metrics
        self._regions: dict[tuple[str, str], Region] = {}
        self._shares: dict[tuple[str, str, str], Share] = {}
        """By account, region and name."""
        self._on_demand = 0
        self._provisioned = 0
        """Of all functions together: what runs on demand, and what was started ahead."""
        self._starved: list[Callable[[], None]] = []
        self._alarm: Timer | None = None

    def reserve(self, function: Function) -> None:
        """Know what is reserved for a function; to be called after the commit that changes it."""
        share = self._share(function)
        share.reserved = function.reserved_concurrency
        share.region.count()
        self._wake()

    def claim(self, function: Function, count: int) -> None:
        """Set aside what provisioned concurrency of a function was asked for, all its versions together."""
        share = self._share(function)
        share.claimed = count
        share.region.count()
        self._wake()

    def provide(self, function: Function, count: int, qualifier: str) -> None:
        """Know that so many environments of a version wait, started ahead; `qualifier` is what they were asked for."""
        share, fleet = self._fleet(function)
        self._provisioned += count - fleet.provisioned
        fleet.provisioned = count
        if self._metrics is not None:
            used = resource_metric(function, qualifier, "ProvisionedConcurrentExecutions")
            part = resource_metric(function, qualifier, "ProvisionedConcurrencyUtilization")
            share.provisioned[function.version] = self._metrics.gauge(used), self._metrics.gauge(part)
        self._wake()

    def release(self, key: FunctionKey, version: str) -> None:
        """Know that a version is gone."""
        share = self._shares.get(key)
        if share is not None and version in share.fleets:
            self._provisioned -= share.fleets.pop(version).provisioned
        self._wake()

    def forget(self, function: Function) -> None:
        """Know that a function is gone."""
        share = self._shares.pop(function.key, None)
        if share is not None:
            self._provisioned -= sum(fleet.provisioned for fleet in share.fleets.values())
            del share.region.shares[function.name]
            share.region.count()
        self._wake()

    def fleet(self, function: Function) -> Fleet:
        """Return the environments of a version."""
        return self._fleet(function)[1]

    def free(self, function: Function) -> int:
        """Return how many more invocations of a function may begin now."""
        share, fleet = self._fleet(function)
        if share.reserved == 0:
            return 0
        on_demand = min(self._left(share), self.machine_left())
        if on_demand > 0:
            now_ms = self._clock.now_ms()
            environments = fleet.warm(now_ms) + share.growth.left(now_ms)
            if environments <= 0:
                self._wake_at(share.growth.next_ms)
            on_demand = min(on_demand, environments)
        return fleet.provisioned_free + max(0, on_demand)

    def take(self, function: Function, qualifier: str | None = None) -> Callable[[], None]:
        """Take a slot and return what gives it back; raises TooManyRequestsException when there is none."""
        share, fleet = self._fleet(function)
        is_provisioned = fleet.provisioned_free > 0 and share.reserved != 0
        if is_provisioned:
            fleet.provisioned_running += 1
        else:
            now_ms = self._clock.now_ms()
            self._check(share, fleet, function, qualifier, now_ms)
            fleet.begin(share.growth, now_ms)
            share.on_demand += 1
            self._on_demand += 1
        region = share.region
        is_unreserved = share.reserved is None and not is_provisioned
        share.running += 1
        region.running += 1
        region.unreserved += is_unreserved
        if self._metrics is not None:
            self._measure(self._metrics, share, fleet, function, is_unreserved=is_unreserved)

        def give_back() -> None:
            if is_provisioned:
                fleet.provisioned_running -= 1
            else:
                fleet.running -= 1
                share.on_demand -= 1
                self._on_demand -= 1
            share.running -= 1
            region.running -= 1
            region.unreserved -= is_unreserved
            if self._starved:
                self._wake()

        return give_back

    def when_free(self, wake: Callable[[], None]) -> None:
        """Call `wake` once, when a slot has become free, of whatever function."""
        if wake not in self._starved:
            self._starved.append(wake)

    def machine_left(self) -> int:
        """Return how many more environments this machine has room for, beside those that run or were started ahead."""
        return self._machine_limit - self._on_demand - self._provisioned

    def _check(self, share: Share, fleet: Fleet, function: Function, qualifier: str | None, now_ms: int) -> None:
        """Raise TooManyRequestsException where nothing more may run on demand.

        AWS documents no reason for what grows too fast; it is a limit on concurrency, so that is said.
        """
        if self._left(share) <= 0:
            error = _refusal("" if share.reserved is None else "ReservedFunction")
        elif self.machine_left() <= 0:
            error = _refusal("")
        elif fleet.warm(now_ms) <= 0 and share.growth.left(now_ms) <= 0:
            error = _refusal("", retry_after_ms=share.growth.next_ms - now_ms)
        else:
            return
        if self._metrics is not None:
            self._metrics.throttled(function, qualifier)
        raise error

    def _measure(
        self, metrics: Metrics, share: Share, fleet: Fleet, function: Function, *, is_unreserved: bool
    ) -> None:
        region = share.region
        metrics.keep_minute()
        share.gauge.add(share.running)
        region.all_running.add(region.running)
        if is_unreserved:
            region.unreserved_running.add(region.unreserved)
        if fleet.provisioned:
            used, part = share.provisioned[function.version]
            used.add(fleet.provisioned_running)
            part.add(fleet.provisioned_running / fleet.provisioned)

    def _left(self, share: Share) -> int:
        if share.reserved is not None:
            return share.reserved - share.claimed - share.on_demand
        return self._account_limit - share.region.set_aside - share.region.unreserved

    def _share(self, function: Function) -> Share:
        share = self._shares.get((function.account, function.region, function.name))
        return share or self._new_share(function)

    def _new_share(self, function: Function) -> Share:
        name = (function.account, function.region)
        region = self._regions.get(name)
        if region is None:
            region = self._regions[name] = Region(name, Growth(self._rule), self._metrics)
        growth = region.growth if self._rule.is_regional else Growth(self._rule)
        share = Share(function, region, growth, self._metrics)
        region.shares[function.name] = self._shares[function.key] = share
        region.count()
        return share

    def _fleet(self, function: Function) -> tuple[Share, Fleet]:
        share = self._share(function)
        fleet = share.fleets.get(function.version)
        if fleet is None:
            fleet = share.fleets[function.version] = Fleet(self._clock.now_ms())
        return share, fleet

    def _wake_at(self, when_ms: int) -> None:
        if self._alarm is None:
            self._alarm = self._clock.call_at(when_ms, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._wake()

    def _wake(self) -> None:
        starved, self._starved = self._starved, []
        for wake in starved:
            wake()


def machine_limit() -> int:
    """Return how many environments this machine has memory for."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(10, memory_mb // 2 // ENVIRONMENT_MB)


def _refusal(whose: str, *, retry_after_ms: int | None = None) -> AwsError:
    members = {} if retry_after_ms is None else {"retryAfterSeconds": str(-(-max(1, retry_after_ms) // 1000))}
    reason = f"{whose}ConcurrentInvocationLimitExceeded"
    return TooManyRequestsException("Rate Exceeded.", Reason=reason, Type="User", **members)
