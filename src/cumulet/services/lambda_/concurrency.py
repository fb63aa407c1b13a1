"""How many invocations run at a time: of a function, of an account in a region, on this machine.

Lambda: an account has a limit in each region (1,000); a function with reserved concurrency has its part alone and no
more, all others share what is left.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

from cumulet.services.lambda_.errors import TooManyRequestsException
from cumulet.services.lambda_.functions import Function

Region = tuple[str, str]
ACCOUNT_CONCURRENCY = 1000
"""Lambda: how many invocations of an account may run at a time in a region."""
ENVIRONMENT_MB = 64
"""What an idle Python environment takes of memory, roughly: half of the machine's memory is for environments."""


class Concurrency:
    """The slots of invocations. A slot that was taken must be given back."""

    def __init__(self, account_limit: int, machine_limit: int) -> None:
        self._account_limit = account_limit
        self._machine_limit = machine_limit
        self._reserved: dict[Region, dict[str, int]] = {}
        self._running: Counter[str] = Counter()
        """By function."""
        self._unreserved: Counter[Region] = Counter()
        """By region: invocations of functions that have nothing reserved."""
        self._starved: list[Callable[[], None]] = []

    def reserve(self, function: Function) -> None:
        """Know what is reserved for a function; to be called after the commit that changes it."""
        reserved = self._reserved.setdefault((function.account, function.region), {})
        if function.reserved_concurrency is None:
            reserved.pop(function.arn, None)
        else:
            reserved[function.arn] = function.reserved_concurrency
        self._wake()

    def forget(self, function: Function) -> None:
        """Know that a function is gone."""
        self._reserved.get((function.account, function.region), {}).pop(function.arn, None)
        self._wake()

    def free(self, function: Function) -> int:
        """Return how many more invocations of a function may begin now."""
        return max(0, min(self._machine_limit - self._running.total(), self._left(function)))

    def take(self, function: Function) -> Callable[[], None]:
        """Take a slot and return what gives it back; raises TooManyRequestsException when there is none."""
        if self.free(function) <= 0:
            reason = "ReservedFunction" if function.reserved_concurrency is not None else ""
            raise TooManyRequestsException(
                "Rate Exceeded.", Reason=f"{reason}ConcurrentInvocationLimitExceeded", Type="User"
            )
        region = (function.account, function.region)
        is_reserved = function.reserved_concurrency is not None
        self._running[function.arn] += 1
        if not is_reserved:
            self._unreserved[region] += 1

        def give_back() -> None:
            self._running[function.arn] -= 1
            if not self._running[function.arn]:
                del self._running[function.arn]
            if not is_reserved:
                self._unreserved[region] -= 1
            self._wake()

        return give_back

    def when_free(self, wake: Callable[[], None]) -> None:
        """Call `wake` once, when a slot has become free, of whatever function."""
        if wake not in self._starved:
            self._starved.append(wake)

    def _left(self, function: Function) -> int:
        if function.reserved_concurrency is not None:
            return function.reserved_concurrency - self._running[function.arn]
        region = (function.account, function.region)
        reserved = sum(self._reserved.get(region, {}).values())
        return self._account_limit - reserved - self._unreserved[region]

    def _wake(self) -> None:
        starved, self._starved = self._starved, []
        for wake in starved:
            wake()


def machine_limit() -> int:
    """Return how many environments this machine has memory for."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(10, memory_mb // 2 // ENVIRONMENT_MB)
