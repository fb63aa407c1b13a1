"""What deliveries to HTTP endpoints and to mail addresses have in common: what they carry, and for whom it is."""

from __future__ import annotations

from typing import Literal

import msgspec

from cumulet import delivery
from cumulet.delivery import QueuedDelivery
from cumulet.services.sns import subscriptions, topics
from cumulet.services.sns.messages import Message
from cumulet.services.sns.sender import SENDER_ID
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topics import Topic
from cumulet.store import Tx

Kind = Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]


class Letter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a delivery carries."""

    kind: Kind
    topic_arn: str
    message_id: str
    body: str = ""
    """Of a notification: the message, or its envelope."""
    token: str = ""
    """Of the others."""
    texts: dict[str, tuple[str, str]] = {}
    """Of a raw notification: the message's attributes, type and value, for a dead-letter queue."""
    binaries: dict[str, tuple[str, bytes]] = {}
    group_id: str | None = None

    def dead(self, queued: QueuedDelivery, new_id: str) -> delivery.Message:
        """Return it as a dead-letter queue gets it."""
        attributes: dict[str, tuple[str, str | bytes]] = {**self.texts, **self.binaries}
        return delivery.Message(
            id=new_id,
            sender_id=SENDER_ID,
            body=self.body,
            attributes=attributes,
            trace_header=queued.trace_header,
            group_id=self.group_id,
        )

    def is_wanted(self, subscription: Subscription | None) -> bool:
        """Return whether somebody still waits for it: a subscription, a pending one, or one that has ended."""
        if self.kind == "Notification":
            return subscription is not None
        if self.kind == "UnsubscribeConfirmation":
            return subscription is None
        return subscription is not None and not subscription.is_confirmed and subscription.token == self.token


def raw_attributes(
    subscription: Subscription, message: Message
) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, bytes]]]:
    """Return a message's attributes as a letter has them, texts and binaries; none with an envelope."""
    given = message.attributes if subscription.is_raw else {}
    return (
        {name: (one.type, one.value) for name, one in given.items() if isinstance(one.value, str)},
        {name: (one.type, one.value) for name, one in given.items() if isinstance(one.value, bytes)},
    )


def addressee(tx: Tx, subscription_arn: str) -> tuple[Topic | None, Subscription | None]:
    """Return what there is now of a delivery's topic and subscription."""
    topic_arn, _, uuid = subscription_arn.rpartition(":")
    topic = topics.find(tx, topics.key_of(topic_arn))
    subscription = subscriptions.find(tx, uuid)
    if topic is None or (subscription is not None and subscription.topic_id != topic.id):
        subscription = None
    return topic, subscription
