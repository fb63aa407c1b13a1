"""A standby region copies the state of the first by a replay, follows it live, and heals it in turn.

Each region's consumer is a function behind a queue; what it has stored is in its log.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime

import pytest
from deployed import Deployed, zip_of

from cumulet.testing import Cumulet

GROUPS = "abcde"
CONSUMER = """
def handler(event, context):
    for record in event["Records"]:
        claim = int(record["body"])
        try:
            if BROKEN[0] <= claim <= BROKEN[1]:
                raise ValueError(claim)
            print("stored", record["attributes"]["MessageGroupId"], claim)
        except ValueError:
            pass

BROKEN = (%d, %d)
"""
BROKEN, SOUND = CONSUMER % (40, 70), CONSUMER % (0, 0)


class Region:
    """A queue of claims and the function that stores them."""

    def __init__(self, cumulet: Cumulet, name: str, source: str) -> None:
        self.cumulet = cumulet.as_account(cumulet.account)
        self.cumulet.region = name
        sqs = self.cumulet.client("sqs")
        self.consumer = Deployed(self.cumulet, "consumer", source)
        self.url: str = sqs.create_queue(
            QueueName="claims.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "30"}
        )["QueueUrl"]
        self.queue_arn: str = sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        self.consumer.client.create_event_source_mapping(EventSourceArn=self.queue_arn, FunctionName="consumer")

    def stored(self) -> dict[str, list[int]]:
        """Return the claims of each group in the order in which they were stored."""
        self.cumulet.advance(seconds=1)
        found: dict[str, list[int]] = defaultdict(list)
        for line in self.consumer.log():
            if line.startswith("stored"):
                _, group, claim = line.split()
                found[group].append(int(claim))
        return found


@pytest.fixture
def topic_arn(cumulet: Cumulet) -> str:
    arn: str = cumulet.client("sns").create_topic(
        Name="claims.fifo", Attributes={"FifoTopic": "true", "ArchivePolicy": '{"MessageRetentionPeriod": "7"}'}
    )["TopicArn"]
    return arn


def publish(cumulet: Cumulet, topic_arn: str, claims: range) -> str:
    """Publish claims, to the groups in turn, and return when; a second later than those before."""
    cumulet.advance(seconds=1)
    sns = cumulet.client("sns")
    for claim in claims:
        sns.publish(
            TopicArn=topic_arn,
            Message=str(claim),
            MessageGroupId=GROUPS[claim % len(GROUPS)],
            MessageDeduplicationId=str(claim),
        )
    return datetime.fromtimestamp(cumulet.now_ms() / 1000, UTC).isoformat(timespec="milliseconds")


def in_groups(claims: range) -> dict[str, list[int]]:
    return {group: [claim for claim in claims if GROUPS[claim % len(GROUPS)] == group] for group in GROUPS}


def test_a_standby_region_gets_everything_and_gives_back_what_was_lost(cumulet: Cumulet, topic_arn: str) -> None:
    first = Region(cumulet, "us-east-1", BROKEN)
    standby = Region(cumulet, "eu-west-1", SOUND)
    sns = cumulet.client("sns")
    raw = {"RawMessageDelivery": "true"}
    primary = sns.subscribe(
        TopicArn=topic_arn, Protocol="sqs", Endpoint=first.queue_arn, Attributes=raw, ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    began = publish(cumulet, topic_arn, range(1, 40))
    lost_from = publish(cumulet, topic_arn, range(40, 71))
    lost_until = publish(cumulet, topic_arn, range(71, 101))

    # The standby region gets all that was published, and goes on with what comes.
    policy = {"PointType": "Timestamp", "StartingPoint": began}
    sns.subscribe(
        TopicArn=topic_arn,
        Protocol="sqs",
        Endpoint=standby.queue_arn,
        Attributes=raw | {"ReplayPolicy": json.dumps(policy)},
    )
    publish(cumulet, topic_arn, range(101, 111))
    copied, damaged = standby.stored(), first.stored()

    # The first region's consumer is repaired and gets what it had dropped.
    first.consumer.client.update_function_code(FunctionName="consumer", ZipFile=zip_of({"app.py": SOUND}))
    window = {"PointType": "Timestamp", "StartingPoint": lost_from, "EndingPoint": lost_until}
    sns.set_subscription_attributes(
        SubscriptionArn=primary, AttributeName="ReplayPolicy", AttributeValue=json.dumps(window)
    )
    healed = first.stored()

    assert copied == in_groups(range(1, 111))
    assert {claim for claims in damaged.values() for claim in claims} == {*range(1, 40), *range(71, 111)}
    assert {group: sorted(claims) for group, claims in healed.items()} == in_groups(range(1, 111))
    assert {
        group: claims[-len(window_claims) :]
        for (group, claims), window_claims in zip(
            sorted(healed.items()), in_groups(range(40, 71)).values(), strict=True
        )
    } == in_groups(range(40, 71))
