"""A topic as tests speak of it, and who listens to it."""

from __future__ import annotations

import itertools
import json
from typing import Any

from sqs_queues import Queue, Queues

from cumulet.testing import Cumulet

_names = itertools.count(1)


class Listener:
    """A queue that is subscribed to a topic."""

    def __init__(self, queue: Queue, arn: str) -> None:
        self.queue = queue
        self.arn = arn
        """The subscription's."""

    def receive(self) -> list[dict[str, Any]]:
        """Return the messages that came, with all that belongs to them."""
        return self.queue.receive(10, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"])

    def bodies(self) -> list[str]:
        return [message["Body"] for message in self.receive()]

    def envelopes(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies()]

    def texts(self) -> list[str]:
        """Return what was published, from the envelopes."""
        return [envelope["Message"] for envelope in self.envelopes()]


class Topic:
    """One topic and a boto3 client for it."""

    def __init__(self, cumulet: Cumulet, **attributes: str) -> None:
        self.cumulet = cumulet
        self.sns = cumulet.client("sns")
        self.queues = Queues(cumulet)
        self.is_fifo = attributes.get("FifoTopic") == "true"
        self.name = f"topic-{next(_names)}{'.fifo' if self.is_fifo else ''}"
        self.arn: str = self.sns.create_topic(Name=self.name, Attributes=attributes)["TopicArn"]

    def listener(self, queue: Queue | None = None, **attributes: str) -> Listener:
        """Subscribe a queue, a new one unless one is given."""
        queue = queue or (self.queues.fifo() if self.is_fifo else self.queues.standard())
        return Listener(queue, self.subscribe("sqs", queue.arn, **attributes))

    def raw_listener(self, **attributes: str) -> Listener:
        return self.listener(RawMessageDelivery="true", **attributes)

    def subscribe(self, protocol: str, endpoint: str, **attributes: str) -> str:
        answer = self.sns.subscribe(
            TopicArn=self.arn, Protocol=protocol, Endpoint=endpoint, Attributes=attributes, ReturnSubscriptionArn=True
        )
        arn: str = answer["SubscriptionArn"]
        return arn

    def publish(self, message: str = "text", **members: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.sns.publish(TopicArn=self.arn, Message=message, **members)
        return answer

    def publish_batch(self, *entries: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.sns.publish_batch(TopicArn=self.arn, PublishBatchRequestEntries=list(entries))
        return answer


def fifo_topic(cumulet: Cumulet, **attributes: str) -> Topic:
    return Topic(cumulet, FifoTopic="true", **attributes)
