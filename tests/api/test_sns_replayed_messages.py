"""What replays deliver and to whom: envelopes and raw messages, filters, other regions and accounts, refusals."""

from __future__ import annotations

import json

import pytest
from sns_archives import ArchivedTopic, emptied, moment, replay_policy
from sns_topics import Listener
from sqs_queues import Queues
from test_sns_publish_metrics import measured

from cumulet.testing import Cumulet

RED = {"color": {"DataType": "String", "StringValue": "red"}}


@pytest.fixture
def archived(cumulet: Cumulet) -> ArchivedTopic:
    return ArchivedTopic(cumulet)


def test_large_messages_are_replayed_in_order(archived: ArchivedTopic) -> None:
    texts = [f"{number}{'x' * 250_000}" for number in range(20)]
    for number, text in enumerate(texts):
        archived.topic.publish(text, MessageGroupId="g", MessageDeduplicationId=f"{number}")

    assert emptied(archived.late()) == texts


def test_a_filter_lets_through_what_it_asks_for(archived: ArchivedTopic) -> None:
    for number in range(4):
        archived.topic.publish(
            f'{{"number": {number}}}',
            MessageGroupId="g",
            MessageDeduplicationId=f"{number}",
            MessageAttributes=RED if number % 2 else {},
        )
    by_attribute = archived.late(FilterPolicy='{"color": ["red"]}')
    by_body = archived.late(FilterPolicy='{"number": [{"numeric": ["<", 2]}]}', FilterPolicyScope="MessageBody")

    assert [json.loads(text)["number"] for text in emptied(by_attribute)] == [1, 3]
    assert [json.loads(text)["number"] for text in emptied(by_body)] == [0, 1]


def test_a_replayed_envelope_is_the_first_one_with_a_mark(archived: ArchivedTopic) -> None:
    first = archived.topic.listener()
    answer = archived.topic.publish(
        '{"default": "for all", "sqs": "for queues"}',
        Subject="subject",
        MessageStructure="json",
        MessageGroupId="g",
        MessageDeduplicationId="d",
        MessageAttributes=RED,
    )
    archived.cumulet.advance(minutes=1)

    second = archived.topic.listener(ReplayPolicy=replay_policy(archived.began_ms))

    [[live], [replayed]] = first.envelopes(), second.envelopes()
    for envelope in (live, replayed):
        envelope.pop("UnsubscribeURL")
    assert list(replayed)[:4] == ["Type", "MessageId", "SequenceNumber", "Replayed"]
    assert replayed == live | {"Replayed": "true"}
    assert (replayed["MessageId"], replayed["SequenceNumber"]) == (answer["MessageId"], answer["SequenceNumber"])
    assert (replayed["Message"], replayed["Timestamp"]) == ("for queues", moment(archived.began_ms))


def test_a_raw_replayed_message_is_as_it_was_published(archived: ArchivedTopic) -> None:
    archived.topic.publish("text", MessageGroupId="g", MessageDeduplicationId="d", MessageAttributes=RED)

    [message] = archived.late().receive()

    assert (message["Body"], message["MessageAttributes"]) == ("text", RED)
    assert message["Attributes"]["MessageGroupId"] == "g"


def test_live_messages_have_no_mark(archived: ArchivedTopic) -> None:
    new = archived.topic.listener(ReplayPolicy=replay_policy(archived.began_ms))
    archived.come_to_rest()

    archived.publish("live")

    assert "Replayed" not in new.envelopes()[0]


def test_attributes_sort_as_scripts_expect_them(archived: ArchivedTopic) -> None:
    policy = replay_policy(archived.began_ms)
    new = archived.topic.listener(ReplayPolicy=policy)

    attributes = archived.attributes(new)

    assert sorted(attributes)[7] == "ReplayStatus"
    assert attributes["ReplayPolicy"] == policy


