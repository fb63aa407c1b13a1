"""Messages to HTTP endpoints: deliveries of the platform's engine, a lane for each subscription.

What is sent is a row until the endpoint has taken it, or its retries are over. A notification is written as it was
published; what asks for a confirmation is put together and signed when it is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal

import msgspec

from cumulet import delivery
from cumulet.delivery import Attempt, End, QueuedDelivery, RetryPolicy, Verdict
from cumulet.kernel.log import log_line
from cumulet.services.service import Platform
from cumulet.services.sns import delivery_policies, http_client, subscriptions, topics
from cumulet.services.sns.confirmation_messages import confirmation
from cumulet.services.sns.delivery_policies import Effective
from cumulet.services.sns.http_client import NoAnswer
from cumulet.services.sns.messages import Message
from cumulet.services.sns.metrics import metric
from cumulet.services.sns.retry_waits import waits_ms
from cumulet.services.sns.sender import SENDER_ID, Sender
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topics import Topic
from cumulet.store import Tx

AT_ONCE = 10
"""Requests under way to one endpoint."""
AT_ONCE_IN_ALL = 200
"""Requests under way to all: each is a connection, of which a process may have a thousand or so."""
MOST_AGE_MS = 14 * 86_400_000
"""What an endpoint could not be tried with for so long, is given up. SNS: its retries end within an hour."""
TOO_MANY_REQUESTS = 429
AGENT = "Amazon Simple Notification Service Agent"
MANY = 1_000

Kind = Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]


class Letter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a delivery carries."""

    kind: Kind
    url: str
    topic_arn: str
    message_id: str
    body: str = ""
    """Of a notification: all that the endpoint gets."""
    is_raw: bool = False
    token: str = ""
    """Of the others."""
    texts: dict[str, tuple[str, str]] = {}
    """Of a raw notification: the message's attributes, type and value, for a dead-letter queue."""
    binaries: dict[str, tuple[str, bytes]] = {}
    group_id: str | None = None


class Situation(msgspec.Struct, frozen=True):
    """What there is now of a delivery's topic and subscription."""

    topic: Topic | None
    subscription: Subscription | None
    policy: Effective


