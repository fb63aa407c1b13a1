"""Execution environments: where functions run. One event at a time in each; free ones are used again.

Nothing queues here: an invocation that finds no free environment starts one. Who calls keeps to the concurrency that a
function may have.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

from cumulet.compute import sandbox
from cumulet.compute.environment import Environment, RuntimeLost, State, Surroundings
from cumulet.compute.function import CannotRun, Function, Invocation, Outcome
from cumulet.compute.interpreter import Interpreter, find_interpreter
from cumulet.compute.packages import Packages
from cumulet.compute.processes import Processes
from cumulet.compute.runtimes import check_runtime
from cumulet.compute.variables import Places
from cumulet.delivery.logs import LogSink
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import MACHINE, Clock
from cumulet.kernel.credentials import CredentialIssuer
from cumulet.kernel.ids import Ids

IDLE_SECONDS = 600.0
CHECK_SECONDS = 0.05
"""How often busy environments are checked."""
REAP_SECONDS = 30.0


class Pool:
    """The environments of one revision of a function."""

    def __init__(self) -> None:
        self.all: set[Environment] = set()
        self.ready: dict[Environment, float] = {}
        """Those that wait for an event, and since when; the one used last is the last."""
        self.answered: dict[Environment, None] = {}
        """Those that have answered and will wait for an event in a moment."""
        self.is_retired = False

    def take(self) -> Environment | None:
        """Return a free environment, the one used last, so that others age."""
        if self.ready:
            return self.ready.popitem()[0]
        if self.answered:
            return self.answered.popitem()[0]
        return None


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
    ) -> None:
        self._folder = folder
        """Holds nothing that lasts; emptied before it is used."""
        self._activity = activity
        self._processes = Processes(folder / "root")
        self._packages = Packages(folder / "code")
        self._around = Surroundings(self._processes, logs, clock, ids, credentials, url)
        self._pools: dict[str, dict[str, Pool]] = {}
        """By the function's ARN and its revision."""
        self._busy: set[Environment] = set()
        self._interpreter: Interpreter | None = None
        self._checker: asyncio.TimerHandle | None = None
        self._reaper: asyncio.TimerHandle | None = None
        self._numbers = itertools.count(1)

    @property
    def isolation(self) -> str | None:
        """Return why environments aren't kept apart from the machine by namespaces, None where they are."""
        return self._processes.lacks_isolation

    async def invoke(self, function: Function, invocation: Invocation) -> Outcome:
        """Run one event in a free environment or in a new one. It runs to its end also if the caller is cancelled.

        Raises `CannotRun`.
        """
        work = self._activity.spawn(f"an invocation of {function.name}", self._invoke(function, invocation))
        outcome: Outcome | CannotRun = await asyncio.shield(work)
        if isinstance(outcome, CannotRun):
            raise outcome
        return outcome

    def environments(self) -> int:
        """Return how many environments there are now."""
        return sum(len(pool.all) for pools in self._pools.values() for pool in pools.values())

    def retire(self, function_arn: str, keep: str | None = None) -> None:
        """End the environments of all revisions but `keep`: free ones now, others after their invocation."""
        for revision, pool in self._pools.get(function_arn, {}).items():
            if revision != keep:
                pool.is_retired = True
                for environment in (*pool.ready, *pool.answered):
                    environment.end()

    async def stop(self) -> None:
        """End everything, whatever it is doing."""
        for timer in (self._checker, self._reaper):
            if timer is not None:
                timer.cancel()
        for pool in self._all_pools():
            pool.is_retired = True
            for environment in pool.all:
                environment.end()
        await self._processes.stop()

    async def _invoke(self, function: Function, invocation: Invocation) -> Outcome | CannotRun:
        while True:
            pool = self._pools.setdefault(function.arn, {}).setdefault(function.revision, Pool())
            environment = pool.take()
            try:
                if environment is None:
                    environment = await self._new_environment(function, pool)
                    return await environment.start(invocation)
                self._check_from_now_on(environment)
                return await environment.run(invocation)
            except RuntimeLost:
                continue
            except CannotRun as reason:
                return reason

    async def _new_environment(self, function: Function, pool: Pool) -> Environment:
        check_runtime(function.runtime)
        try:
            interpreter = await self._prepare()
        except (LookupError, OSError) as error:
            raise CannotRun(f"No function can be run here: {error}") from error
        task = await self._packages.unpack(function.package)
        places = self._places(interpreter, task)
        environment = Environment(function, task, places, self._around, lambda changed: self._changed(changed, pool))
        pool.all.add(environment)
        self._check_from_now_on(environment)
        return environment

    async def _prepare(self) -> Interpreter:
        """Make sure that there are a folder, an interpreter and a spawner."""
        if self._interpreter is None:
            interpreter = find_interpreter()
            shutil.rmtree(self._folder, ignore_errors=True)
            (self._folder / "root").mkdir(parents=True)
            runtime = self._folder / "runtime"
            runtime.mkdir()
            for package in interpreter.packages:
                (runtime / package.name).symlink_to(package)
            self._interpreter = interpreter
        await self._processes.ready(self._interpreter)
        return self._interpreter

    def _places(self, interpreter: Interpreter, task: Path) -> Places:
        if self.isolation is None:
            executable = sandbox.INTERPRETER + "/" + str(interpreter.executable.relative_to(interpreter.prefix))
            return Places(sandbox.INTERPRETER, executable, sandbox.RUNTIME, sandbox.TASK, None)
        temporary = self._folder / "tmp" / str(next(self._numbers))
        temporary.mkdir(parents=True)
        runtime = self._folder / "runtime"
        return Places(str(interpreter.prefix), str(interpreter.executable), str(runtime), str(task), str(temporary))

    def _changed(self, environment: Environment, pool: Pool) -> None:
        """An environment has become free, or has ended."""
        self._busy.discard(environment)
        pool.ready.pop(environment, None)
        pool.answered.pop(environment, None)
        if environment.state is State.ENDED:
            pool.all.discard(environment)
            self._forget_empty(environment.function)
        elif pool.is_retired:
            environment.end()
        elif environment.state is State.READY:
            pool.ready[environment] = MACHINE.monotonic()
            if self._reaper is None:
                self._reaper = asyncio.get_running_loop().call_later(REAP_SECONDS, self._reap)
        else:
            pool.answered[environment] = None

    def _forget_empty(self, function: Function) -> None:
        pools = self._pools.get(function.arn, {})
        if (pool := pools.get(function.revision)) is not None and not pool.all:
            del pools[function.revision]
        if not pools:
            self._pools.pop(function.arn, None)

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

    def _reap(self) -> None:
        """End environments that have been free for long."""
        now = MACHINE.monotonic()
        for pool in self._all_pools():
            for environment, since in pool.ready.items():
                if now - since > IDLE_SECONDS:
                    environment.end()
        loop = asyncio.get_running_loop()
        self._reaper = loop.call_later(REAP_SECONDS, self._reap) if self._pools else None

    def _all_pools(self) -> Iterator[Pool]:
        return itertools.chain.from_iterable(pools.values() for pools in self._pools.values())