def test_a_replay_crosses_regions(cumulet: Cumulet) -> None:
    archived = ArchivedTopic(cumulet)
    archived.publish("first")
    sqs = cumulet.client("sqs", region="eu-west-1")
    url = sqs.create_queue(QueueName="standby.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    archived.topic.subscribe("sqs", arn, RawMessageDelivery="true", ReplayPolicy=replay_policy(archived.began_ms))
    archived.publish("second")

    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in found] == ["first", "second"]


def test_a_queue_of_another_account_gets_the_replay_once_it_has_confirmed(archived: ArchivedTopic) -> None:
    archived.publish("first")
    other = str(int(archived.cumulet.account) + 500_000_000_000)
    queue = Queues(archived.cumulet.as_account(other)).fifo()
    arn = archived.topic.subscribe(
        "sqs", queue.arn, RawMessageDelivery="true", ReplayPolicy=replay_policy(archived.began_ms)
    )
    theirs = Listener(queue, arn)
    pending = archived.status(theirs)
    archived.publish("second")
    [asked] = theirs.receive()
    queue.delete(asked)

    archived.topic.sns.confirm_subscription(TopicArn=archived.topic.arn, Token=json.loads(asked["Body"])["Token"])

    assert (pending, archived.status(theirs)) == ("Pending", "Completed")
    assert emptied(theirs) == ["first", "second"]


def test_a_replay_that_waits_for_a_confirmation_does_not_outlive_the_archive(archived: ArchivedTopic) -> None:
    other = str(int(archived.cumulet.account) + 500_000_000_000)
    queue = Queues(archived.cumulet.as_account(other)).fifo()
    arn = archived.topic.subscribe("sqs", queue.arn, ReplayPolicy=replay_policy(archived.began_ms))

    archived.set_archive("{}")
    archived.set_archive('{"MessageRetentionPeriod":"30"}')
    archived.publish("text")

    assert archived.status(Listener(queue, arn)) == "Completed"


def test_replayed_messages_are_in_the_delivery_status_log(archived: ArchivedTopic) -> None:
    archived.publish("text", "x" * 2000)
    role = f"arn:aws:iam::{archived.cumulet.account}:role/feedback"
    for name in ("SQSSuccessFeedbackRoleArn", "SQSFailureFeedbackRoleArn"):
        archived.topic.sns.set_topic_attributes(TopicArn=archived.topic.arn, AttributeName=name, AttributeValue=role)

    queue = archived.topic.queues.fifo(MaximumMessageSize="1024")
    archived.topic.listener(queue, RawMessageDelivery="true", ReplayPolicy=replay_policy(archived.began_ms))
    archived.cumulet.advance(seconds=10)

    logs, group = archived.cumulet.client("logs"), f"sns/us-east-1/{archived.cumulet.account}/{archived.topic.name}"
    lines = [logs.filter_log_events(logGroupName=group + folder)["events"] for folder in ("", "/Failure")]
    statuses = [json.loads(line["message"])["status"] for [line] in lines]
    assert statuses == ["SUCCESS", "FAILURE"]


def test_what_the_queue_refuses_goes_to_the_dead_letter_queue(archived: ArchivedTopic) -> None:
    archived.publish("short", "x" * 2000, "last")
    dead_letters = archived.topic.queues.fifo()
    queue = archived.topic.queues.fifo(MaximumMessageSize="1024")
    listener = archived.topic.listener(
        queue,
        RawMessageDelivery="true",
        RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_letters.arn}),
        ReplayPolicy=replay_policy(archived.began_ms),
    )

    assert archived.status(listener) == "Completed"
    assert emptied(listener) == ["short", "last"]
    assert dead_letters.bodies() == ["x" * 2000]
    assert measured(archived.topic, "NumberOfReplayedNotificationsDelivered") == 2
    assert measured(archived.topic, "NumberOfReplayedNotificationsFailed") == 1


def test_a_replay_to_a_queue_that_is_gone_is_completed(archived: ArchivedTopic) -> None:
    listener = archived.topic.raw_listener()
    archived.publish("text")
    listener.queue.sqs.delete_queue(QueueUrl=listener.queue.url)

    archived.replay(listener)

    assert archived.status(listener) == "Completed"
