"""One message for many: more endpoints than one transaction reaches."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from lambda_functions import create
from sns_topics import Topic

from cumulet.testing import Cumulet

MANY = 250
"""More than a publish reaches itself."""


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


def test_all_of_many_queues_get_all_messages_once(topic: Topic) -> None:
    listeners = [topic.raw_listener() for _ in range(MANY)]

    topic.publish("one")
    topic.publish_batch({"Id": "2", "Message": "two"}, {"Id": "3", "Message": "three"})
    topic.cumulet.advance(seconds=0)

    found = Counter(tuple(sorted(listener.bodies())) for listener in listeners)
    assert found == {("one", "three", "two"): MANY}


def test_many_get_the_same_envelope(topic: Topic) -> None:
    listeners = [topic.listener() for _ in range(MANY)]

    message_id = topic.publish("text")["MessageId"]
    topic.cumulet.advance(seconds=0)

    envelopes = [envelope for listener in listeners for envelope in listener.envelopes()]
    assert len(envelopes) == MANY
    assert {(envelope["MessageId"], envelope["Message"]) for envelope in envelopes} == {(message_id, "text")}
    assert len({envelope["Signature"] for envelope in envelopes}) == 1
    assert len({envelope["UnsubscribeURL"] for envelope in envelopes}) == MANY


def test_many_get_what_a_function_publishes(topic: Topic) -> None:
    listeners = [topic.raw_listener() for _ in range(MANY)]
    name = create(topic.cumulet)["FunctionName"]
    client = topic.cumulet.client("lambda")
    client.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": topic.arn}}
    )

    client.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    topic.cumulet.advance(seconds=0)

    assert Counter(len(listener.bodies()) for listener in listeners) == {1: MANY}


def test_many_who_are_filtered_out_do_not_hide_those_who_are_not(topic: Topic) -> None:
    chosen = []
    for number in range(MANY):
        # A topic has 200 filter policies at most: every fourth listener has none.
        filtered = {} if number % 4 == 1 else {"FilterPolicy": json.dumps({"number": [str(number % 2)]})}
        listener = topic.raw_listener(**filtered)
        if number % 2:
            chosen.append(listener)
        else:
            other = listener

    topic.publish("odd", MessageAttributes={"number": {"DataType": "String", "StringValue": "1"}})
    topic.cumulet.advance(seconds=0)

    assert Counter(len(listener.bodies()) for listener in chosen) == {1: MANY // 2}
    assert other.bodies() == []


def test_a_message_for_many_arrives_over_a_restart(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", durability="full") as cumulet:
        topic = Topic(cumulet)
        listeners = [topic.raw_listener() for _ in range(MANY)]
        for number in range(5):
            topic.publish(f"{number}")
        assert cumulet.process is not None
        cumulet.process.kill()
        cumulet.process.wait()
        cumulet.start()
        cumulet.advance(seconds=0)
        sqs = cumulet.client("sqs")

        found = Counter[str]()
        for listener in listeners:
            answer = sqs.receive_message(QueueUrl=listener.queue.name, MaxNumberOfMessages=10)
            found.update(message["Body"] for message in answer["Messages"])

        assert found == {f"{number}": MANY for number in range(5)}
