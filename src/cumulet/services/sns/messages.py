"""A message that was published to a topic."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec


class MessageAttribute(NamedTuple):
    """One message attribute."""

    type: str
    """`String`, `String.Array`, `Number`, `Binary`, and such with a suffix of the user's."""
    value: str | bytes


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message, on its way to all subscriptions of its topic."""

    id: str
    """A UUID."""
    topic_arn: str
    subject: str | None = None
    body: str
    """What was published; with MessageStructure=json the text of `default`."""
    structure: dict[str, str] = {}
    """With MessageStructure=json: the text of each protocol that has one."""
    attributes: dict[str, MessageAttribute] = {}
    published_ms: int
    sender_id: str = ""
    """The user id of who published it."""
    trace_header: str | None = None
    group_id: str | None = None
    dedup_id: str | None = None
    """On a FIFO topic: as given, or the SHA-256 of the body."""
    sequence_number: str | None = None
    """On a FIFO topic."""
    is_replayed: bool = False
    """Is it delivered again, from an archive?"""

    def body_for(self, protocol: str) -> str:
        """Return the text that an endpoint of this protocol gets."""
        return self.structure.get(protocol, self.body)


def encoded(message: Message) -> bytes:
    """Return a message as the store keeps it: MessagePack."""
    return msgspec.msgpack.encode(message)


def decoded(data: bytes) -> Message:
    """Return the message that `encoded` made into bytes."""
    members: dict[str, Any] = msgspec.msgpack.decode(data)
    attributes = {name: MessageAttribute(*attribute) for name, attribute in members.pop("attributes").items()}
    return Message(attributes=attributes, **members)
