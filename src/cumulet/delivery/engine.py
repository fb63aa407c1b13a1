"""Carries deliveries to targets outside of the store: at least once, however often the platform is killed.

A delivery is a row from its acceptance to its end. Its end and all that follows from it inside of the store (a record
for a destination, a message for a dead-letter queue) are one transaction. Which deliveries are on their way is known in
memory alone: after a crash they are due as before, so an attempt whose end was not written is made again.

Deliveries to one target are a lane. Each lane reads its own in batches, as far as its target has places, so a target
that is slow or dead holds up no other. One timer wakes whichever lane is due next.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from functools import partial

from cumulet.delivery import deliveries
from cumulet.delivery.deliveries import Delivery
from cumulet.delivery.retries import Again, End, RetryPolicy, Verdict, backoff_ms
from cumulet.delivery.targets import Attempt, Outside
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import MACHINE, Clock, Timer
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.kernel.ids import Ids
from cumulet.store import Store, Tx

BATCH = 100
RETRY_MS = 10_000
"""How long a lane rests when the store refuses its work: its disk was full, say."""


class Lane:
    """What waits for one target."""

    def __init__(self, name: str, outside: Outside, wake: Callable[[], None]) -> None:
        self.name = name
        self.outside = outside
        self.wake = wake
        """What the target calls when it has a place again."""
        self.running: set[int] = set()
        self.waiting: deque[int] = deque()
        """The first of what was due on disk when that was last read."""
        self.fresh: deque[Delivery] = deque()
        """Accepted just now: they need not be read. All that waits behind `waiting`, as long as `is_read`."""
        self.is_read = False
        """Whether nothing that is due waits on disk alone, `waiting` apart."""
        self.is_pumping = False
        self.has_news = False
        self.is_full = False
        """Whether the target had no place when it was last asked."""
        self.rests = 0
        """How often in a row it had none."""
        self.next_ms: int | None = None
        """When to look again."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is known of it that the disk would not tell."""
        work = self.running or self.waiting or self.fresh or self.is_pumping or self.is_full
        return not work and self.next_ms is None


