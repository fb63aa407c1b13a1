"""The topics as targets: what other services publish to, within their own transactions."""

from __future__ import annotations

from cumulet import delivery
from cumulet.delivery import TooLarge, Undeliverable
from cumulet.kernel.arns import Arn
from cumulet.services.sns import access, large_messages, message_attributes, topics
from cumulet.services.sns.messages import Message, MessageAttribute
from cumulet.services.sns.sender import Sender
from cumulet.services.sns.topics import TopicKey
from cumulet.store import Tx


class Target:
    """The adapter that SNS offers to deliveries."""

    def __init__(self, sender: Sender, base_url: str, *, is_enforcing: bool) -> None:
        """`base_url` is under which subscribers on this machine reach the platform."""
        self._sender = sender
        self._base_url = base_url
        self._is_enforcing = is_enforcing

    def put(self, tx: Tx, arn: Arn, message: delivery.Message, now_ms: int) -> None:
        """Publish a message to a standard topic; raises Undeliverable for one that Publish would refuse."""
        topic = topics.find(tx, TopicKey(arn.account, arn.region, arn.resource))
        if topic is None:
            raise Undeliverable(f"there is no topic {arn}")
        if self._is_enforcing:
            access.check_sender(topic, message, now_ms)
        if topic.is_fifo:
            raise Undeliverable(f"{arn} is a FIFO topic, which takes no messages of other services")
        attributes = {name: MessageAttribute(*attribute) for name, attribute in message.attributes.items()}
        size_bytes = len(message.body.encode()) + message_attributes.size_bytes(attributes)
        if size_bytes > large_messages.most_bytes(topic):
            raise TooLarge(f"{size_bytes} bytes are too many for the topic {arn}")
        published = Message(
            id=message.id,
            topic_arn=str(arn),
            body=message.body,
            attributes=attributes,
            published_ms=now_ms,
            sender_id=message.sender_id,
            trace_header=message.trace_header,
        )
        self._sender.accept(tx, topic, published, self._base_url, message.role_arn)
