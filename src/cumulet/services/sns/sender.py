"""Takes a message to all who subscribe: the first within the publish's own transaction, the rest in steps.

What a publish reaches itself, and the row that brings the rest their message, are one transaction: when it is answered,
nobody can miss the message any more. Each step is a transaction that delivers to some and writes how far it came, so a
queue gets the message exactly once, however often the platform is killed. A fan-out goes on after a start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import orjson

from cumulet import delivery
from cumulet.delivery import Undeliverable
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.kernel.log import log_line
from cumulet.kernel.telemetry import Sample
from cumulet.services.service import Platform
from cumulet.services.sns import archive_policies, deduplication, delivery_status, fan_outs, message_attributes, topics
from cumulet.services.sns.admissions import NOBODY_KNOWN, Admissions
from cumulet.services.sns.archiving import Archiving
from cumulet.services.sns.audience import Audience, FilteredOut
from cumulet.services.sns.data_protection import Denied, guard_of
from cumulet.services.sns.delivery_status import Feedback, StatusLog
from cumulet.services.sns.directory import Directory
from cumulet.services.sns.envelope import Envelope
from cumulet.services.sns.fan_outs import FanOut
from cumulet.services.sns.messages import Message
from cumulet.services.sns.metrics import metric, record_filtered_out
from cumulet.services.sns.replays import StaleAudience
from cumulet.services.sns.service_roles import SUBSCRIPTION_ROLE
from cumulet.services.sns.signing import Signing
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topics import Topic, TopicKey
from cumulet.services.sns.views import View, Views
from cumulet.store import Tx

STEP = 100
"""So many endpoints get a message in one transaction."""
RETRY_MS = 10_000
"""How long a fan-out rests that the store refused: its disk was full, say."""
MOST_STALE = 100
"""So often a publish may find that somebody has subscribed meanwhile: a FIFO topic has that many subscriptions."""
PAGE = 100
SENDER_ID = "AIDAIENQZJOLO23YVJ4VO"
"""SNS: who has sent the messages that queues get is the service itself."""
TRIED_LATER = frozenset({"email", "email-json", "http", "https"})
"""The protocols whose outlet tells itself what has become of a message."""
NO_ATTRIBUTES: Mapping[str, tuple[str, str | bytes]] = {}


class Outlet(Protocol):
    """What takes messages to endpoints outside of the store."""

    def put(self, tx: Tx, subscription: Subscription, message: Message, body: str, now_ms: int) -> None:
        """Accept a message for an endpoint within the publish's transaction; raises Undeliverable.

        `body` is all that the endpoint gets: the envelope, or the message itself.
        """


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message, wrapped and signed, and who is to get it."""

    audience: Audience
    """Where its recipients are from."""
    message: Message
    envelope: Envelope
    recipients: Sequence[Subscription]
    """In the order of their ids."""
    filtered_out: FilteredOut
    feedback: Feedback | None
    """What the topic wants to know of its deliveries."""
    views: Views | None
    """What each of them may see, where the topic has a data protection policy."""


