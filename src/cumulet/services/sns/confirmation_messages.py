"""What endpoints get when they are subscribed, and when that has ended: JSON with an address to open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from cumulet.services.sns.envelope import document, signed_text, timestamp
from cumulet.services.sns.links import subscribe_url
from cumulet.services.sns.topics import Topic

if TYPE_CHECKING:
    from cumulet.services.sns.signer import Signer

WORDS = {
    "SubscriptionConfirmation": (
        "You have chosen to subscribe to the topic {topic}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    ),
    "UnsubscribeConfirmation": (
        "You have chosen to deactivate subscription {subscription}.\n"
        "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
    ),
}


def confirmation(
    kind: str,
    topic: Topic,
    subscription_arn: str,
    message_id: str,
    token: str,
    sent_ms: int,
    *,
    signer: Signer,
    base_url: str,
) -> str:
    """Return the document, signed as the topic's messages are."""
    members = _members(kind, topic, subscription_arn, message_id, token, sent_ms, base_url)
    return document(_signed(members, topic, signer, base_url))


def event(
    kind: str,
    topic: Topic,
    subscription_arn: str,
    message_id: str,
    token: str,
    sent_ms: int,
    *,
    signer: Signer,
    base_url: str,
) -> str:
    """Return what a function gets. SNS (recorded): the event does not name the subscription."""
    members = _members(kind, topic, subscription_arn, message_id, token, sent_ms, base_url)
    sns = _signed(members, topic, signer, base_url)
    for name in ("SigningCertURL", "SubscribeURL"):
        sns[name.replace("URL", "Url")] = sns.pop(name)
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": None, "Sns": sns}
    return orjson.dumps({"Records": [record]}).decode()


def _members(
    kind: str, topic: Topic, subscription_arn: str, message_id: str, token: str, sent_ms: int, base_url: str
) -> dict[str, str]:
    return {
        "Type": kind,
        "MessageId": message_id,
        "Token": token,
        "TopicArn": topic.arn,
        "Message": WORDS[kind].format(topic=topic.arn, subscription=subscription_arn),
        "SubscribeURL": subscribe_url(base_url, topic.arn, token),
        "Timestamp": timestamp(sent_ms),
    }


def _signed(members: dict[str, str], topic: Topic, signer: Signer, base_url: str) -> dict[str, str]:
    version = topic.signature_version
    return {
        **members,
        "SignatureVersion": version,
        "Signature": signer.sign(signed_text(members), version),
        "SigningCertURL": signer.certificate_url(base_url),
    }
