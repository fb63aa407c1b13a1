"""Replays: delivers archived messages to a subscription again, in steps that go on from what is on disk.

A step is a transaction that delivers some messages and writes how far it came: a queue gets each of them once in a
replay, however often the platform is killed. The step that finds nothing more completes the replay, so the next message
that is published finds the subscription live.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from cumulet import delivery
from cumulet.delivery import Undeliverable
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.kernel.log import log_line
from cumulet.kernel.telemetry import Metric, Sample
from cumulet.services.service import Platform
from cumulet.services.sns import archives, delivery_status, filter_policies, replays, subscriptions, topics
from cumulet.services.sns.archives import Archive, Head
from cumulet.services.sns.delivery_status import Feedback
from cumulet.services.sns.envelope import Envelope
from cumulet.services.sns.messages import Message
from cumulet.services.sns.metrics import metric
from cumulet.services.sns.replays import COMPLETED, IN_PROGRESS, PENDING, Replay
from cumulet.services.sns.sender import SENDER_ID, Sender
from cumulet.services.sns.subscriptions import Subscription
from cumulet.store import Tx

STEP = 300
"""So many messages are read in one transaction."""
STEP_BYTES = 2 << 20
"""And of so many bytes, but one at least."""
AT_ONCE = 4
"""So many replays are under way at once, and the others wait: each step takes some milliseconds of the event loop."""
PAGE = 1000
RETRY_MS = 10_000
"""How long a replay rests that the store refused: its disk was full, say."""


class Replayer:
    """The replays of all subscriptions."""

    def __init__(self, platform: Platform, sender: Sender) -> None:
        self._platform = platform
        self._store = platform.store
        self._clock = platform.clock
        self._sender = sender
        self._places = asyncio.Semaphore(AT_ONCE)

    async def resume(self) -> None:
        """Go on with the replays that were under way when the platform last stopped."""
        for status in replays.UNFINISHED:
            found = [0]
            while found:
                found = await self._store.read(replays.unfinished, status, found[-1], PAGE)
                for subscription_id in found:
                    self.go_on(subscription_id)

    def go_on(self, subscription_id: int) -> None:
        """Do what is left of a subscription's replay; while the store refuses that, again and again."""
        self._platform.activity.spawn(f"a replay to subscription {subscription_id}", self._go_on(subscription_id))

    async def _go_on(self, subscription_id: int) -> None:
        try:
            async with self._places:
                is_left = True
                while is_left:
                    new_ids = [self._platform.ids.uuid() for _ in range(STEP)]
                    is_left = await self._store.transact(
                        self._step, subscription_id, new_ids=new_ids, now_ms=self._clock.now_ms()
                    )
        except ServiceUnavailable:
            self._clock.call_at(self._clock.now_ms() + RETRY_MS, lambda: self.go_on(subscription_id))
            raise

    def _step(self, tx: Tx, subscription_id: int, *, new_ids: Sequence[str], now_ms: int) -> bool:
        """Deliver some messages; return whether there may be more."""
        replay = replays.find(tx, subscription_id)
        subscription = subscriptions.find_by_id(tx, subscription_id)
        if replay is None or replay.is_over or subscription is None or not subscription.is_confirmed:
            return False
        archive = archives.of_topic(tx, replay.topic_id)
        if archive is None:
            replays.delete(tx, subscription_id)
            return False
        reached_id = replay.reached_id
        if replay.status == PENDING:
            reached_id = archives.before(tx, archive, max(replay.starts_ms, archive.beginning_ms(now_ms)))
        heads = archives.heads(tx, archive, reached_id, STEP)
        chosen = _chosen(heads, replay.ends_ms)
        if chosen:
            found = archives.between(tx, archive, reached_id, chosen[-1].id)
            self._deliver(tx, replay, subscription, _fresh(archive, found, now_ms), new_ids, now_ms)
            reached_id = chosen[-1].id
        is_at_end = len(chosen) < len(heads) and _is_behind(heads[len(chosen)], replay.ends_ms)
        is_over = is_at_end or (len(chosen) == len(heads) < STEP)
        replays.save(
            tx,
            msgspec.structs.replace(
                replay,
                status=COMPLETED if is_over else IN_PROGRESS,
                ends_ms=replay.ends_ms if is_at_end or not is_over else None,
                reached_id=reached_id,
            ),
        )
        return not is_over

    def _deliver(
        self,
        tx: Tx,
        replay: Replay,
        subscription: Subscription,
        found: Sequence[Message],
        new_ids: Sequence[str],
        now_ms: int,
    ) -> None:
        """Put the messages that the subscription's filter lets through on its queue, in their order."""
        policy = filter_policies.of(subscription)
        if policy is not None:
            found = [message for message in found if policy.matches(message.attributes, message.body)]
        pairs = [
            (self._letter(replay, subscription, message, new_id), message)
            for message, new_id in zip(found, new_ids, strict=False)
        ]
        letters = [letter for letter, _ in pairs]
        refused = self._platform.delivery.put_again(tx, subscription.endpoint, letters, now_ms)
        if "RedrivePolicy" in subscription.attributes:
            for letter, reason in refused:
                self._sender.bury(tx, subscription, letter, now_ms, str(reason))
        elif refused:
            dropped = f"{len(refused)} messages to {subscription.arn} are dropped in a replay: {refused[0][1]}"
            tx.after_commit(log_line, dropped)
        key = topics.key_of(subscription.topic_arn)
        for name, count in (("Delivered", len(letters) - len(refused)), ("Failed", len(refused))):
            if count:
                tx.after_commit(self._count, metric(key, f"NumberOfReplayedNotifications{name}"), count)
        topic = topics.find(tx, key)
        feedback = None if topic is None else delivery_status.of(topic)
        if feedback is not None:
            tx.after_commit(self._tell, feedback, subscription, pairs, refused)

    def _letter(self, replay: Replay, subscription: Subscription, message: Message, new_id: str) -> delivery.Message:
        """Return a message as a queue gets it again.

        Its deduplication id is the replay's own: a FIFO queue that has the message already must not take it for that.
        """
        is_raw, is_fifo = subscription.is_raw, subscription.endpoint.endswith(".fifo")
        if is_raw:
            body = message.body_for(subscription.protocol)
        else:
            replayed = msgspec.structs.replace(message, is_replayed=True)
            body = Envelope(replayed, None, "", self._platform.url).notification(subscription)
        return delivery.Message(
            id=new_id,
            sender_id=SENDER_ID,
            body=body,
            attributes=message.attributes if is_raw else {},
            trace_header=message.trace_header,
            group_id=message.group_id if is_fifo else None,
            deduplication_id=f"replay-{replay.number}-{message.sequence_number}" if is_fifo else None,
            source_arn=subscription.topic_arn,
        )

    def _tell(
        self,
        feedback: Feedback,
        subscription: Subscription,
        pairs: Sequence[tuple[delivery.Message, Message]],
        refused: Sequence[tuple[delivery.Message, Undeliverable]],
    ) -> None:
        """Write to the delivery status log what became of messages."""
        status, reasons = self._sender.status, {letter.id: reason for letter, reason in refused}
        for letter, message in pairs:
            if letter.id in reasons:
                status.failed(feedback, subscription, message, reasons[letter.id])
            else:
                status.delivered(feedback, subscription, message, letter.id)

    def _count(self, counted: Metric, count: int) -> None:
        telemetry = self._platform.telemetry
        telemetry.add([Sample(counted, telemetry.minute_ms, count, count, 1, 1)])


def _chosen(heads: Sequence[Head], ends_ms: int | None) -> Sequence[Head]:
    """Return the messages of one step: those before the replay's end, and no more than a step takes."""
    size_bytes = 0
    for number, head in enumerate(heads):
        size_bytes += head.size_bytes
        if _is_behind(head, ends_ms) or (number and size_bytes > STEP_BYTES):
            return heads[:number]
    return heads


def _is_behind(head: Head, ends_ms: int | None) -> bool:
    return ends_ms is not None and head.published_ms >= ends_ms


def _fresh(archive: Archive, found: Sequence[Message], now_ms: int) -> Sequence[Message]:
    """Return those that are not too old to be replayed."""
    beginning_ms = archive.beginning_ms(now_ms)
    return [message for message in found if message.published_ms >= beginning_ms]
