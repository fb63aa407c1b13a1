"""A queue as tests speak of it: short words for what boto3 wants in full."""

from __future__ import annotations

import itertools
import json
from typing import Any

from cumulet.testing import Cumulet

_names = itertools.count(1)


class Queue:
    """One queue and a boto3 client for it."""

    def __init__(self, sqs: Any, url: str) -> None:
        self.sqs = sqs
        self.url = url

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def arn(self) -> str:
        return self.attribute("QueueArn")

    def send(self, body: str = "body", **members: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **members)
        return answer

    def send_to(self, group: str, *bodies: str) -> None:
        """Send to a group of a FIFO queue, each body being its own deduplication id."""
        for body in bodies:
            self.send(body, MessageGroupId=group, MessageDeduplicationId=f"{group}:{body}")

    def receive(self, most: int = 10, **members: Any) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=most, **members)
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def receive_one(self, **members: Any) -> dict[str, Any]:
        [message] = self.receive(1, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"], **members)
        return message

    def bodies(self, most: int = 10, **members: Any) -> list[str]:
        return [message["Body"] for message in self.receive(most, **members)]

    def delete(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def hide(self, message: dict[str, Any], seconds: int) -> None:
        """Change a message's visibility timeout."""
        self.sqs.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )

    def set(self, **attributes: str) -> None:
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes=attributes)

    def attributes(self, *names: str) -> dict[str, str]:
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names or ["All"])
        found: dict[str, str] = answer.get("Attributes", {})
        return found

    def attribute(self, name: str) -> str:
        return self.attributes(name)[name]

    def counts(self) -> tuple[int, int, int]:
        """Visible, in flight, delayed."""
        found = self.attributes()
        return (
            int(found["ApproximateNumberOfMessages"]),
            int(found["ApproximateNumberOfMessagesNotVisible"]),
            int(found["ApproximateNumberOfMessagesDelayed"]),
        )

    def bury_in(self, dead_letters: Queue, after: int) -> None:
        """Give this queue a dead-letter queue."""
        policy = {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": after}
        self.set(RedrivePolicy=json.dumps(policy))


class Queues:
    """Makes queues of one account."""

    def __init__(self, cumulet: Cumulet) -> None:
        self.sqs = cumulet.client("sqs", parameter_validation=False)

    def standard(self, name: str | None = None, **attributes: str) -> Queue:
        name = name or f"queue-{next(_names)}"
        return Queue(self.sqs, self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def fifo(self, name: str | None = None, **attributes: str) -> Queue:
        name = name or f"queue-{next(_names)}.fifo"
        given = {"FifoQueue": "true", **attributes}
        return Queue(self.sqs, self.sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"])
