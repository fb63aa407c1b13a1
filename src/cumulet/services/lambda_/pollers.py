"""The event source mappings at work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.services.lambda_.mappings import Mapping


class Poller(Protocol):
    """One event source mapping at work, if it is enabled."""

    mapping: Mapping

    def change(self, mapping: Mapping) -> None:
        """Know a change of the mapping, and go on, begin or close as it says."""

    def wake(self) -> None:
        """Look for something to do: there may be some."""

    def close(self) -> None:
        """Take no more from the source. What runs goes on."""


class Pollers:
    """A poller for each mapping."""

    def __init__(self, new: Callable[[Mapping], Poller]) -> None:
        """`new` makes a poller that sleeps until `change` tells it to begin."""
        self._new = new
        self._pollers: dict[str, Poller] = {}

    def keep(self, mapping: Mapping) -> None:
        """Know a mapping that was created or changed; to be called after the commit."""
        poller = self._pollers.get(mapping.uuid)
        if poller is None:
            poller = self._pollers[mapping.uuid] = self._new(mapping)
        poller.change(mapping)

    def forget(self, mapping: Mapping) -> None:
        """Know a mapping no more; to be called after the commit."""
        poller = self._pollers.pop(mapping.uuid, None)
        if poller is not None:
            poller.close()

    def wake(self, key: FunctionKey) -> None:
        """Look again: a function was created or changed, or a version or alias of it."""
        for poller in self._pollers.values():
            if poller.mapping.function_key == key:
                poller.wake()

    def close(self) -> None:
        """Receive no more."""
        for poller in self._pollers.values():
            poller.close()
        self._pollers.clear()
