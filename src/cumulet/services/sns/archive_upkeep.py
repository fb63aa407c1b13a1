"""Removes from archives what is too old, and archives that were closed, in short transactions.

It goes on from what is on disk after a restart; `resume` sets it going. Replays look at the retention themselves: this
only keeps the store small.
"""

from __future__ import annotations

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import Clock, Timer
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.services.sns import archives
from cumulet.store import Store, Tx

STEP_MESSAGES = 200
PAGE = 1000
REST_MS = 60_000
"""The least time between two looks for old messages of one archive."""
RETRY_MS = 10_000
"""How long work rests that the store refused: its disk was full, say."""


class ArchiveUpkeep:
    """The platform's own work on archives."""

    def __init__(self, store: Store, clock: Clock, activity: Activity) -> None:
        self._store = store
        self._clock = clock
        self._activity = activity
        self._timers: dict[int, Timer] = {}
        """By archive: when its oldest message is too old."""

    async def resume(self) -> None:
        """Look at all archives."""
        numbers = [0]
        while numbers:
            numbers = await self._store.read(archives.ids, numbers[-1], PAGE)
            for number in numbers:
                self.remove(number)

    def watch(self, archive_id: int, due_ms: int) -> None:
        """Know when a message that was kept is too old."""
        if archive_id not in self._timers:
            due_ms = max(due_ms, self._clock.now_ms() + REST_MS)
            self._timers[archive_id] = self._clock.call_at(due_ms, lambda: self.remove(archive_id))

    def remove(self, archive_id: int) -> None:
        """Remove what is to be removed of an archive; while the store refuses it, again and again."""
        timer = self._timers.pop(archive_id, None)
        if timer is not None:
            timer.cancel()
        self._activity.spawn(f"removing old messages of archive {archive_id}", self._remove(archive_id))

    async def _remove(self, archive_id: int) -> None:
        try:
            while True:
                now_ms = self._clock.now_ms()
                due_ms = await self._store.transact(remove_some, archive_id, now_ms)
                if due_ms is None:
                    return
                if due_ms > now_ms:
                    self.watch(archive_id, due_ms)
                    return
        except ServiceUnavailable:
            self._clock.call_at(self._clock.now_ms() + RETRY_MS, lambda: self.remove(archive_id))
            raise


def remove_some(tx: Tx, archive_id: int, now_ms: int) -> int | None:
    """Remove some messages of an archive; return when to go on, None where there is nothing to wait for."""
    archive = archives.find(tx, archive_id)
    return None if archive is None else archives.remove(tx, archive, now_ms, STEP_MESSAGES)
