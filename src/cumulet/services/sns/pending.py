"""Subscriptions that nobody confirms: SNS deletes them after two days, and their tokens with them.

One timer waits for the oldest one. It is set anew from what is on disk after each look, and after a restart.
"""

from __future__ import annotations

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import Clock, Timer
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.services.sns import subscriptions
from cumulet.store import Store, Tx

LIFE_MS = 2 * 24 * 3_600_000
STEP_SUBSCRIPTIONS = 200
RETRY_MS = 10_000
"""How long work rests that the store refused: its disk was full, say."""


class Pending:
    """Collects what was never confirmed."""

    def __init__(self, store: Store, clock: Clock, activity: Activity) -> None:
        self._store = store
        self._clock = clock
        self._activity = activity
        self._timer: Timer | None = None
        self._due_ms = 0
        """When the timer fires."""

    async def resume(self) -> None:
        """Go on with what was pending when the platform last stopped."""
        oldest_ms = await self._store.read(subscriptions.oldest_pending_ms)
        if oldest_ms is not None:
            self.watch(oldest_ms)

    def watch(self, created_ms: int) -> None:
        """Know of a pending subscription; to be called after the commit."""
        self._look_at(created_ms + LIFE_MS + 1)

    def _look_at(self, when_ms: int) -> None:
        if self._timer is not None:
            if self._due_ms <= when_ms:
                return
            self._timer.cancel()
        self._due_ms = when_ms
        self._timer = self._clock.call_at(when_ms, self._look)

    def _look(self) -> None:
        self._timer = None
        self._activity.spawn("deleting subscriptions that were not confirmed", self._delete())

    async def _delete(self) -> None:
        try:
            while await self._store.transact(delete_some, self._clock.now_ms() - LIFE_MS):
                pass
            await self.resume()
        except ServiceUnavailable:
            self._look_at(self._clock.now_ms() + RETRY_MS)
            raise


def delete_some(tx: Tx, before_ms: int) -> bool:
    """Delete some subscriptions that are pending from before a time; False when none is left."""
    found = subscriptions.pending_before(tx, before_ms, STEP_SUBSCRIPTIONS)
    for subscription in found:
        subscriptions.delete(tx, subscription)
    return len(found) == STEP_SUBSCRIPTIONS
