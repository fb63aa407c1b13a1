"""The environments of one revision of a function."""

from __future__ import annotations

from cumulet.compute.environment import Environment
from cumulet.compute.function import Function


class Pool:
    """Which there are, and which are free. Provisioned ones are used first, and kept."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.all: set[Environment] = set()
        self.ready: dict[Environment, float] = {}
        """Those that wait for an event, and since when; the one used last is the last."""
        self.provisioned: dict[Environment, None] = {}
        """Those of them that were started ahead."""
        self.answered: dict[Environment, None] = {}
        """Those that have answered, and will wait for an event in a moment."""
        self.wanted = 0
        """How many are to be started ahead."""
        self.failures = 0
        """How many of these could not be, one after the other."""
        self.is_retired = False

    def take(self) -> Environment | None:
        """Return a free environment, the one used last, so that the others age."""
        for free in (self.provisioned, self.ready, self.answered):
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

    def ahead(self) -> list[Environment]:
        """Return the environments that were started ahead, free or not."""
        return [environment for environment in self.all if environment.init_type == "provisioned-concurrency"]

    def retire(self) -> None:
        """End the free environments now, the others after their invocation."""
        self.is_retired = True
        self.wanted = 0
        for environment in (*self.ready, *self.provisioned, *self.answered):
            self.drop(environment)
            environment.end()

    def reap(self, since: float) -> None:
        """End those that have been ready since then or longer."""
        for environment in [environment for environment, began in self.ready.items() if began <= since]:
            self.drop(environment)
            environment.end()
