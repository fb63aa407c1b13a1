"""What an insurance company has: a topic of claims with an archive, one of payments that masks cards, and queues."""

from __future__ import annotations

import json
from typing import Any

from examples.shop import VISIBILITY_SECONDS, arn

ARCHIVE_DAYS = 30
REPORTING = "222222222222"
"""The account of the reporting team."""


def create_claims_topic(sns: Any) -> str:
    """Create the FIFO topic that keeps what is published, and return its ARN."""
    archive = json.dumps({"MessageRetentionPeriod": str(ARCHIVE_DAYS)})
    created = sns.create_topic(Name="claims.fifo", Attributes={"FifoTopic": "true", "ArchivePolicy": archive})
    topic: str = created["TopicArn"]
    return topic


def create_payments_topic(sns: Any) -> str:
    """Create the topic whose messages the reporting team gets without the numbers of cards, and return its ARN."""
    mask = {
        "DataDirection": "Outbound",
        "Principal": [f"arn:aws:iam::{REPORTING}:root"],
        "DataIdentifier": ["arn:aws:dataprotection::aws:data-identifier/CreditCardNumber"],
        "Operation": {"Deidentify": {"MaskConfig": {"MaskWithCharacter": "#"}}},
    }
    policy = json.dumps({"Name": "cards", "Version": "2021-06-01", "Statement": [mask]})
    topic: str = sns.create_topic(Name="payments", DataProtectionPolicy=policy)["TopicArn"]
    return topic


def subscribe_queue(sns: Any, sqs: Any, topic: str, name: str, **attributes: str) -> tuple[str, str]:
    """Create a queue that gets a topic's messages as they are; return its URL and the subscription's ARN."""
    kind = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    queue: str = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS), **kind})[
        "QueueUrl"
    ]
    subscription: str = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn(sqs, queue),
        Attributes={"RawMessageDelivery": "true", **attributes},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return queue, subscription


def from_the_beginning(sns: Any, topic: str) -> str:
    """Return the policy that replays all that a topic's archive has."""
    beginning = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["BeginningArchiveTime"]
    return json.dumps({"PointType": "Timestamp", "StartingPoint": beginning})


def replay_status(sns: Any, subscription: str) -> str:
    """Return how far a subscription's replay is."""
    status: str = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]["ReplayStatus"]
    return status
