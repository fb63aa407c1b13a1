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
from typing import Any

from cumulet.compute.boxes import Boxes, Serve
from cumulet.compute.environment import Environment
from cumulet.compute.function import CannotRun, Function, InitFailed, InitType, Invocation, Outcome
from cumulet.compute.packages import Packages
from cumulet.compute.pool import Pool, Since
from cumulet.compute.runtime_state import State
from cumulet.compute.runtimes import Runtimes
from cumulet.compute.surroundings import Code, Surroundings
from cumulet.delivery.logs import LogSink
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import MACHINE, Clock, Timer
from cumulet.kernel.credentials import CredentialIssuer
from cumulet.kernel.ids import Ids

IDLE_SECONDS = 600.0
"""After so much time of the platform's clock without an event an environment ends."""
CHECK_SECONDS = 0.05
"""How often environments that aren't frozen are checked."""
STOP_SECONDS = 3.0
"""How long extensions may hold up the end of the platform."""
AT_A_TIME = 8
"""So many environments are started ahead at a time."""
RETRY_SECONDS = 1.0
"""After this a provisioned environment that could not be started is tried again, doubled with each failure."""
LONGEST_RETRY_SECONDS = 60.0


class Compute:
    """All environments of a platform. Nothing starts before the first invocation or `begin`."""

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
        serve: Serve | None = None,
        has_own_network: bool = True,
        most_environments: int = 1000,
    ) -> None:
        """`most_environments` is how many are kept: for a new one beyond that, the one that was free longest ends.

        `serve` lets the platform answer on one more listening socket, inside of an environment, if environments have
        networks of their own.
        """
        self._folder = folder
        """Holds nothing that lasts; emptied before it is used."""
        self._activity = activity
        self._boxes = Boxes(folder, url, serve, has_own_network=has_own_network)
        self._around = Surroundings(self._boxes, logs, clock, ids, activity, credentials)
        self._most_environments = most_environments
        self._packages = Packages(folder / "code")
        self._runtimes = Runtimes()
        self._preparation: asyncio.Future[None] | None = None
        self._pools: dict[str, dict[str, Pool]] = {}
        """By the function's ARN and its revision."""
        self._awake: set[Environment] = set()
        """Those that aren't frozen."""
        self._starting_ahead = asyncio.Semaphore(AT_A_TIME)
        self._is_stopped = False
        self._checker: asyncio.TimerHandle | None = None
        self._reaper: Timer | None = None

    @property
    def isolation(self) -> str:
        """Return what keeps environments apart, for people to read."""
        return self._boxes.isolation

    async def invoke(self, function: Function, invocation: Invocation) -> Outcome:
        """Run one event in a free environment or in a new one, to its end also if the caller is cancelled.

        Raises `CannotRun`.
        """
        name = f"an invocation of {function.name}"
        while True:
            pool = self._pools.get(function.version_arn, {}).get(function.revision)
            environment = pool.take() if pool is not None else None
            work: asyncio.Future[Any]
            if environment is None or environment.state is State.RESET:
                work = self._activity.spawn(name, self._start(function, invocation, environment), is_awaited=True)
            else:
                self._check_from_now_on(environment)
                work = environment.run(invocation)
                self._activity.watch(name, work, is_awaited=True)
            try:
                outcome: Outcome | CannotRun | None = await asyncio.shield(work)
            finally:
                if environment is not None:
                    self._wait_for_extensions(environment)
            if isinstance(outcome, CannotRun):
                raise outcome
            if outcome is not None:
                return outcome
            if self._is_stopped:
                raise CannotRun("The platform is stopping.")

    def environments(self, function_arn: str | None = None) -> int:
        """Return how many environments a function has now, or all functions together."""
        pools = self._all_pools() if function_arn is None else self._pools.get(function_arn, {}).values()
        return sum(len(pool.all) for pool in pools)

    def boxes_ready(self) -> int:
        """Return how many environments could begin at once."""
        return self._boxes.kept_ready

    def begin(self) -> None:
        """Prepare for invocations, which will come."""
        self._boxes.begin(self._prepare)

    def retire(self, function_arn: str, keep: str | None = None) -> None:
        """End the environments of all revisions but `keep`: free ones now, others after their invocation."""
        for revision, pool in self._pools.get(function_arn, {}).items():
            if revision != keep:
                pool.retire()

    async def stop(self) -> None:
        """End everything, whatever it is doing."""
        self._is_stopped = True
        for timer in (self._checker, self._reaper):
            if timer is not None:
                timer.cancel()
        pools = list(self._all_pools())
        free = [one for pool in pools for one in (*pool.ready, *pool.provisioned, *pool.reset)]
        for pool in pools:
            pool.retire()
        ends = [asyncio.ensure_future(environment.wait_until_ended()) for environment in free]
        if ends:
            await asyncio.wait(ends, timeout=STOP_SECONDS)
        await self._boxes.stop()

    async def provision(self, function: Function, count: int) -> None:
        """Keep `count` environments started ahead, and replace those that are lost; 0 releases them.

        Returns when so many are ready. Raises `CannotRun` where none can be made, `InitFailed` where the function's
        init fails; it is tried again from time to time then.
        """
        pool = self._pool(function)
        pool.wanted = count
        ahead = pool.ahead()
        for environment in ahead[count:]:
            environment.init_type = "on-demand"
            if environment in pool.provisioned:
                pool.drop(environment)
                environment.end()
        self._forget_if_empty(pool)
        missing = [self._start_ahead(pool) for _ in range(count - len(ahead))]
        reasons = [reason for reason in await asyncio.gather(*missing) if reason is not None]
        if reasons:
            self._start_ahead_later(pool)
            raise reasons[0]

    async def _start_ahead(self, pool: Pool) -> CannotRun | None:
        name = f"a provisioned environment of {pool.function.name}"
        work = self._activity.spawn(name, self._provision_one(pool), is_awaited=True)
        reason: CannotRun | None = await asyncio.shield(work)
        return reason

    async def _provision_one(self, pool: Pool) -> CannotRun | None:
        async with self._starting_ahead:
            if pool.is_retired or len(pool.ahead()) >= pool.wanted:
                return None
            try:
                environment = await self._new_environment(pool.function, "provisioned-concurrency")
                failure = await environment.prepare()
            except CannotRun as reason:
                return reason
        if failure is not None:
            return InitFailed(f"The init of {pool.function.name} fails: {failure.error_type}", failure.error_type)
        pool.failures = 0
        return None

    def _start_ahead_later(self, pool: Pool) -> None:
        """Replace what is missing after a while."""
        wait_seconds = min(LONGEST_RETRY_SECONDS, RETRY_SECONDS * 2**pool.failures)
        pool.failures += 1
        asyncio.get_running_loop().call_later(wait_seconds, self._start_missing, pool)

    def _start_missing(self, pool: Pool) -> None:
        if not self._is_stopped and not pool.is_retired and len(pool.ahead()) < pool.wanted:
            self._activity.spawn(f"the provisioned environments of {pool.function.name}", self._replace(pool))

    async def _replace(self, pool: Pool) -> None:
        if await self._start_ahead(pool) is not None:
            self._start_ahead_later(pool)
        elif len(pool.ahead()) < pool.wanted:
            self._start_missing(pool)

    async def _start(
        self, function: Function, invocation: Invocation, environment: Environment | None
    ) -> Outcome | CannotRun | None:
        """Run an event in an environment that begins with an init: one that was reset, or a new one.

        None if its runtime doesn't live to see the event.
        """
        try:
            if environment is None:
                environment = await self._new_environment(function)
            self._check_from_now_on(environment)
            return await environment.start(invocation)
        except CannotRun as reason:
            return reason
        finally:
            if environment is not None:
                self._wait_for_extensions(environment)

    def _wait_for_extensions(self, environment: Environment) -> None:
        """Be busy until the extensions have done with an invocation that is answered."""
        if environment.is_working:
            name = f"the extensions of {environment.function.name}"
            self._activity.spawn(name, environment.wait_until_free(), is_awaited=True)

    async def _new_environment(self, function: Function, init_type: InitType = "on-demand") -> Environment:
        runtime = await self._runtimes.find(function.runtime)
        try:
            await self._prepare()
            await self._boxes.ready()
        except OSError as error:
            raise CannotRun(f"No function can be run here: {error}") from error
        code = await self._take_code(function)
        if self.environments() >= self._most_environments:
            self._make_room()
        pool = self._pool(function)
        environment = Environment(
            function, runtime, code, self._around, lambda changed: self._changed(changed, pool), init_type
        )
        pool.all.add(environment)
        self._check_from_now_on(environment)
        return environment

    def _pool(self, function: Function) -> Pool:
        pools = self._pools.setdefault(function.version_arn, {})
        if function.revision not in pools:
            pools[function.revision] = Pool(function)
        return pools[function.revision]

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
        pool.drop(environment)
        if environment.state is State.ENDED:
            self._forget(environment, pool)
        elif pool.is_retired:
            environment.end()
        elif environment.state is State.RESPONSE_SENT:
            pool.answered[environment] = None
        elif environment.init_type == "provisioned-concurrency":
            pool.provisioned[environment] = None
        else:
            free = pool.ready if environment.state is State.READY else pool.reset
            free[environment] = since = Since(MACHINE.monotonic(), self._around.clock.now_ms())
            if self._reaper is None:
                self._reap_after(since)

    def _forget(self, environment: Environment, pool: Pool) -> None:
        function = environment.function
        self._awake.discard(environment)
        pool.all.remove(environment)
        self._packages.release(function.package)
        if function.layers:
            self._packages.release(*function.layers)
        if environment.init_type == "provisioned-concurrency" and environment.is_up:
            self._start_missing(pool)
        self._forget_if_empty(pool)

    def _forget_if_empty(self, pool: Pool) -> None:
        function = pool.function
        pools = self._pools.get(function.version_arn, {})
        if not pool.all and not pool.wanted and pools.get(function.revision) is pool:
            del pools[function.revision]
            if not pools:
                del self._pools[function.version_arn]

    def _check_from_now_on(self, environment: Environment) -> None:
        self._awake.add(environment)
        if self._checker is None:
            self._checker = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check)

    def _check(self) -> None:
        now = MACHINE.monotonic()
        for environment in list(self._awake):
            if not environment.check(now):
                self._awake.discard(environment)
        loop = asyncio.get_running_loop()
        self._checker = loop.call_later(CHECK_SECONDS, self._check) if self._awake else None

    def _make_room(self) -> None:
        """End the environment that has been free longest."""
        oldest = [(since, pool) for pool in self._all_pools() if (since := pool.oldest()) is not None]
        if oldest:
            min(oldest, key=itemgetter(0))[1].end_oldest()

    def _reap(self) -> None:
        """End environments that have been free for long."""
        self._reaper = None
        idle_ms = self._around.clock.now_ms() - int(IDLE_SECONDS * 1000)
        for pool in list(self._all_pools()):
            while (since := pool.oldest()) is not None and since.time_ms <= idle_ms:
                pool.end_oldest()
        left = [since for pool in self._all_pools() if (since := pool.oldest()) is not None]
        if left and not self._is_stopped:
            self._reap_after(min(left))

    def _reap_after(self, since: Since) -> None:
        self._reaper = self._around.clock.call_at(since.time_ms + int(IDLE_SECONDS * 1000), self._reap)

    def _all_pools(self) -> Iterator[Pool]:
        return itertools.chain.from_iterable(pools.values() for pools in self._pools.values())