class Engine:
    """All lanes of a platform."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, activity: Activity) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._activity = activity
        self._outside: dict[str, Outside] = {}
        self._lanes: dict[str, Lane] = {}
        self._due: list[tuple[int, str]] = []
        """A heap of moments and lanes; what is no longer a lane's `next_ms` is passed over."""
        self._alarm: tuple[int, Timer] | None = None
        self._is_open = False

    def register(self, service: str, outside: Outside) -> None:
        """Let an adapter serve all targets whose ARN names `service`."""
        self._outside[service] = outside

    def accept(
        self,
        tx: Tx,
        *,
        lane: str,
        target: str,
        request_id: str,
        payload: bytes,
        now_ms: int,
        trace_header: str | None = None,
    ) -> None:
        """Write a new delivery within the transaction of its source; it is on its way after the commit.

        `lane` and `target` are ARNs of one service.
        """
        delivery = Delivery(tx.next_id(), lane, target, now_ms, now_ms, 0, 0, request_id, trace_header, payload)
        deliveries.insert(tx, delivery)
        tx.after_commit(self._accepted, delivery)

    async def start(self) -> None:
        """Go on with what was accepted before, lane after lane, while others have their turns already."""
        self._is_open = True
        self._activity.spawn("deliveries from before the start", self._resume())

    async def _resume(self) -> None:
        name: str | None = ""
        while self._is_open and (name := await self._store.read(deliveries.lane_after, name or "")) is not None:
            self._wake(self._lane(name))
            await MACHINE.sleep(0)

    def close(self) -> None:
        """Begin no more attempts."""
        self._is_open = False
        if self._alarm is not None:
            self._alarm[1].cancel()

    def wake(self, lane: str) -> None:
        """Try a lane again now if it waits for its target."""
        known = self._lanes.get(lane)
        if known is not None and known.is_full:
            known.is_full = False
            self._wake(known)

    def _lane(self, name: str) -> Lane:
        lane = self._lanes.get(name)
        if lane is None:
            outside = self._outside[name.split(":", 3)[2]]
            lane = self._lanes[name] = Lane(name, outside, partial(self.wake, name))
        return lane

    def _accepted(self, delivery: Delivery) -> None:
        if not self._is_open:
            return
        lane = self._lane(delivery.lane)
        if lane.is_read and len(lane.fresh) < BATCH:
            lane.fresh.append(delivery)
        else:
            lane.is_read = False
        if not lane.is_full:
            self._wake(lane)

    def _wake(self, lane: Lane) -> None:
        lane.has_news = True
        if not lane.is_pumping and self._is_open:
            lane.is_pumping = True
            self._activity.spawn(f"deliveries to {lane.name}", self._pump(lane))

    async def _pump(self, lane: Lane) -> None:
        """Begin a batch, then let others have their turn."""
        lane.has_news = False
        try:
            if not lane.is_read and not lane.waiting:
                await self._read(lane)
            while lane.waiting and self._is_open:
                if not await self._begin_again(lane, lane.waiting[0]):
                    return
                lane.waiting.popleft()
            if not lane.is_read:
                lane.has_news = True
            while lane.is_read and lane.fresh and self._is_open:
                if not await self._begin(lane, lane.fresh.popleft()):
                    return
        except Exception:
            lane.is_read = False
            self._look_at(lane, self._clock.now_ms() + RETRY_MS)
            raise
        finally:
            lane.is_pumping = False
            if lane.has_news and not lane.is_full:
                self._wake(lane)
            self._forget_idle(lane)

    async def _read(self, lane: Lane) -> None:
        """Learn what is due on disk, and when the next will be."""
        lane.is_read = True  # unless something is accepted meanwhile, or there is more
        lane.fresh.clear()
        now_ms = self._clock.now_ms()
        limit = len(lane.running) + BATCH
        numbers = await self._store.read(deliveries.due, lane.name, now_ms, limit)
        lane.waiting.extend(number for number in numbers if number not in lane.running)
        if len(numbers) == limit:
            lane.is_read = False
        elif (next_ms := await self._store.read(deliveries.next_due_ms, lane.name, now_ms)) is not None:
            self._look_at(lane, next_ms)

    async def _begin_again(self, lane: Lane, number: int) -> bool:
        """Begin an attempt of what is on disk, or end what is too old; False when the target has no place."""
        if number in lane.running:
            return True
        now_ms = self._clock.now_ms()
        delivery, policy = await self._store.read(self._load, number, lane.outside)
        if delivery is None or policy is None or delivery.due_ms > now_ms:
            return True
        if now_ms - delivery.accepted_ms >= policy.most_age_ms:
            lane.running.add(number)
            self._activity.spawn(f"deliveries to {lane.name}", self._settle(lane, delivery, None))
            return True
        return await self._begin(lane, delivery)

    @staticmethod
    def _load(tx: Tx, number: int, outside: Outside) -> tuple[Delivery | None, RetryPolicy | None]:
        delivery = deliveries.find(tx, number)
        return delivery, outside.policy(tx, delivery) if delivery else None

    async def _begin(self, lane: Lane, delivery: Delivery) -> bool:
        """Begin an attempt; False when the target has no place."""
        if delivery.id in lane.running:
            return True
        slot = await lane.outside.slot(delivery, lane.wake)
        if slot is None:
            lane.is_full, lane.is_read = True, False
            lane.fresh.clear()
            policy = await self._store.read(lane.outside.policy, delivery)
            rest_ms = self._clock.now_ms() + backoff_ms(lane.rests, self._ids.random.random())
            self._look_at(lane, min(rest_ms, delivery.accepted_ms + policy.most_age_ms))
            lane.rests += 1
            return False
        lane.rests = 0
        lane.running.add(delivery.id)
        self._activity.spawn(f"a delivery to {lane.name}", self._run(lane, delivery, slot))
        return True

    async def _run(self, lane: Lane, delivery: Delivery, give_back: Callable[[], None]) -> None:
        attempt, failure = Attempt(Verdict.DEFERRED), None
        try:
            attempt = await lane.outside.attempt(delivery)
        except Exception as error:
            failure = error
        finally:
            give_back()
        await self._settle(lane, delivery, attempt)
        if failure is not None:
            raise failure

    async def _settle(self, lane: Lane, delivery: Delivery, attempt: Attempt | None) -> None:
        """Write down what came of a delivery; without an attempt, that it is too old."""
        now_ms = self._clock.now_ms()
        new_ids = self._ids.uuid(), self._ids.uuid()
        chance = self._ids.random.random()
        try:
            next_ms = await self._store.transact(
                self._settled, delivery, lane.outside, attempt, now_ms=now_ms, new_ids=new_ids, chance=chance
            )
            if next_ms is not None:
                self._look_at(lane, next_ms)
        except ServiceUnavailable:
            lane.is_read = False
            self._look_at(lane, now_ms + RETRY_MS)
            raise
        finally:
            lane.running.discard(delivery.id)
            self._forget_idle(lane)

    @staticmethod
    def _settled(
        tx: Tx,
        delivery: Delivery,
        outside: Outside,
        attempt: Attempt | None,
        *,
        now_ms: int,
        new_ids: tuple[str, str],
        chance: float,
    ) -> int | None:
        """Return when a delivery is due again, or None at its end, which is written once."""
        end, answer = End.EXPIRED, None
        if attempt is not None:
            answer = attempt.answer
            followed = outside.policy(tx, delivery).next_try(
                attempt.verdict,
                accepted_ms=delivery.accepted_ms,
                attempts=delivery.attempts,
                deferrals=delivery.deferrals,
                now_ms=now_ms,
                chance=chance,
            )
            if isinstance(followed, Again):
                deliveries.postpone(tx, delivery, *followed)
                return followed.due_ms
            end = followed
        if deliveries.delete(tx, delivery):
            outside.conclude(tx, delivery, end, answer, now_ms=now_ms, new_ids=new_ids)
        return None

    def _look_at(self, lane: Lane, when_ms: int) -> None:
        """Wake a lane at a moment, unless it is woken before."""
        if lane.next_ms is None or when_ms < lane.next_ms:
            lane.next_ms = when_ms
            heapq.heappush(self._due, (when_ms, lane.name))
            self._set_alarm()

    def _set_alarm(self) -> None:
        if not self._due or not self._is_open:
            return
        first_ms = self._due[0][0]
        if self._alarm is not None:
            if self._alarm[0] <= first_ms:
                return
            self._alarm[1].cancel()
        self._alarm = first_ms, self._clock.call_at(first_ms, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        now_ms = self._clock.now_ms()
        while self._due and self._due[0][0] <= now_ms:
            when_ms, name = heapq.heappop(self._due)
            lane = self._lanes.get(name)
            if lane is not None and lane.next_ms == when_ms:
                lane.next_ms = None
                lane.is_read = lane.is_full = False
                self._wake(lane)
        self._set_alarm()

    def _forget_idle(self, lane: Lane) -> None:
        if lane.is_idle and lane.is_read and not lane.has_news:
            self._lanes.pop(lane.name, None)
