"""What a message looks like to its subscribers: the notification in JSON, and the event of a function."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from cumulet.services.sns.links import unsubscribe_url
from cumulet.services.sns.messages import Message
from cumulet.services.sns.subscriptions import Subscription

if TYPE_CHECKING:
    from cumulet.services.sns.signer import Signer

NOTIFICATION = "Notification"


class Envelope:
    """Wraps one message for all who get it, and signs it once for each text that it has.

    SNS (recorded): messages of FIFO topics have a sequence number and no signature.
    """

    def __init__(self, message: Message, signer: Signer | None, version: str, base_url: str) -> None:
        """`version` is the topic's SignatureVersion; None for `signer` leaves signatures out."""
        self._message = message
        self._signer = signer
        self._version = version
        self._base_url = base_url
        self._signatures: dict[str, str] = {}

    def sign(self, protocols: Iterable[str]) -> None:
        """Sign what endpoints of these protocols get, ahead of time."""
        for protocol in protocols:
            self._signature(self._message.body_for(protocol))

    def notification(self, subscription: Subscription) -> str:
        """Return the JSON document that queues and HTTP endpoints get, its members in SNS's order."""
        message = self._message
        members: dict[str, Any] = {"Type": NOTIFICATION, "MessageId": message.id}
        if message.sequence_number is not None:
            members["SequenceNumber"] = message.sequence_number
        members["TopicArn"] = message.topic_arn
        if message.subject is not None:
            members["Subject"] = message.subject
        text = message.body_for(subscription.protocol)
        members["Message"] = text
        members["Timestamp"] = timestamp(message.published_ms)
        if self._signer is not None:
            members["SignatureVersion"] = self._version
            members["Signature"] = self._signature(text)
            members["SigningCertURL"] = self._signer.certificate_url(self._base_url)
        members["UnsubscribeURL"] = unsubscribe_url(self._base_url, subscription.arn)
        return document(members, _attributes(message))

    def event(self, subscription: Subscription) -> str:
        """Return the event of a function, in JSON."""
        message = self._message
        text = message.body_for(subscription.protocol)
        sns: dict[str, Any] = {"Type": NOTIFICATION, "MessageId": message.id}
        sns |= {"TopicArn": message.topic_arn, "Subject": message.subject, "Message": text}
        sns["Timestamp"] = timestamp(message.published_ms)
        if self._signer is not None:
            sns["SignatureVersion"] = self._version
            sns["Signature"] = self._signature(text)
            sns["SigningCertUrl"] = self._signer.certificate_url(self._base_url)
        sns["UnsubscribeUrl"] = unsubscribe_url(self._base_url, subscription.arn)
        sns["MessageAttributes"] = _attributes(message)
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription.arn,
            "Sns": sns,
        }
        return orjson.dumps({"Records": [record]}).decode()

    def _signature(self, text: str) -> str:
        signature = self._signatures.get(text)
        if signature is None:
            assert self._signer is not None
            signed = {"Message": text, "MessageId": self._message.id}
            if self._message.subject is not None:
                signed["Subject"] = self._message.subject
            signed |= {"Timestamp": timestamp(self._message.published_ms), "TopicArn": self._message.topic_arn}
            signature = self._signer.sign(signed_text(signed | {"Type": NOTIFICATION}), self._version)
            self._signatures[text] = signature
        return signature


def signed_text(members: dict[str, str]) -> str:
    """Return what a signature is made of: names and values in the order of the names, a line each."""
    return "".join(f"{name}\n{members[name]}\n" for name in sorted(members))


def document(members: dict[str, Any], attributes: dict[str, dict[str, str]] | None = None) -> str:
    """Return members as the JSON that SNS writes, with their line breaks."""
    lines = [f'  "{name}" : {_json(value)}' for name, value in members.items()]
    if attributes:
        inner = ",\n".join(f"    {_json(name)} : {_json(attribute)}" for name, attribute in attributes.items())
        lines.append(f'  "MessageAttributes" : {{\n{inner}\n  }}')
    return "{\n" + ",\n".join(lines) + "\n}"


def timestamp(moment_ms: int) -> str:
    """Return a moment as SNS writes it."""
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment_ms % 1000:03}Z"


def _attributes(message: Message) -> dict[str, dict[str, str]]:
    return {
        name: {
            "Type": attribute.type,
            "Value": base64.b64encode(attribute.value).decode()
            if isinstance(attribute.value, bytes)
            else attribute.value,
        }
        for name, attribute in message.attributes.items()
    }


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
