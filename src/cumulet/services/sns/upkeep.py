"""What SNS does on its own account: collect the subscriptions of deleted topics, in short transactions.

It goes on from what is on disk after a restart; `collect` sets it going.
"""

from __future__ import annotations

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import Clock
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.services.sns import subscriptions
from cumulet.store import Store, Tx

STEP_SUBSCRIPTIONS = 200
RETRY_MS = 10_000
"""How long work rests that the store refused: its disk was full, say."""

SELECT_DELETED_TOPICS = "SELECT topic_id FROM sns_deleted_topics ORDER BY topic_id"
DELETE_DELETED_TOPIC = "DELETE FROM sns_deleted_topics WHERE topic_id = ?"


class Upkeep:
    """The platform's own work on topics."""

    def __init__(self, store: Store, clock: Clock, activity: Activity) -> None:
        self._store = store
        self._clock = clock
        self._activity = activity

    def collect(self) -> None:
        """Delete the subscriptions of deleted topics; while the store refuses it, again and again."""
        self._activity.spawn("collecting subscriptions of deleted topics", self._collect())

    async def _collect(self) -> None:
        try:
            for (topic_id,) in await self._store.read(lambda tx: tx.all(SELECT_DELETED_TOPICS)):
                while not await self._store.transact(delete_some, topic_id):
                    pass
        except ServiceUnavailable:
            self._clock.call_at(self._clock.now_ms() + RETRY_MS, self.collect)
            raise


def delete_some(tx: Tx, topic_id: int) -> bool:
    """Delete some subscriptions of a deleted topic; True when none is left."""
    found = subscriptions.of_topic(tx, topic_id, 0, STEP_SUBSCRIPTIONS)
    for subscription in found:
        subscriptions.delete(tx, subscription)
    if len(found) == STEP_SUBSCRIPTIONS:
        return False
    tx.run(DELETE_DELETED_TOPIC, topic_id)
    return True