class HttpDelivery:
    """The outlet of topics for http and https, and the engine's adapter for it."""

    def __init__(self, platform: Platform, sender: Sender) -> None:
        self._platform = platform
        self._store = platform.store
        self._clock = platform.clock
        self._sender = sender
        self._running: Counter[str] = Counter()
        self._total = 0
        self._waiting: dict[str, Callable[[], None]] = {}
        """By lane: what to call when a request to that endpoint has ended."""
        self._waiting_for_any: dict[str, Callable[[], None]] = {}
        """By lane: what to call when any request has ended, the longest waiting first."""
        self._next_ms: dict[str, float] = {}
        """By lane that is throttled: when its next message may go."""
        platform.delivery.engine.register("sns", self)
        sender.outlets |= {"http": self, "https": self}

    def put(self, tx: Tx, subscription: Subscription, message: Message, body: str, now_ms: int) -> None:
        """Accept a message for an endpoint within the publish's transaction."""
        is_raw = subscription.is_raw
        given = message.attributes if is_raw else {}
        letter = Letter(
            kind="Notification",
            url=subscription.endpoint,
            topic_arn=subscription.topic_arn,
            message_id=message.id,
            body=body,
            is_raw=is_raw,
            texts={name: (one.type, one.value) for name, one in given.items() if isinstance(one.value, str)},
            binaries={name: (one.type, one.value) for name, one in given.items() if isinstance(one.value, bytes)},
            group_id=message.group_id,
        )
        self.accept(tx, subscription, letter, now_ms, message.trace_header)

    def accept(
        self, tx: Tx, subscription: Subscription, letter: Letter, now_ms: int, trace_header: str | None = None
    ) -> None:
        """Write a delivery; it is on its way after the commit."""
        self._platform.delivery.engine.accept(
            tx,
            lane=subscription.arn,
            target=subscription.arn,
            request_id=letter.message_id,
            payload=msgspec.json.encode(letter),
            now_ms=now_ms,
            trace_header=trace_header,
        )

    async def slot(self, delivery: QueuedDelivery, wake: Callable[[], None]) -> Callable[[], None] | None:
        """Take one of the lane's places, at the pace that its throttle policy allows."""
        lane = delivery.lane
        if self._running[lane] >= AT_ONCE:
            self._waiting[lane] = wake
            return None
        if self._total >= AT_ONCE_IN_ALL:
            self._waiting_for_any[lane] = wake
            return None
        self._running[lane] += 1
        self._total += 1
        situation = await self._store.read(_situation, delivery.target)
        if not self._may_go(lane, situation.policy.most_per_second, wake):
            self._give_back(lane)
            return None
        return lambda: self._give_back(lane)

    def _may_go(self, lane: str, most_per_second: int | None, wake: Callable[[], None]) -> bool:
        """Return whether a message may go now; if not, `wake` is called when one may."""
        if most_per_second is None:
            return True
        now_ms = self._clock.now_ms()
        next_ms = self._next_ms.get(lane, 0.0)
        if next_ms > now_ms:
            self._clock.call_at(int(next_ms) + 1, wake)
            return False
        if len(self._next_ms) > MANY:
            self._next_ms = {name: moment for name, moment in self._next_ms.items() if moment > now_ms}
        self._next_ms[lane] = now_ms + 1000 / most_per_second
        return True

    def _give_back(self, lane: str) -> None:
        self._total -= 1
        self._running[lane] -= 1
        if not self._running[lane]:
            del self._running[lane]
        if wake := self._waiting.pop(lane, None):
            wake()
        for name in list(self._waiting_for_any)[: AT_ONCE_IN_ALL - self._total]:
            self._waiting_for_any.pop(name)()

    async def attempt(self, delivery: QueuedDelivery) -> Attempt:
        """Send it. SNS: 5xx, 429 and no answer are tried again; every other answer that is no 2xx is final."""
        letter = msgspec.json.decode(delivery.payload, type=Letter)
        situation = await self._store.read(_situation, delivery.target)
        body = letter.body
        if letter.kind != "Notification":
            topic = situation.topic
            is_open = topic is not None and _is_open(letter, situation.subscription)
            if topic is None or not is_open:
                return Attempt(Verdict.REFUSED, "nobody waits for it any more")
            body = confirmation(
                letter.kind,
                topic,
                delivery.target,
                letter.message_id,
                letter.token,
                delivery.accepted_ms,
                signer=await self._sender.signing.signer(),
                base_url=self._platform.url,
            )
        elif situation.subscription is None:
            return Attempt(Verdict.REFUSED, "there is no such subscription any more")
        try:
            status = await http_client.post(
                letter.url, _headers(letter, delivery.target, situation.policy), body.encode()
            )
        except NoAnswer as reason:
            return Attempt(Verdict.FAILED, str(reason))
        if 200 <= status < 300:
            return Attempt(Verdict.DELIVERED)
        can_change = status >= 500 or status < 200 or status == TOO_MANY_REQUESTS
        return Attempt(Verdict.FAILED if can_change else Verdict.REFUSED, f"the endpoint has answered {status}")

    def policy(self, tx: Tx, delivery: QueuedDelivery) -> RetryPolicy:
        """Return the retries of the subscription's delivery policy, or of its topic's."""
        waits = waits_ms(_situation(tx, delivery.target).policy)
        return RetryPolicy(len(waits), waits or (0,), MOST_AGE_MS)

    def conclude(
        self,
        tx: Tx,
        delivery: QueuedDelivery,
        end: End,
        answer: str | None,
        *,
        now_ms: int,
        new_ids: tuple[str, str],
    ) -> None:
        """Count it, and put a notification that was not taken on the subscription's dead-letter queue."""
        letter = msgspec.json.decode(delivery.payload, type=Letter)
        if letter.kind != "Notification":
            if end is not End.DELIVERED:
                tx.after_commit(log_line, f"{letter.kind} for {delivery.target} is given up: {answer}")
            return
        outcome = "Delivered" if end is End.DELIVERED else "Failed"
        tx.after_commit(
            self._platform.telemetry.record, metric(topics.key_of(letter.topic_arn), f"NumberOfNotifications{outcome}")
        )
        subscription = _situation(tx, delivery.target).subscription
        if end is End.DELIVERED or subscription is None:
            return
        self._sender.bury(tx, subscription, _dead(letter, delivery, new_ids[0]), now_ms, answer or "it was too old")


def _situation(tx: Tx, subscription_arn: str) -> Situation:
    topic_arn, _, uuid = subscription_arn.rpartition(":")
    topic = topics.find(tx, topics.key_of(topic_arn))
    subscription = subscriptions.find(tx, uuid)
    if topic is None or (subscription is not None and subscription.topic_id != topic.id):
        subscription = None
    own = subscription.attributes.get("DeliveryPolicy") if subscription else None
    return Situation(
        topic,
        subscription,
        delivery_policies.effective(topic.attributes.get("DeliveryPolicy") if topic else None, own),
    )


def _is_open(letter: Letter, subscription: Subscription | None) -> bool:
    """Return whether somebody still waits for a confirmation: a pending subscription, or one that has ended."""
    if letter.kind == "UnsubscribeConfirmation":
        return subscription is None
    return subscription is not None and not subscription.is_confirmed and subscription.token == letter.token


def _headers(letter: Letter, subscription_arn: str, policy: Effective) -> dict[str, str]:
    headers = {
        "x-amz-sns-message-type": letter.kind,
        "x-amz-sns-message-id": letter.message_id,
        "x-amz-sns-topic-arn": letter.topic_arn,
    }
    if letter.kind != "SubscriptionConfirmation":
        headers["x-amz-sns-subscription-arn"] = subscription_arn
    if letter.is_raw:
        headers["x-amz-sns-rawdelivery"] = "true"
    return {**headers, "Content-Type": policy.content_type, "User-Agent": AGENT, "Accept-Encoding": "gzip,deflate"}


def _dead(letter: Letter, queued: QueuedDelivery, new_id: str) -> delivery.Message:
    attributes: dict[str, tuple[str, str | bytes]] = {**letter.texts, **letter.binaries}
    return delivery.Message(
        id=new_id,
        sender_id=SENDER_ID,
        body=letter.body,
        attributes=attributes,
        trace_header=queued.trace_header,
        group_id=letter.group_id,
    )
