"""What scaling does to requests, without running anything: so many arrive at one moment of each minute."""

from __future__ import annotations

from typing import Any, NamedTuple

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock
from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_.concurrency import Concurrency
from cumulet.services.lambda_.configuration import Configuration, Logging
from cumulet.services.lambda_.functions import Function, Package
from cumulet.services.lambda_.scaling import Rule

MINUTE_MS = 60_000
ENOUGH = 10**9
"""More environments than are ever simulated."""


class Minute(NamedTuple):
    """What became of the requests of one minute; all that were served ended within it."""

    arrived: int
    provisioned: int
    """Served by environments that were started ahead,"""
    warm: int
    """by environments from before,"""
    new: int
    """and by new ones."""
    throttled: int


async def simulate(arrivals: list[int], *, account_limit: int, provisioned: int, rule: Rule) -> list[Minute]:
    """Return what becomes of requests for one function, of which `arrivals` come in each minute."""
    clock = VirtualClock(0, Activity())
    concurrency = Concurrency(account_limit, ENOUGH, clock=clock, rule=rule)
    function = _version()
    concurrency.claim(function, provisioned)
    concurrency.provide(function, provisioned, function.version)
    fleet = concurrency.fleet(function)
    minutes: list[Minute] = []
    for arrived in arrivals:
        slots = []
        before = fleet.existing
        for _ in range(arrived):
            try:
                slots.append(concurrency.take(function))
            except AwsError:
                break
        new = fleet.existing - before
        minutes.append(Minute(arrived, fleet.provisioned_running, fleet.running - new, new, arrived - len(slots)))
        for give_back in slots:
            give_back()
        await clock.advance(MINUTE_MS)
    return minutes


def spread(requests: int, minutes: int) -> list[int]:
    """Return how many requests arrive in each minute; the last minutes have what is left over."""
    each, more = divmod(requests, minutes)
    return [each] * (minutes - more) + [each + 1] * more


def _version() -> Function:
    settings: dict[str, Any] = {"runtime": "python3.13", "handler": "app.handler", "role_arn": ""}
    return Function(
        account="000000000000",
        region="us-east-1",
        name="simulated",
        version="1",
        revision="",
        deployment="",
        configuration=Configuration(**settings, logging=Logging(group="")),
        package=Package("", 0),
        tags={},
        modified_ms=0,
    )
