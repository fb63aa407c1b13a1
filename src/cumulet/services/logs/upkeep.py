"""What CloudWatch Logs does on its own account: expire events, collect what deleted groups and streams leave behind.

Everything proceeds in short transactions from what is on disk, so that it goes on after a restart; `resume` sets it
going. Reads look at the retention themselves: upkeep only keeps the store small and the stored bytes true. AWS takes
up to 72 hours for that; an event is gone from here an hour after it has expired.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import Clock, Timer
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.services.logs import expiry, groups, removals
from cumulet.services.logs.groups import Group
from cumulet.store import Store

RETRY_MS = 10_000
"""How long work rests that the store refused: its disk was full, say."""
REST_MS = 3_600_000
"""The least time between two looks for expired events of one group."""


class Upkeep:
    """The platform's own work on log groups."""

    def __init__(self, store: Store, clock: Clock, activity: Activity) -> None:
        self._store = store
        self._clock = clock
        self._activity = activity
        self._looks: dict[int, Timer] = {}
        """By group: the next look for expired events, or the one that is under way."""
        self._is_collecting = False

    async def resume(self) -> None:
        """Go on with what was under way when the platform last stopped."""
        for group in await self._store.read(groups.keeping):
            self.look_again(group)
        self.collect()

    def watch(self, group: Group, from_ms: int) -> None:
        """Look for expired events of a group when one of the time `from_ms` expires, unless a look is due anyway."""
        if group.id not in self._looks and group.retention_ms is not None:
            self._look_at(group, from_ms + group.retention_ms + 1)

    def look_again(self, group: Group) -> None:
        """Look for expired events now: the retention may have changed."""
        self._look_at(group, self._clock.now_ms())

    def _look_at(self, group: Group, when_ms: int) -> None:
        def look() -> None:
            self._run(f"expiring events of {group.name}", lambda: self._expire(group, timer))

        if group.id in self._looks:
            self._looks[group.id].cancel()
        timer = self._looks[group.id] = self._clock.call_at(when_ms, look)

    async def _expire(self, seen: Group, timer: Timer) -> None:
        while True:
            now_ms = self._clock.now_ms()
            group = await self._store.read(groups.find, *seen.key)
            keeps_for_ms = group.retention_ms if group is not None and group.id == seen.id else None
            oldest_ms = await self._store.read(expiry.oldest_ms, seen.id) if keeps_for_ms is not None else None
            if group is None or keeps_for_ms is None or oldest_ms is None or oldest_ms >= now_ms - keeps_for_ms:
                break
            await self._store.transact(expiry.step, group.id, now_ms - keeps_for_ms)
        if self._looks[seen.id] is not timer:
            return  # another look has been asked for meanwhile
        if group is None or keeps_for_ms is None or oldest_ms is None:
            del self._looks[seen.id]
        else:
            self._look_at(group, max(oldest_ms + keeps_for_ms + 1, self._clock.now_ms() + REST_MS))

    def collect(self) -> None:
        """Delete the rows of groups and streams that were deleted."""
        if not self._is_collecting:
            self._is_collecting = True
            self._run("collecting deleted log groups", self._collect)

    async def _collect(self) -> None:
        try:
            while pending := await self._store.read(removals.pending):
                for removal in pending:
                    while not await self._store.transact(removals.step, removal):
                        pass
        finally:
            self._is_collecting = False

    def _run(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Do some work; while the store refuses it, which the log tells, again and again."""

        async def attempt() -> None:
            try:
                await work()
            except ServiceUnavailable:
                self._clock.call_at(self._clock.now_ms() + RETRY_MS, lambda: self._run(name, work))
                raise

        self._activity.spawn(name, attempt())
