"""The functions by name, in memory: what every invocation looks up first."""

from __future__ import annotations

from cumulet.services.lambda_ import functions
from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.services.lambda_.functions import Function
from cumulet.store import Store


class Directory:
    """A cache of the functions on disk."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._functions: dict[FunctionKey, Function] = {}

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

    def keep(self, function: Function) -> None:
        """Know a function that was created or changed; to be called after the commit."""
        self._functions[function.key] = function

    def forget(self, key: FunctionKey) -> None:
        """Know a function no more; to be called after the commit."""
        self._functions.pop(key, None)