class Sender:
    """The deliveries of all topics."""

    def __init__(self, platform: Platform, directory: Directory, archiving: Archiving) -> None:
        self._platform = platform
        self._store = platform.store
        self._clock = platform.clock
        self._directory = directory
        self._archiving = archiving
        self.signing = Signing(platform.store, platform.clock)
        self.admissions = Admissions(platform)
        self.status = StatusLog(platform)
        self.outlets: dict[str, Outlet] = {}
        """By protocol."""

    async def resume(self) -> None:
        """Go on with what was on its way when the platform last stopped."""
        numbers = [0]
        while numbers:
            numbers = await self._store.read(fan_outs.ids, numbers[-1], PAGE)
            for number in numbers:
                self.go_on(number)

    async def publish(self, topic: Topic, messages: Sequence[Message], base_url: str) -> list[tuple[str, str | None]]:
        """Accept messages and give them to those who subscribe; return their ids and sequence numbers."""
        for _ in range(MOST_STALE):
            try:
                return await self._publish_once(topic, messages, base_url)
            except StaleAudience:  # a new subscription's replay was completed meanwhile
                self._directory.changed(topic.id)
        return await self._publish_once(topic, messages, base_url)

    async def _publish_once(
        self, topic: Topic, messages: Sequence[Message], base_url: str
    ) -> list[tuple[str, str | None]]:
        audience = await self._directory.audience(topic.id)
        parcels = [await self._parcel(topic, message, base_url, audience) for message in messages]
        # A FIFO topic has at most 100 subscriptions; they are all served at once, so that steps can't change the order.
        counts = [len(parcel.recipients) if topic.is_fifo else STEP for parcel in parcels]
        new_ids = [
            self._new_ids(min(count, len(parcel.recipients))) for parcel, count in zip(parcels, counts, strict=True)
        ]
        return await self._store.transact(
            self._publish, topic, parcels, base_url, new_ids=new_ids, now_ms=self._clock.now_ms()
        )

    def accept(self, tx: Tx, topic: Topic, message: Message, base_url: str, role_arn: str | None) -> None:
        """Accept a message of a role within the transaction of its source; all who subscribe get it soon.

        Raises Denied.
        """
        if topic.data_protection:
            principal = role_arn or NOBODY_KNOWN
            tx.after_commit(self.admissions.audit_soon, topic, message, principal)
            message = self.admissions.admitted_at_once(topic, message, principal)
        fan_out = fan_outs.insert(tx, topic.key, base_url, 0, message)
        tx.after_commit(self._published, topic.key, message)
        tx.after_commit(self.go_on, fan_out.id)

    async def _parcel(self, topic: Topic, message: Message, base_url: str, audience: Audience) -> Parcel:
        recipients, out = audience.matching(message.attributes, message.body)
        signer = None
        if not topic.is_fifo and audience.has_envelopes:
            protocols = {subscription.protocol for subscription in recipients if not subscription.is_raw}
            signer = await self.signing.signer() if protocols else None
        envelope = Envelope(message, signer, topic.signature_version, base_url)
        if signer is not None:
            envelope.sign(protocols)
        guard = guard_of(topic)
        views = None
        if guard is not None and guard.is_about_deliveries:
            views = Views(guard, View(message, envelope))
            await self.admissions.show(topic, views, recipients, message)
        return Parcel(audience, message, envelope, recipients, out, delivery_status.of(topic), views)

    def _new_ids(self, count: int) -> list[str]:
        return [self._platform.ids.uuid() for _ in range(count)]

    def _publish(
        self,
        tx: Tx,
        topic: Topic,
        parcels: Sequence[Parcel],
        base_url: str,
        *,
        new_ids: Sequence[Sequence[str]],
        now_ms: int,
    ) -> list[tuple[str, str | None]]:
        answers: list[tuple[str, str | None]] = []
        is_archived, known = archive_policies.NAME in topic.attributes, parcels[0].audience.ids
        intake = self._archiving.begin(tx, topic, known) if is_archived else None
        for parcel, some_ids in zip(parcels, new_ids, strict=True):
            message, envelope, is_new = parcel.message, parcel.envelope, True
            recipients = parcel.recipients
            if topic.is_fifo:
                message_id, number, is_new = deduplication.accept(tx, topic, message, now_ms)
                message = msgspec.structs.replace(message, id=message_id, sequence_number=number, published_ms=now_ms)
                envelope = Envelope(message, None, "", base_url)
            answers.append((message.id, message.sequence_number))
            tx.after_commit(self._published, topic.key, message)
            if not is_new:
                continue
            tx.after_commit(record_filtered_out, self._platform.telemetry, topic.key, message, parcel.filtered_out)
            if intake is not None:
                recipients = self._archiving.keep(tx, intake, message, recipients)
            reached = recipients[: len(some_ids)]
            self._deliver(tx, topic.key, message, envelope, reached, some_ids, now_ms, parcel.feedback, parcel.views)
            if len(recipients) > len(reached):
                fan_out = fan_outs.insert(tx, topic.key, base_url, reached[-1].id, message)
                tx.after_commit(self.go_on, fan_out.id)
        return answers

    def go_on(self, number: int) -> None:
        """Take a message to those who have not got it; while the store refuses that, again and again."""
        self._platform.activity.spawn(f"a message to many, number {number}", self._go_on(number))

    async def _go_on(self, number: int) -> None:
        parcel: Parcel | None = None
        try:
            fan_out = await self._store.read(fan_outs.find, number)
            while fan_out is not None:
                topic = await self._directory.find(fan_out.key)
                if topic is None:
                    await self._store.transact(fan_outs.delete, fan_out)
                    return
                audience = await self._directory.audience(topic.id)
                if parcel is None or parcel.audience is not audience:
                    parcel = await self._parcel(topic, fan_out.message, fan_out.base_url, audience)
                new_ids = self._new_ids(STEP)
                fan_out = await self._store.transact(
                    self._step, fan_out, parcel, new_ids=new_ids, now_ms=self._clock.now_ms()
                )
        except ServiceUnavailable:
            self._clock.call_at(self._clock.now_ms() + RETRY_MS, lambda: self.go_on(number))
            raise

    def _step(self, tx: Tx, fan_out: FanOut, parcel: Parcel, *, new_ids: Sequence[str], now_ms: int) -> FanOut | None:
        """Take a message to some; return None at its end."""
        recipients = parcel.recipients
        start = bisect_right(recipients, fan_out.reached_id, key=_id)
        end = bisect_left(recipients, fan_out.id, key=_id)
        reached = recipients[start : min(start + STEP, end)]
        self._deliver(
            tx, fan_out.key, parcel.message, parcel.envelope, reached, new_ids, now_ms, parcel.feedback, parcel.views
        )
        if fan_out.reached_id == 0:
            out = parcel.filtered_out
            tx.after_commit(record_filtered_out, self._platform.telemetry, fan_out.key, parcel.message, out)
        if start + len(reached) >= end:
            fan_outs.delete(tx, fan_out)
            return None
        return fan_outs.advance(tx, fan_out, reached[-1].id)

    def _deliver(
        self,
        tx: Tx,
        key: TopicKey,
        message: Message,
        envelope: Envelope,
        recipients: Sequence[Subscription],
        new_ids: Sequence[str],
        now_ms: int,
        feedback: Feedback | None,
        views: Views | None,
    ) -> None:
        delivered = failed = 0
        for subscription, new_id in zip(recipients, new_ids, strict=False):
            seen, wrapped = message, envelope
            try:
                if views is not None:
                    seen, wrapped = views.of(subscription)
                self._put(tx, subscription, seen, wrapped, new_id, now_ms)
                delivered += subscription.protocol not in TRIED_LATER
                if feedback is not None and subscription.protocol not in TRIED_LATER:
                    tx.after_commit(self.status.delivered, feedback, subscription, seen, new_id)
            except Undeliverable as reason:
                failed += 1
                if feedback is not None:
                    tx.after_commit(self.status.failed, feedback, subscription, seen, reason)
                if not isinstance(reason, Denied):
                    self.bury(tx, subscription, _letter(subscription, seen, wrapped, new_id), now_ms, str(reason))
        for name, count in (("Delivered", delivered), ("Failed", failed)):
            if count:
                tx.after_commit(self._count, key, f"NumberOfNotifications{name}", count)

    def _put(
        self, tx: Tx, subscription: Subscription, message: Message, envelope: Envelope, new_id: str, now_ms: int
    ) -> None:
        protocol = subscription.protocol
        if protocol == "sqs":
            self._put_on_queue(tx, subscription.endpoint, _letter(subscription, message, envelope, new_id), now_ms)
        elif protocol == "lambda":
            event = delivery.Message(
                id=new_id,
                sender_id=SENDER_ID,
                body=envelope.event(subscription),
                trace_header=message.trace_header,
                source_arn=subscription.topic_arn,
            )
            self._platform.delivery.put(tx, subscription.endpoint, event, now_ms)
        elif protocol == "firehose":
            role = subscription.attributes.get(SUBSCRIPTION_ROLE)
            record = _letter(subscription, message, envelope, new_id)
            record = msgspec.structs.replace(record, source_arn=None, role_arn=role)
            self._platform.delivery.put(tx, subscription.endpoint, record, now_ms)
        elif protocol in self.outlets:
            body = message.body_for(protocol) if subscription.is_raw else envelope.notification(subscription)
            self.outlets[protocol].put(tx, subscription, message, body, now_ms)
        else:
            raise Undeliverable(f"nothing here delivers to endpoints of {protocol}")

    def bury(self, tx: Tx, subscription: Subscription, letter: delivery.Message, now_ms: int, reason: str) -> None:
        """Put what an endpoint does not take on the subscription's dead-letter queue, if it has one.

        SNS (recorded): the letter is what a queue would have got of the message.
        """
        target = _dead_letter_queue(subscription)
        if target is None:
            tx.after_commit(log_line, f"a message of {subscription.topic_arn} is dropped: {reason}")
            return
        key = topics.key_of(subscription.topic_arn)
        letter = msgspec.structs.replace(letter, source_arn=subscription.topic_arn)
        try:
            self._put_on_queue(tx, target, letter, now_ms)
            tx.after_commit(self._count, key, "NumberOfNotificationsRedrivenToDlq", 1)
        except Undeliverable as refusal:
            tx.after_commit(self._count, key, "NumberOfNotificationsFailedToRedriveToDlq", 1)
            tx.after_commit(log_line, f"a message of {subscription.topic_arn} is dropped: {reason}, and {refusal}")

    def _put_on_queue(self, tx: Tx, queue_arn: str, letter: delivery.Message, now_ms: int) -> None:
        if letter.deduplication_id is not None and not queue_arn.endswith(".fifo"):
            # SNS (recorded): a standard queue gets neither of a FIFO topic's ids, but a standard topic's group
            letter = msgspec.structs.replace(letter, group_id=None, deduplication_id=None)
        self._platform.delivery.put(tx, queue_arn, letter, now_ms)

    def _published(self, key: TopicKey, message: Message) -> None:
        size_bytes = len(message.body.encode()) + message_attributes.size_bytes(message.attributes)
        self._platform.telemetry.record(metric(key, "NumberOfMessagesPublished"))
        self._platform.telemetry.record(metric(key, "PublishSize"), size_bytes)

    def _count(self, key: TopicKey, name: str, count: int) -> None:
        telemetry = self._platform.telemetry
        telemetry.add([Sample(metric(key, name), telemetry.minute_ms, count, count, 1, 1)])


def _letter(subscription: Subscription, message: Message, envelope: Envelope, new_id: str) -> delivery.Message:
    """Return a message as a queue gets it.

    SNS: with raw delivery alone its attributes are those of the queue's message.
    """
    is_raw = subscription.is_raw
    return delivery.Message(
        id=new_id,
        sender_id=SENDER_ID,
        body=message.body_for(subscription.protocol) if is_raw else envelope.notification(subscription),
        attributes=message.attributes if is_raw else NO_ATTRIBUTES,
        trace_header=message.trace_header,
        group_id=message.group_id,
        deduplication_id=message.dedup_id,
        source_arn=subscription.topic_arn,
    )


def _id(subscription: Subscription) -> int:
    return subscription.id


def _dead_letter_queue(subscription: Subscription) -> str | None:
    policy = subscription.attributes.get("RedrivePolicy")
    target = orjson.loads(policy).get("deadLetterTargetArn") if policy else None
    return target if isinstance(target, str) else None
