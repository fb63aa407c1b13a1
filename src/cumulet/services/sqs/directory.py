"""The queues by name, in memory: what every request looks up first."""

from __future__ import annotations

from cumulet.services.sqs import queues
from cumulet.services.sqs.queues import Queue
from cumulet.store import Store

Key = tuple[str, str, str]


class Directory:
    """A cache of the queues on disk, by account, region and name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queues: dict[Key, Queue] = {}

    def cached(self, account: str, region: str, name: str) -> Queue | None:
        """Return the queue if it is in memory."""
        return self._queues.get((account, region, name))

    async def find(self, account: str, region: str, name: str) -> Queue | None:
        """Return the queue of that name, or None."""
        queue = self._queues.get((account, region, name))
        if queue is None:
            queue = await self._store.read(queues.find, account, region, name)
            if queue is not None:
                self.keep(queue)
        return queue

    def keep(self, queue: Queue) -> None:
        """Know a queue that was created or changed; to be called after the commit."""
        self._queues[queue.account, queue.region, queue.name] = queue

    def forget(self, queue: Queue) -> None:
        """Know a queue no more; to be called after the commit."""
        self._queues.pop((queue.account, queue.region, queue.name), None)
