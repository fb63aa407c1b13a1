"""The queues of a shop that must not lose an order: one for orders, and one for those that nobody can handle."""

from __future__ import annotations

import json
from typing import Any

from cumulet.testing import Cumulet

VISIBILITY_SECONDS = 30
MOST_RECEIVES = 3
POISON = "an order that nobody can read"


def patient_client(cumulet: Cumulet, service: str) -> Any:
    """Return what any application has: an ordinary client that tries again when a connection breaks."""
    return cumulet.client(service, retries={"mode": "legacy", "max_attempts": 10}, max_pool_connections=20)


def create_queues(sqs: Any) -> tuple[str, str]:
    """Return the URLs of the queue for orders and of its dead-letter queue."""
    dead_letters = sqs.create_queue(QueueName="orders-dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": arn(sqs, dead_letters), "maxReceiveCount": MOST_RECEIVES}
    orders = sqs.create_queue(
        QueueName="orders",
        Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS), "RedrivePolicy": json.dumps(redrive)},
    )["QueueUrl"]
    return orders, dead_letters


def arn(sqs: Any, queue: str) -> str:
    """Return a queue's ARN."""
    found: str = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return found


def count(sqs: Any, queue: str) -> int:
    """Return how many messages a queue has: waiting, in flight and delayed."""
    names = ["", "NotVisible", "Delayed"]
    wanted = [f"ApproximateNumberOfMessages{name}" for name in names]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=wanted)["Attributes"].values()))


def dead(sqs: Any, dead_letters: str) -> list[str]:
    """Return the bodies of the first ten dead letters."""
    found = sqs.receive_message(QueueUrl=dead_letters, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in found]
