"""What a message looks like to its subscribers: the notification in JSON, and the event of a function."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from cumulet.services.sns.links import unsubscribe_url
from cumulet.services.sns.messages import Message
from cumulet.services.sns.subscriptions import Subscription

if TYPE_CHECKING:
    from cumulet.services.sns.signer import Signer

NOTIFICATION = "Notification"


class Envelope:
    """Wraps one message for all who get it; before that it is signed, once for each text that it has.

    SNS (recorded): messages of FIFO topics have a sequence number and no signature.
    """

    def __init__(self, message: Message, signer: Signer | None, version: str, base_url: str) -> None:
        """`version` is the topic's SignatureVersion; None for `signer` leaves signatures out."""
        self._message = message
        self._signer = signer
        self._version = version
        self._base_url = base_url
        self._signatures: dict[str, str] = {}
        self._frames: dict[str, tuple[str, str]] = {}
        """By text: what comes before and after the one member that all recipients have of their own."""

    def around(self, message: Message) -> Envelope:
        """Return an envelope of the same kind around another message."""
        return Envelope(message, self._signer, self._version, self._base_url)

    def sign(self, protocols: Iterable[str]) -> None:
        """Sign what endpoints of these protocols get, to be done before a transaction begins; for who signs."""
        if self._signer is not None:
            for text in {self._message.body_for(protocol) for protocol in protocols} - self._signatures.keys():
                self._signatures[text] = self._signer.sign(self._to_sign(text), self._version)

    def notification(self, subscription: Subscription) -> str:
        """Return the JSON document that queues and HTTP endpoints get, its members in SNS's order.

        SNS: a delivery stream gets it without a signature, on one line.
        """
        message, text = self._message, self._message.body_for(subscription.protocol)
        unsubscribe = unsubscribe_url(self._base_url, subscription.arn)
        if subscription.protocol == "firehose":
            members: dict[str, Any] = {**self._members(text), "UnsubscribeURL": unsubscribe}
            given = {"MessageAttributes": _attributes(message)} if message.attributes else {}
            return _json(members | given) + "\n"
        frame = self._frames.get(text)
        if frame is None:
            signed = self._members(text)
            if self._signer is not None:
                signed["SignatureVersion"] = self._version
                signed["Signature"] = self._signatures[text]
                signed["SigningCertURL"] = self._signer.certificate_url(self._base_url)
            frame = self._frames[text] = _lines(signed), _attribute_lines(message)
        return f'{{\n{frame[0]},\n  "UnsubscribeURL" : {_json(unsubscribe)}{frame[1]}\n}}'

    def _members(self, text: str) -> dict[str, Any]:
        message = self._message
        members = {"Type": NOTIFICATION, "MessageId": message.id}
        if message.sequence_number is not None:
            members["SequenceNumber"] = message.sequence_number
        if message.is_replayed:
            members["Replayed"] = "true"
        members["TopicArn"] = message.topic_arn
        if message.subject is not None:
            members["Subject"] = message.subject
        return {**members, "Message": text, "Timestamp": timestamp(message.published_ms)}

    def event(self, subscription: Subscription) -> str:
        """Return the event of a function, in JSON."""
        message = self._message
        text = message.body_for(subscription.protocol)
        sns: dict[str, Any] = {"Type": NOTIFICATION, "MessageId": message.id}
        sns |= {"TopicArn": message.topic_arn, "Subject": message.subject, "Message": text}
        sns["Timestamp"] = timestamp(message.published_ms)
        if self._signer is not None:
            sns["SignatureVersion"] = self._version
            sns["Signature"] = self._signatures[text]
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

    def _to_sign(self, text: str) -> str:
        members = {"Message": text, "MessageId": self._message.id}
        if self._message.subject is not None:
            members["Subject"] = self._message.subject
        members |= {"Timestamp": timestamp(self._message.published_ms), "TopicArn": self._message.topic_arn}
        return signed_text(members | {"Type": NOTIFICATION})


def signed_text(members: dict[str, str]) -> str:
    """Return what a signature is made of: names and values in the order of the names, a line each."""
    return "".join(f"{name}\n{members[name]}\n" for name in sorted(members))


def document(members: dict[str, str]) -> str:
    """Return members as the JSON that SNS writes, with their line breaks."""
    return f"{{\n{_lines(members)}\n}}"


@lru_cache(maxsize=1024)
def timestamp(moment_ms: int) -> str:
    """Return a moment as SNS writes it."""
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)
    return f"{moment.isoformat()[:19]}.{moment_ms % 1000:03}Z"


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


def _lines(members: dict[str, str]) -> str:
    return ",\n".join(f'  "{name}" : {_json(value)}' for name, value in members.items())


def _attribute_lines(message: Message) -> str:
    if not message.attributes:
        return ""
    inner = ",\n".join(f"    {_json(name)} : {_json(value)}" for name, value in _attributes(message).items())
    return f',\n  "MessageAttributes" : {{\n{inner}\n  }}'


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
