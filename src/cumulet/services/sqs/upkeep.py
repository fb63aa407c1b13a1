"""What SQS does on its own account: expire messages, collect the backlogs of purged queues, run move tasks.

Everything proceeds in short transactions from what is on disk, so that it goes on after a restart; `resume` sets it
going. Receives look at the retention themselves: upkeep only keeps the store small and the counts true.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import Clock, Timer
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.kernel.ids import Ids
from cumulet.services.sqs import fifo, move_tasks, queues
from cumulet.services.sqs.backlog import DELETE_MESSAGE, oldest_sent_ms
from cumulet.services.sqs.directory import Directory
from cumulet.services.sqs.move_tasks import RUNNING, STEP_MESSAGES, MoveTask
from cumulet.services.sqs.queues import Queue
from cumulet.services.sqs.waiting import Waiting
from cumulet.store import Store, Tx

STEP_ROWS = 200
RETRY_MS = 10_000
"""How long work rests that the store refused: its disk was full, say."""
REST_MS = 1_000
"""The least time between two looks for expired messages of one queue."""

SELECT_OLD_BACKLOGS = "SELECT backlog_id FROM sqs_old_backlogs ORDER BY backlog_id"
DELETE_OLD_BACKLOG = "DELETE FROM sqs_old_backlogs WHERE backlog_id = ?"
SELECT_ANY_MESSAGES = "SELECT id FROM sqs_messages WHERE backlog_id = ? LIMIT ?"
SELECT_ANY_GROUPS = "SELECT group_id FROM sqs_groups WHERE backlog_id = ? LIMIT ?"
SELECT_EXPIRED = """
SELECT id, group_id FROM sqs_messages WHERE backlog_id = ? AND sent_at <= ? ORDER BY sent_at LIMIT ?"""


class Upkeep:
    """The platform's own work on queues."""

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, activity: Activity, directory: Directory, waiting: Waiting
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._activity = activity
        self._directory = directory
        self._waiting = waiting
        self._looks: dict[int, Timer] = {}
        """By queue: the next look for expired messages, or the one that is under way."""

    async def resume(self) -> None:
        """Go on with what was under way when the platform last stopped."""
        for queue in await self._store.read(queues.every):
            self.watch(queue, 0)
        for task in await self._store.read(move_tasks.running):
            self.run_task(task)
        self.collect()

    def watch(self, queue: Queue, from_ms: int) -> None:
        """Look for expired messages of a queue when one sent at `from_ms` expires, unless a look is due anyway."""
        if queue.id not in self._looks:
            self._look_at(queue, from_ms + queue.settings.retention_ms)

    def look_again(self, queue: Queue) -> None:
        """Look for expired messages now: the retention has changed."""
        self._look_at(queue, self._clock.now_ms())

    def _look_at(self, queue: Queue, when_ms: int) -> None:
        def look() -> None:
            self._run(f"expiring messages of {queue.name}", lambda: self._expire_watched(queue, timer))

        if queue.id in self._looks:
            self._looks[queue.id].cancel()
        timer = self._looks[queue.id] = self._clock.call_at(when_ms, look)

    async def _expire_watched(self, watched: Queue, timer: Timer) -> None:
        queue = await self._directory.find(watched.account, watched.region, watched.name)
        oldest_ms = await self.expire(queue) if queue and queue.id == watched.id else None
        if self._looks[watched.id] is not timer:
            return  # another look has been asked for meanwhile
        if queue is None or oldest_ms is None:
            del self._looks[watched.id]
        else:
            self._look_at(queue, max(oldest_ms + queue.settings.retention_ms, self._clock.now_ms() + REST_MS))

    async def expire(self, queue: Queue) -> int | None:
        """Delete what is older than the queue's retention; return when the oldest message left was sent."""
        while True:
            now_ms = self._clock.now_ms()
            oldest_ms = await self._store.read(oldest_sent_ms, queue)
            if oldest_ms is None or oldest_ms > now_ms - queue.settings.retention_ms:
                return oldest_ms
            await self._store.transact(delete_expired, queue, now_ms)
            if queue.is_fifo:
                self._waiting.changed(queue)  # a group may have lost the message that locked it

    def collect(self) -> None:
        """Delete the messages of queues that were purged or deleted."""
        self._run("collecting old messages", self._collect)

    async def _collect(self) -> None:
        for (backlog_id,) in await self._store.read(lambda tx: tx.all(SELECT_OLD_BACKLOGS)):
            while not await self._store.transact(delete_some, backlog_id):
                pass

    def run_task(self, task: MoveTask) -> None:
        """Go on with a message move task."""
        self._run(f"moving messages of {task.source_arn}", lambda: self._move(task))

    def _run(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Do some work; while the store refuses it, which the log tells, again and again."""

        async def attempt() -> None:
            try:
                await work()
            except ServiceUnavailable:
                self._clock.call_at(self._clock.now_ms() + RETRY_MS, lambda: self._run(name, work))
                raise

        self._activity.spawn(name, attempt())

    async def _move(self, task: MoveTask) -> None:
        while task.status == RUNNING:
            most = min(task.rate_per_second or STEP_MESSAGES, STEP_MESSAGES)
            message_ids = [self._ids.uuid() for _ in range(most)]
            now_ms = self._clock.now_ms()
            done = await self._store.transact(move_tasks.step, task.id, message_ids, now_ms)
            task = done.task
            for queue, count, visible_ms in done.moved_to.values():
                self._waiting.arrived(queue, visible_ms, count)
                self.watch(queue, now_ms)
            if task.rate_per_second and task.status == RUNNING:
                next_ms = self._clock.now_ms() + most * 1000 // task.rate_per_second
                self._clock.call_at(next_ms, partial(self.run_task, task))
                return


def delete_expired(tx: Tx, queue: Queue, now_ms: int) -> None:
    """Delete some messages that are older than the queue's retention."""
    before_ms = now_ms - queue.settings.retention_ms
    rows = tx.all(SELECT_EXPIRED, queue.backlog_id, before_ms, STEP_ROWS)
    for number, _ in rows:
        tx.run(DELETE_MESSAGE, number, queue.backlog_id)
    if queue.is_fifo:
        for group_id in {row[1] for row in rows}:
            fifo.refresh_group(tx, queue.backlog_id, group_id, now_ms)


def delete_some(tx: Tx, backlog_id: int) -> bool:
    """Delete some messages of an old backlog; True when it is gone."""
    for (number,) in tx.all(SELECT_ANY_MESSAGES, backlog_id, STEP_ROWS):
        tx.run(DELETE_MESSAGE, number, backlog_id)
    for (group_id,) in tx.all(SELECT_ANY_GROUPS, backlog_id, STEP_ROWS):
        tx.run(fifo.DELETE_GROUP, backlog_id, group_id)
    if tx.one(SELECT_ANY_MESSAGES, backlog_id, 1) or tx.one(SELECT_ANY_GROUPS, backlog_id, 1):
        return False
    tx.run(DELETE_OLD_BACKLOG, backlog_id)
    return True
