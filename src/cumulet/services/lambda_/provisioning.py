"""Keeps as many environments started ahead as provisioned concurrency asks for.

What was asked for is on disk; what is there is only known here, and is made again after a restart. One activity at a
time works on a function until nothing has changed meanwhile: it starts environments of versions that need more, then
ends those of versions that need fewer, so an alias that moves is served all the time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple

from cumulet import compute
from cumulet.compute import CannotRun, Compute, InitFailed
from cumulet.kernel.activity import Activity
from cumulet.kernel.errors import AwsError, ServiceUnavailable
from cumulet.services.lambda_ import provisioned
from cumulet.services.lambda_.concurrency import Concurrency
from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.provisioned import Part
from cumulet.store import Store

INIT_FAILURE = "FUNCTION_ERROR_INIT_FAILURE"
"""Lambda: the StatusReason where the function's init fails."""


class Status(NamedTuple):
    """What is there of what was asked for."""

    name: Literal["IN_PROGRESS", "READY", "FAILED"]
    allocated: int
    reason: str | None = None


class _Ahead:
    """The environments of one version."""

    def __init__(self) -> None:
        self.ready = 0
        self.failure: str | None = None


class Provisioning:
    """The environments that are started ahead."""

    def __init__(
        self,
        store: Store,
        activity: Activity,
        concurrency: Concurrency,
        find: Callable[[FunctionKey, str | None], Awaitable[Function]],
        to_run: Callable[[Function], compute.Function],
    ) -> None:
        """`find` returns a version or raises ResourceNotFoundException; `to_run` returns what runs it."""
        self._store = store
        self._activity = activity
        self._concurrency = concurrency
        self._find = find
        self._to_run = to_run
        self._compute: Compute
        self._functions: dict[FunctionKey, dict[str, _Ahead]] = {}
        """Those for which something was asked, and their versions."""
        self._changed: dict[FunctionKey, bool] = {}
        """What is being worked on, and whether it has changed since."""
        self._without_room: set[FunctionKey] = set()
        """What is looked at again when this machine has room."""

    async def start(self, compute: Compute) -> None:
        """Begin with what was asked for before the platform last stopped."""
        self._compute = compute
        for key in await self._store.read(provisioned.every_function):
            self.changed(key)

    def changed(self, key: FunctionKey) -> None:
        """Follow what was asked for a function; to be called after the commit."""
        ahead = self._functions.setdefault(key, {})
        for version in ahead.values():
            version.failure = None
        if key not in self._changed:
            self._activity.spawn(f"the provisioned concurrency of {key.name}", self._follow(key))
        self._changed[key] = True

    def moved(self, key: FunctionKey) -> None:
        """Follow versions and aliases that have changed, where something was asked for them; after the commit."""
        if key in self._functions:
            self.changed(key)

    def status(self, key: FunctionKey, parts: Sequence[Part]) -> Status:
        """Return what there is of what a qualifier asks for."""
        versions = self._functions.get(key, {})
        ahead = [(part, versions.get(part.version, _Ahead())) for part in parts]
        allocated = sum(min(part.executions, version.ready) for part, version in ahead)
        for _, version in ahead:
            if version.failure is not None:
                return Status("FAILED", 0, version.failure)
        is_ready = key not in self._changed and all(part.executions <= version.ready for part, version in ahead)
        return Status("READY" if is_ready else "IN_PROGRESS", allocated)

    async def _follow(self, key: FunctionKey) -> None:
        try:
            while self._changed[key]:
                self._changed[key] = False
                await self._bring_about(key, await self._store.read(provisioned.needs, key))
        finally:
            del self._changed[key]

    async def _bring_about(self, key: FunctionKey, parts: Sequence[Part]) -> None:
        ahead = self._functions[key]
        needed: dict[str, int] = {}
        for part in parts:
            needed[part.version] = needed.get(part.version, 0) + part.executions
        qualifiers = {part.version: part.qualifier for part in parts}
        try:
            self._concurrency.claim(await self._find(key, None), sum(needed.values()))
        except ServiceUnavailable:
            raise
        except AwsError:
            del self._functions[key]  # the function is gone, and all its environments with it
            return
        for version in needed:
            ahead.setdefault(version, _Ahead())
        for version, count in sorted(needed.items(), key=lambda item: item[1] <= ahead[item[0]].ready):
            await self._provide(key, version, ahead[version], count, qualifiers[version])
        for version in ahead.keys() - needed.keys():
            await self._provide(key, version, ahead.pop(version), 0, version)
        if not ahead:
            del self._functions[key]

    async def _provide(self, key: FunctionKey, version: str, ahead: _Ahead, count: int, qualifier: str) -> None:
        if count == ahead.ready:
            return
        try:
            function = await self._find(key, version)
        except ServiceUnavailable:
            raise
        except AwsError:
            self._concurrency.release(key, version)  # it is gone, and its environments with it
            return
        if count < ahead.ready:
            self._concurrency.provide(function, count, qualifier)
            ahead.ready = count
        room = self._concurrency.machine_left()
        if count - ahead.ready > room:
            ahead.failure = f"This machine has room for {max(room, 0)} more environments (quota lambda:environments)."
            self._look_again(key, count - ahead.ready)
            return
        try:
            await self._compute.provision(self._to_run(function), count)
        except CannotRun as error:
            ahead.failure = INIT_FAILURE if isinstance(error, InitFailed) else str(error)
            self._concurrency.provide(function, 0, qualifier)
            ahead.ready = 0
            await self._compute.provision(self._to_run(function), 0)
        else:
            self._concurrency.provide(function, count, qualifier)
            ahead.ready = count

    def _look_again(self, key: FunctionKey, count: int) -> None:
        """Follow a function again once invocations that end have left room for so many environments."""
        if key in self._without_room:
            return
        self._without_room.add(key)

        def look() -> None:
            if key in self._functions and self._concurrency.machine_left() < count:
                self._concurrency.when_free(look)
                return
            self._without_room.remove(key)
            self.moved(key)

        self._concurrency.when_free(look)
