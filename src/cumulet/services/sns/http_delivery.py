"""Messages to HTTP endpoints: deliveries of the platform's engine, a lane for each subscription.

What is sent is a row until the endpoint has taken it, or its retries are over. A notification is written as it was
published; what asks for a confirmation is put together and signed when it is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from cumulet.delivery import Attempt, End, QueuedDelivery, RetryPolicy, Verdict
from cumulet.kernel.log import log_line
from cumulet.services.service import Platform
from cumulet.services.sns import delivery_policies, delivery_status, http_client, subscriptions, topics
from cumulet.services.sns.confirmation_messages import confirmation
from cumulet.services.sns.delivery_policies import Effective
from cumulet.services.sns.delivery_status import Outcome
from cumulet.services.sns.http_client import NoAnswer
from cumulet.services.sns.letters import Letter, addressee, raw_attributes
from cumulet.services.sns.messages import Message
from cumulet.services.sns.metrics import metric
from cumulet.services.sns.places import Places
from cumulet.services.sns.retry_waits import waits_ms
from cumulet.services.sns.sender import Sender
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topics import Topic
from cumulet.store import Tx

MOST_AGE_MS = 14 * 86_400_000
"""What an endpoint could not be tried with for so long, is given up. SNS: its retries end within an hour."""
TOO_MANY_REQUESTS = 429
PHRASES: dict[int, str] = {status.value: status.phrase for status in HTTPStatus}
AGENT = "Amazon Simple Notification Service Agent"


class HttpLetter(Letter, frozen=True, kw_only=True, omit_defaults=True):
    """What a delivery carries."""

    url: str
    is_raw: bool = False


class Situation(NamedTuple):
    """What there is now of a delivery's topic and subscription."""

    topic: Topic | None
    subscription: Subscription | None
    policy: Effective


class HttpDelivery:
    """The outlet of topics for http and https, and the engine's adapter for it."""

    def __init__(self, platform: Platform, sender: Sender) -> None:
        self._platform = platform
        self._store = platform.store
        self._sender = sender
        self.places = Places(platform.clock)
        platform.delivery.engine.register("sns", self)
        sender.outlets |= {"http": self, "https": self}

    def put(self, tx: Tx, subscription: Subscription, message: Message, body: str, now_ms: int) -> None:
        """Accept a message for an endpoint within the publish's transaction."""
        texts, binaries = raw_attributes(subscription, message)
        letter = HttpLetter(
            kind="Notification",
            url=subscription.endpoint,
            topic_arn=subscription.topic_arn,
            message_id=message.id,
            body=body,
            is_raw=subscription.is_raw,
            texts=texts,
            binaries=binaries,
            group_id=message.group_id,
        )
        self.accept(tx, subscription, letter, now_ms, message.trace_header)

    def accept(
        self, tx: Tx, subscription: Subscription, letter: HttpLetter, now_ms: int, trace_header: str | None = None
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
        give_back = self.places.take(delivery.lane, wake)
        if give_back is None:
            return None
        situation = await self._store.read(_situation, delivery.target)
        if not self.places.keep_pace(delivery.lane, situation.policy.most_per_second, wake):
            give_back()
            return None
        return give_back

    async def attempt(self, delivery: QueuedDelivery) -> Attempt:
        """Send it. SNS: a status outside of 200 to 499, 429 and no answer are failures; all others end the delivery."""
        letter = msgspec.json.decode(delivery.payload, type=HttpLetter)
        situation = await self._store.read(_situation, delivery.target)
        topic, body = situation.topic, letter.body
        if topic is None or not letter.is_wanted(situation.subscription):
            return Attempt(Verdict.REFUSED, "nobody waits for it any more")
        if letter.kind != "Notification":
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
        begun_ms = self._platform.clock.now_ms()
        headers = _headers(letter, delivery.target, situation.policy)
        try:
            status = await http_client.post(letter.url, headers, body.encode())
        except NoAnswer as reason:
            self.places.tell(delivery.lane, is_well=False)
            self._count(delivery, letter, topic, begun_ms, None, str(reason))
            return Attempt(Verdict.FAILED, str(reason))
        self.places.tell(delivery.lane, is_well=_is_taken(status))
        self._count(delivery, letter, topic, begun_ms, status, PHRASES.get(status, ""))
        if _is_taken(status):
            return Attempt(Verdict.DELIVERED)
        return Attempt(Verdict.FAILED, f"the endpoint has answered {status}")

    def _count(
        self,
        queued: QueuedDelivery,
        letter: HttpLetter,
        topic: Topic | None,
        begun_ms: int,
        status: int | None,
        response: str,
    ) -> None:
        """Tell what came of an attempt. SNS: with HTTP endpoints each attempt that fails counts, and is logged."""
        if letter.kind != "Notification":
            return
        is_taken = _is_taken(status)
        name = f"NumberOfNotifications{'Delivered' if is_taken else 'Failed'}"
        self._platform.telemetry.record(metric(topics.key_of(letter.topic_arn), name))
        if topic is not None and (feedback := delivery_status.of(topic)):
            outcome = Outcome(
                protocol="http",
                destination=subscriptions.without_password(letter.url),
                message_id=letter.message_id,
                text=letter.body if letter.is_raw else msgspec.json.decode(letter.body)["Message"],
                published_ms=queued.accepted_ms,
                handed_ms=begun_ms,
                is_delivered=is_taken,
                status=status,
                response=response,
                attempts=queued.attempts or None,
            )
            self._sender.status.tell(feedback, outcome)

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
        """Put a notification that was not taken on the subscription's dead-letter queue."""
        letter = msgspec.json.decode(delivery.payload, type=HttpLetter)
        if end is End.DELIVERED:
            return
        if letter.kind != "Notification":
            tx.after_commit(log_line, f"{letter.kind} for {delivery.target} is given up: {answer}")
            return
        subscription = _situation(tx, delivery.target).subscription
        if subscription is not None:
            reason = answer or "it was too old"
            self._sender.bury(tx, subscription, letter.dead(delivery, new_ids[0]), now_ms, reason)


def _situation(tx: Tx, subscription_arn: str) -> Situation:
    topic, subscription = addressee(tx, subscription_arn)
    own = subscription.attributes.get("DeliveryPolicy") if subscription else None
    return Situation(
        topic,
        subscription,
        delivery_policies.effective(topic.attributes.get("DeliveryPolicy") if topic else None, own),
    )


def _headers(letter: HttpLetter, subscription_arn: str, policy: Effective) -> dict[str, str]:
    headers = {
        "x-amz-sns-message-type": letter.kind,
        "x-amz-sns-message-id": letter.message_id,
        "x-amz-sns-topic-arn": letter.topic_arn,
    }
    if letter.kind != "SubscriptionConfirmation":
        headers["x-amz-sns-subscription-arn"] = subscription_arn
    if letter.is_raw:
        headers["x-amz-sns-rawdelivery"] = "true"
    is_asking = letter.kind == "SubscriptionConfirmation"  # SNS (recorded): which no policy changes
    content_type = delivery_policies.DEFAULT_CONTENT_TYPE if is_asking else policy.content_type
    return {**headers, "Content-Type": content_type, "User-Agent": AGENT, "Accept-Encoding": "gzip,deflate"}


def _is_taken(status: int | None) -> bool:
    return status is not None and 200 <= status < 500 and status != TOO_MANY_REQUESTS
