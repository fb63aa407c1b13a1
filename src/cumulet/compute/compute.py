"""Execution environments: where functions run. One event at a time in each; free ones are used again.

Nothing queues here: an invocation that finds no free environment starts one. Who calls keeps to the concurrency that a
function may have.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

from cumulet.compute.boxes import Boxes
from cumulet.compute.environment import Code, Environment, RuntimeLost, State, Surroundings
from cumulet.compute.function import CannotRun, Function, Invocation, Outcome
from cumulet.compute.packages import Packages
from cumulet.compute.runtimes import Runtimes
from cumulet.delivery.logs import LogSink
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import MACHINE, Clock
from cumulet.kernel.credentials import CredentialIssuer
from cumulet.kernel.ids import Ids

IDLE_SECONDS = 600.0
REAP_SECONDS = 30.0
CHECK_SECONDS = 0.05
"""How often busy environments are checked."""


class Pool:
    """The environments of one revision of a function."""

    def __init__(self) -> None:
        self.all: set[Environment] = set()
        self.ready: dict[Environment, float] = {}
        """Those that wait for an event, and since when; the one used last is the last."""
        self.answered: dict[Environment, None] = {}
        """Those that have answered, and will wait for an event in a moment."""
        self.is_retired = False

    def take(self) -> Environment | None:
        """Return a free environment, the one used last, so that the others age."""
        if self.ready:
            return self.ready.popitem()[0]
        if self.answered:
            return self.answered.popitem()[0]
        return None

    def drop(self, environment: Environment) -> None:
        """Take an environment for not free."""
        self.ready.pop(environment, None)
        self.answered.pop(environment, None)

    def retire(self) -> None:
        """End the free environments now, the others after their invocation."""
        self.is_retired = True
        for environment in (*self.ready, *self.answered):
            self.drop(environment)
            environment.end()

    def reap(self, since: float) -> None:
        """End those that have been ready since then or longer."""
        for environment in [environment for environment, began in self.ready.items() if began <= since]:
            self.drop(environment)
            environment.end()


class Compute:
    """All environments of a platform. Nothing starts before the first invocation."""

    def __init__(
        self,
        *,
        folder: Path,
        url: str,
        logs: LogSink,
        clock: Clock,
        ids: Ids,
        activity: Activity,
        credentials: CredentialIssuer,
        most_environments: int = 1000,
    ) -> None:
        """`most_environments` is how many are kept: for a new one beyond that, the one that was free longest ends."""
        self._folder = folder
        """Holds nothing that lasts; emptied before it is used."""
        self._activity = activity
        self._boxes = Boxes(folder, url)
        self._around = Surroundings(self._boxes, logs, clock, ids, credentials)
        self._most_environments = most_environments
        self._packages = Packages(folder / "code")
        self._runtimes = Runtimes()
        self._preparation: asyncio.Future[None] | None = None
        self._pools: dict[str, dict[str, Pool]] = {}
        """By the function's ARN and its revision."""
        self._busy: set[Environment] = set()
        self._checker: asyncio.TimerHandle | None = None
        self._reaper: asyncio.TimerHandle | None = None

    @property
    def isolation(self) -> str:
        """Return what keeps environments apart, for people to read."""
        return self._boxes.isolation

    async def invoke(self, function: Function, invocation: Invocation) -> Outcome:
        """Run one event in a free environment or in a new one, to its end also if the caller is cancelled.

        Raises `CannotRun`.
        """
        name = f"an invocation of {function.name}"
        work = self._activity.spawn(name, self._invoke(function, invocation), is_awaited=True)
        outcome: Outcome | CannotRun = await asyncio.shield(work)
        if isinstance(outcome, CannotRun):
            raise outcome
        return outcome

    def environments(self, function_arn: str | None = None) -> int:
        """Return how many environments a function has now, or all functions together."""
        pools = self._all_pools() if function_arn is None else self._pools.get(function_arn, {}).values()
        return sum(len(pool.all) for pool in pools)

    def retire(self, function_arn: str, keep: str | None = None) -> None:
        """End the environments of all revisions but `keep`: free ones now, others after their invocation."""
        for revision, pool in self._pools.get(function_arn, {}).items():
            if revision != keep:
                pool.retire()

    async def stop(self) -> None:
        """End everything, whatever it is doing."""
        for timer in (self._checker, self._reaper):
            if timer is not None:
                timer.cancel()
        for pool in self._all_pools():
            pool.retire()
        await self._boxes.stop()

    async def _invoke(self, function: Function, invocation: Invocation) -> Outcome | CannotRun:
        while True:
            pool = self._pools.get(function.version_arn, {}).get(function.revision)
            environment = pool.take() if pool is not None else None
            try:
                if environment is None:
                    environment = await self._new_environment(function)
                    return await environment.start(invocation)
                self._check_from_now_on(environment)
                return await environment.run(invocation)
            except RuntimeLost:
                continue
            except CannotRun as reason:
                return reason

    async def _new_environment(self, function: Function) -> Environment:
        runtime = await self._runtimes.find(function.runtime)
        try:
            await self._prepare()
            await self._boxes.ready()
        except OSError as error:
            raise CannotRun(f"No function can be run here: {error}") from error
        code = await self._take_code(function)
        if self.environments() >= self._most_environments:
            self._make_room()
        pool = self._pools.setdefault(function.version_arn, {}).setdefault(function.revision, Pool())
        environment = Environment(function, runtime, code, self._around, lambda changed: self._changed(changed, pool))
        pool.all.add(environment)
        self._check_from_now_on(environment)
        return environment

    async def _take_code(self, function: Function) -> Code:
        """Have the package and the layers unpacked."""
        task = await self._packages.take(function.package)
        if not function.layers:
            return Code(task, None)
        try:
            return Code(task, await self._packages.take(*function.layers))
        except BaseException:
            self._packages.release(function.package)
            raise

    async def _prepare(self) -> None:
        """Empty the folder, once."""
        if self._preparation is None:
            loop = asyncio.get_running_loop()
            self._preparation = loop.run_in_executor(None, shutil.rmtree, self._folder, True)
        await asyncio.shield(self._preparation)

    def _changed(self, environment: Environment, pool: Pool) -> None:
        """An environment has become free, or has ended."""
        self._busy.discard(environment)
        pool.drop(environment)
        if environment.state is State.ENDED:
            self._forget(environment, pool)
        elif pool.is_retired:
            environment.end()
        elif environment.state is State.READY:
            pool.ready[environment] = MACHINE.monotonic()
            if self._reaper is None:
                self._reaper = asyncio.get_running_loop().call_later(REAP_SECONDS, self._reap)
        else:
            pool.answered[environment] = None

    def _forget(self, environment: Environment, pool: Pool) -> None:
        function = environment.function
        pool.all.remove(environment)
        self._packages.release(function.package)
        if function.layers:
            self._packages.release(*function.layers)
        pools = self._pools.get(function.version_arn, {})
        if not pool.all and pools.get(function.revision) is pool:
            del pools[function.revision]
            if not pools:
                del self._pools[function.version_arn]

    def _check_from_now_on(self, environment: Environment) -> None:
        self._busy.add(environment)
        if self._checker is None:
            self._checker = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check)

    def _check(self) -> None:
        now = MACHINE.monotonic()
        for environment in list(self._busy):
            environment.check(now)
        loop = asyncio.get_running_loop()
        self._checker = loop.call_later(CHECK_SECONDS, self._check) if self._busy else None

    def _make_room(self) -> None:
        """End the environment that has been free longest."""
        oldest = [(since, pool) for pool in self._all_pools() for since in itertools.islice(pool.ready.values(), 1)]
        if oldest:
            since, pool = min(oldest, key=itemgetter(0))
            pool.reap(since)

    def _reap(self) -> None:
        """End environments that have been free for long."""
        for pool in list(self._all_pools()):
            pool.reap(MACHINE.monotonic() - IDLE_SECONDS)
        loop = asyncio.get_running_loop()
        self._reaper = loop.call_later(REAP_SECONDS, self._reap) if self._pools else None

    def _all_pools(self) -> Iterator[Pool]:
        return itertools.chain.from_iterable(pools.values() for pools in self._pools.values())
