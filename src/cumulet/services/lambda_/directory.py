"""The functions by name, in memory, with their versions, aliases and policies: what every invocation looks up first."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cumulet.services.lambda_ import aliases, functions, policies, versions
from cumulet.services.lambda_.aliases import Alias
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, version_number
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.versions import Version
from cumulet.store import Store

if TYPE_CHECKING:
    from cumulet.policies import Policy

MAIN_VERSION = 1.0
"""The chance with which an alias means its main version."""


class Directory:
    """A cache of what is on disk. What keeps or forgets is to be called after the commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._functions: dict[FunctionKey, Function] = {}
        self._versions: defaultdict[FunctionKey, dict[int, Version]] = defaultdict(dict)
        self._published: defaultdict[FunctionKey, dict[int, Function]] = defaultdict(dict)
        """The versions as functions: with tags and concurrency of the function as it is."""
        self._aliases: defaultdict[FunctionKey, dict[str, Alias]] = defaultdict(dict)
        self._policies: defaultdict[FunctionKey, dict[str | None, Policy]] = defaultdict(dict)

    def cached(self, key: FunctionKey) -> Function | None:
        """Return the function if it is in memory."""
        return self._functions.get(key)

    async def find(self, key: FunctionKey) -> Function | None:
        """Return the function, or None."""
        function = self._functions.get(key)
        if function is None:
            function = await self._store.read(functions.find, *key)
            if function is not None:
                self.keep(function)
        return function

    async def resolve(self, key: FunctionKey, qualifier: str | None, chance: float = MAIN_VERSION) -> Function | None:
        """Return what a qualifier means, or None where there is no such function, version or alias.

        `chance` chooses between the versions of an alias: a random number below 1.0, or MAIN_VERSION.
        """
        latest = await self.find(key)
        if latest is None or qualifier in (None, LATEST):
            return latest
        if not qualifier.isdecimal():
            alias = await self.alias(key, qualifier)
            if alias is None:
                return None
            qualifier = alias.version_at(chance)
            if qualifier == LATEST:
                return latest
        number = version_number(qualifier)
        return None if number is None else await self._version(latest, number)

    async def _version(self, latest: Function, number: int) -> Function | None:
        key = latest.key
        if (function := self._published[key].get(number)) is not None:
            return function
        version = self._versions[key].get(number) or await self._store.read(versions.find, key, number)
        if version is None:
            return None
        self._versions[key][number] = version
        function = self._published[key][number] = version.of(latest)
        return function

    async def alias(self, key: FunctionKey, name: str) -> Alias | None:
        """Return an alias of a function, or None."""
        alias = self._aliases[key].get(name) if key in self._aliases else None
        if alias is None:
            alias = await self._store.read(aliases.find, key, name)
            if alias is not None:
                self._aliases[key][name] = alias
        return alias

    async def policy(self, key: FunctionKey, qualifier: str | None) -> Policy:
        """Return the policy of what was resolved; it is empty where there is none."""
        known = self._policies[key]
        if qualifier not in known:
            known[qualifier] = policies.compiled(await self._store.read(policies.find, key, qualifier))
        return known[qualifier]

    def keep(self, function: Function) -> None:
        """Know a function that was created or changed."""
        self._functions[function.key] = function
        self._published.pop(function.key, None)
        self._policies[function.key].pop(None, None)

    def forget(self, key: FunctionKey) -> None:
        """Know a function no more, nor anything that it had."""
        self._functions.pop(key, None)
        self._versions.pop(key, None)
        self._published.pop(key, None)
        self._aliases.pop(key, None)
        self._policies.pop(key, None)

    def forget_qualifier(self, key: FunctionKey, qualifier: str) -> None:
        """Know a version or alias no more as it was, nor its policy."""
        self._policies.get(key, {}).pop(qualifier, None)
        self._aliases.get(key, {}).pop(qualifier, None)
        number = version_number(qualifier)
        if number is not None:
            self._versions.get(key, {}).pop(number, None)
            self._published.get(key, {}).pop(number, None)
