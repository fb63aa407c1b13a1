"""The environments of one revision of a function."""

from __future__ import annotations

from operator import itemgetter
from typing import NamedTuple

from cumulet.compute.environment import Environment
from cumulet.compute.function import Function


class Since(NamedTuple):
    """Since when an environment is free, by two clocks: the machine's monotonic one tells moments apart."""

    moment: float
    time_ms: int


class Pool:
    """Which there are, and which are free. Provisioned ones are used first, and kept."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.all: set[Environment] = set()
        self.ready: dict[Environment, Since] = {}
        """Those that wait for an event, and since when; the one used last is the last."""
        self.provisioned: dict[Environment, None] = {}
        """Those of them that were started ahead."""
        self.answered: dict[Environment, None] = {}
        """Those that have answered, and will wait for an event in a moment."""
        self.reset: dict[Environment, Since] = {}
        """Those in which nothing runs after a failure, and since when; they are used when there is no other."""
        self.wanted = 0
        """How many are to be started ahead."""
        self.failures = 0
        """How many of these could not be, one after the other."""
        self.is_retired = False

    def take(self) -> Environment | None:
        """Return a free environment, the one used last, so that the others age."""
        for free in (self.provisioned, self.ready, self.answered, self.reset):
            while free:
                environment = free.popitem()[0]
                if environment.is_alive:  # otherwise we are about to be told
                    return environment
        return None

    def drop(self, environment: Environment) -> None:
        """Take an environment for not free."""
        self.ready.pop(environment, None)
        self.provisioned.pop(environment, None)
        self.answered.pop(environment, None)
        self.reset.pop(environment, None)

    def ahead(self) -> list[Environment]:
        """Return the environments that were started ahead, free or not."""
        return [environment for environment in self.all if environment.init_type == "provisioned-concurrency"]

    def retire(self) -> None:
        """End the free environments now, the others after their invocation."""
        self.is_retired = True
        self.wanted = 0
        for environment in (*self.ready, *self.provisioned, *self.answered, *self.reset):
            self.drop(environment)
            environment.end()

    def oldest(self) -> Since | None:
        """Return since when the one has been free that has been longest."""
        return min((next(iter(free.values())) for free in (self.ready, self.reset) if free), default=None)

    def end_oldest(self) -> None:
        """End the one that has been free longest."""
        environment = min((*self.ready.items(), *self.reset.items()), key=itemgetter(1))[0]
        self.drop(environment)
        environment.end()
