"""What CloudWatch knows of topics."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sns_topics import Topic

from cumulet.testing import Cumulet

COLOR = {"color": {"DataType": "String", "StringValue": "red"}}


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


def measured(topic: Topic, name: str, statistic: str = "Sum") -> float | None:
    now = datetime.fromtimestamp(topic.cumulet.now_ms() / 1000, UTC)
    points: list[dict[str, Any]] = topic.cumulet.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SNS",
        MetricName=name,
        Dimensions=[{"Name": "TopicName", "Value": topic.name}],
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(minutes=1),
        Period=86_400,
        Statistics=["Sum", "Maximum", "SampleCount"],
    )["Datapoints"]
    return points[0][statistic] if points else None


def test_messages_and_their_sizes_are_counted(topic: Topic) -> None:
    topic.publish("x" * 100)
    topic.publish_batch({"Id": "1", "Message": "x" * 50, "MessageAttributes": COLOR})

    assert measured(topic, "NumberOfMessagesPublished") == 2
    assert measured(topic, "PublishSize", "SampleCount") == 2
    assert measured(topic, "PublishSize") == 150 + len("colorStringred")


def test_a_message_that_is_refused_is_not_counted(topic: Topic) -> None:
    with pytest.raises(topic.sns.exceptions.InvalidParameterException):
        topic.publish("text", Subject="")

    assert measured(topic, "NumberOfMessagesPublished") is None


def test_notifications_are_counted_by_what_becomes_of_them(topic: Topic) -> None:
    dead_letters, gone_letters = topic.queues.standard(), topic.queues.standard()
    sqs = topic.cumulet.client("sqs")
    topic.listener()
    topic.raw_listener()
    for target in (dead_letters, gone_letters):
        policy = json.dumps({"deadLetterTargetArn": target.arn})
        sqs.delete_queue(QueueUrl=topic.listener(RedrivePolicy=policy).queue.url)
    sqs.delete_queue(QueueUrl=topic.listener().queue.url)
    sqs.delete_queue(QueueUrl=gone_letters.url)

    topic.publish()

    assert measured(topic, "NumberOfNotificationsDelivered") == 2
    assert measured(topic, "NumberOfNotificationsFailed") == 3
    assert measured(topic, "NumberOfNotificationsRedrivenToDlq") == 1
    assert measured(topic, "NumberOfNotificationsFailedToRedriveToDlq") == 1


FILTERED_OUT = "NumberOfNotificationsFilteredOut"
MALFORMED = {"other": {"DataType": "String.Array", "StringValue": "blue, green"}}


@pytest.mark.parametrize(
    ("scope", "members", "reason"),
    [
        ("MessageAttributes", {"MessageAttributes": COLOR}, "MessageAttributes"),
        ("MessageAttributes", {}, "NoMessageAttributes"),
        ("MessageAttributes", {"MessageAttributes": MALFORMED}, "InvalidAttributes"),
        ("MessageBody", {"Message": '{"color": "red"}'}, "MessageBody"),
        ("MessageBody", {"Message": "red"}, "InvalidMessageBody"),
    ],
)
def test_what_filters_keep_away_is_counted_by_the_reason(
    topic: Topic, scope: str, members: dict[str, Any], reason: str
) -> None:
    for color in ("blue", "green"):
        topic.listener(FilterPolicy=json.dumps({"color": [color]}), FilterPolicyScope=scope)
    topic.listener()

    topic.sns.publish(**{"TopicArn": topic.arn, "Message": "text", **members})

    assert measured(topic, FILTERED_OUT) == (2 if reason in ("MessageAttributes", "MessageBody") else None)
    assert measured(topic, f"{FILTERED_OUT}-{reason}") == 2
    assert measured(topic, "NumberOfNotificationsDelivered") == 1
