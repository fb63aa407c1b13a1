"""What endpoints get when they are subscribed, and when that has ended: JSON with an address to open."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    version = topic.signature_version
    members = {
        "Type": kind,
        "MessageId": message_id,
        "Token": token,
        "TopicArn": topic.arn,
        "Message": WORDS[kind].format(topic=topic.arn, subscription=subscription_arn),
        "SubscribeURL": subscribe_url(base_url, topic.arn, token),
        "Timestamp": timestamp(sent_ms),
    }
    signature = signer.sign(signed_text(members), version)
    certificate = signer.certificate_url(base_url)
    signed = {"SignatureVersion": version, "Signature": signature, "SigningCertURL": certificate}
    return document({**members, **signed})
