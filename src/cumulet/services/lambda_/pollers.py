"""The event source mappings at work."""

from __future__ import annotations

from collections.abc import Callable

from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.services.lambda_.mappings import Mapping
from cumulet.services.lambda_.queue_poller import QueuePoller


class Pollers:
    """A poller for each enabled mapping."""

    def __init__(self, new: Callable[[Mapping], QueuePoller]) -> None:
        self._new = new
        self._pollers: dict[str, QueuePoller] = {}

    def keep(self, mapping: Mapping) -> None:
        """Know a mapping that was created or changed; to be called after the commit."""
        self.forget(mapping)
        if mapping.is_enabled:
            poller = self._pollers[mapping.uuid] = self._new(mapping)
            poller.wake()

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
