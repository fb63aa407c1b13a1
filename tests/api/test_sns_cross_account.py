"""SNS: queues of other accounts and regions are subscribed; who doesn't own a queue waits for a confirmation in it."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import urlopen

import pytest
from sns_topics import Topic
from sqs_queues import Queue, Queues

from cumulet.testing import Cumulet

OTHER = "444455556666"


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


@pytest.fixture
def theirs(cumulet: Cumulet) -> Queue:
    """Return a queue of another account."""
    return Queues(cumulet.as_account(OTHER)).standard()


def subscribe(topic: Topic, queue: Queue, account: str | None = None, **members: Any) -> str:
    sns = topic.cumulet.client("sns", account=account)
    answer = sns.subscribe(TopicArn=topic.arn, Protocol="sqs", Endpoint=queue.arn, **members)
    return str(answer["SubscriptionArn"])


def asked(queue: Queue) -> dict[str, Any]:
    """Return the one message in a queue."""
    [body] = queue.bodies()
    document: dict[str, Any] = json.loads(body)
    return document


def state_of(topic: Topic, arn: str) -> dict[str, str]:
    attributes: dict[str, str] = topic.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return attributes


def test_the_owner_of_a_queue_subscribes_it_at_once(topic: Topic, theirs: Queue) -> None:
    arn = subscribe(topic, theirs, OTHER)
    topic.publish("hello")

    assert (state_of(topic, arn)["Owner"], state_of(topic, arn)["PendingConfirmation"]) == (OTHER, "false")
    assert asked(theirs)["Message"] == "hello"


def test_the_owner_of_a_topic_waits_for_a_confirmation_in_the_queue(topic: Topic, theirs: Queue) -> None:
    answer = subscribe(topic, theirs)
    topic.publish("too early")

    document = asked(theirs)
    assert answer == "pending confirmation"
    assert (document["Type"], document["TopicArn"]) == ("SubscriptionConfirmation", topic.arn)
    assert document["Signature"]
    [listed] = topic.sns.list_subscriptions_by_topic(TopicArn=topic.arn)["Subscriptions"]
    assert (listed["SubscriptionArn"], listed["Owner"]) == ("PendingConfirmation", topic.cumulet.account)

    arn = topic.sns.confirm_subscription(TopicArn=topic.arn, Token=document["Token"])["SubscriptionArn"]
    topic.publish("hello")

    assert state_of(topic, arn)["PendingConfirmation"] == "false"
    assert [json.loads(body)["Message"] for body in theirs.bodies()] == ["hello"]


def test_the_address_in_the_queue_confirms_too(topic: Topic, theirs: Queue) -> None:
    subscribe(topic, theirs)

    with urlopen(asked(theirs)["SubscribeURL"]) as answer:
        assert topic.arn in answer.read().decode()

    topic.publish("hello")
    assert asked(theirs)["Message"] == "hello"


def test_the_owner_of_the_queue_need_not_confirm_what_waits(topic: Topic, theirs: Queue) -> None:
    arn = subscribe(topic, theirs, ReturnSubscriptionArn=True)

    again = subscribe(topic, theirs, OTHER)

    assert again == arn
    assert state_of(topic, arn)["PendingConfirmation"] == "false"


def test_asked_again_a_queue_gets_a_new_token(topic: Topic, theirs: Queue) -> None:
    for _ in range(2):
        subscribe(topic, theirs)

    first, second = (json.loads(body)["Token"] for body in theirs.bodies())
    with pytest.raises(topic.sns.exceptions.InvalidParameterException):
        topic.sns.confirm_subscription(TopicArn=topic.arn, Token=first)
    topic.sns.confirm_subscription(TopicArn=topic.arn, Token=second)


def test_a_queue_is_told_when_the_owner_of_the_topic_ends_its_subscription(topic: Topic, theirs: Queue) -> None:
    arn = subscribe(topic, theirs, OTHER)

    topic.sns.unsubscribe(SubscriptionArn=arn)
    topic.publish("too late")

    document = asked(theirs)
    assert document["Type"] == "UnsubscribeConfirmation"
    assert arn in document["Message"]
    assert document["Signature"]
    with urlopen(document["SubscribeURL"]) as answer:
        assert arn in answer.read().decode()
    topic.publish("hello")
    assert asked(theirs)["Message"] == "hello"


def test_a_queue_is_not_told_when_its_own_account_ends_its_subscription(topic: Topic, theirs: Queue) -> None:
    arn = subscribe(topic, theirs, OTHER)

    topic.cumulet.client("sns", account=OTHER).unsubscribe(SubscriptionArn=arn)

    assert theirs.bodies() == []


def test_a_queue_that_is_not_there_leaves_the_subscription_pending(topic: Topic) -> None:
    queue = f"arn:aws:sqs:us-east-1:{OTHER}:missing"

    answer = topic.sns.subscribe(TopicArn=topic.arn, Protocol="sqs", Endpoint=queue)

    assert answer["SubscriptionArn"] == "pending confirmation"
    topic.cumulet.advance(days=2, seconds=1)
    assert topic.sns.list_subscriptions_by_topic(TopicArn=topic.arn)["Subscriptions"] == []


def test_a_fifo_queue_of_another_account_is_asked(cumulet: Cumulet) -> None:
    topic = Topic(cumulet, FifoTopic="true")
    queue = Queues(cumulet.as_account(OTHER)).fifo()

    subscribe(topic, queue)

    [message] = queue.receive(MessageSystemAttributeNames=["MessageGroupId"])
    token = json.loads(message["Body"])["Token"]
    assert message["Attributes"]["MessageGroupId"] == "Subscription"
    topic.sns.confirm_subscription(TopicArn=topic.arn, Token=token)
    topic.publish("hello", MessageGroupId="g", MessageDeduplicationId="d")
    assert asked(queue)["Message"] == "hello"


def test_a_queue_of_another_region_gets_messages(topic: Topic) -> None:
    sqs = topic.cumulet.client("sqs", region="eu-west-1")
    queue = Queue(sqs, sqs.create_queue(QueueName="far")["QueueUrl"])

    subscribe(topic, queue)
    topic.publish("hello")

    assert asked(queue)["Message"] == "hello"


def test_a_function_of_another_account_waits_for_its_owner(topic: Topic) -> None:
    function = f"arn:aws:lambda:us-east-1:{OTHER}:function:missing"

    answer = topic.sns.subscribe(TopicArn=topic.arn, Protocol="lambda", Endpoint=function)

    theirs = topic.cumulet.client("sns", account=OTHER)
    confirmed = theirs.subscribe(TopicArn=topic.arn, Protocol="lambda", Endpoint=function)
    assert answer["SubscriptionArn"] == "pending confirmation"
    assert confirmed["SubscriptionArn"].startswith(f"{topic.arn}:")
