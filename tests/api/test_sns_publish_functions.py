"""Functions as subscribers of topics, and topics as what functions' records and dead letters are sent to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lambda_functions import create
from sns_topics import Topic
from sqs_queues import Queue

from cumulet.testing import Cumulet

TELLING = """
import json, os
import boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["RESULTS"], MessageBody=json.dumps(event))
"""
FAILING = "def handler(event, context):\n    raise ValueError('intended')\n"


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


def telling_function(topic: Topic) -> tuple[Queue, str]:
    """Subscribe a function; return the queue that it tells its events, and the subscription's ARN."""
    results = topic.queues.standard()
    function = create(topic.cumulet, source=TELLING, Environment={"Variables": {"RESULTS": results.url}})
    return results, topic.subscribe("lambda", function["FunctionArn"])


def events(topic: Topic, results: Queue) -> list[dict[str, Any]]:
    topic.cumulet.advance(seconds=0)
    return [json.loads(body) for body in results.bodies()]


def test_a_function_is_invoked_with_a_record_of_the_message(topic: Topic) -> None:
    results, subscription = telling_function(topic)
    color = {"DataType": "String", "StringValue": "red"}

    message_id = topic.publish("hello", Subject="greeting", MessageAttributes={"color": color})["MessageId"]

    [event] = events(topic, results)
    [record] = event["Records"]
    sns = record.pop("Sns")
    assert record == {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription}
    assert list(sns) == [
        *("Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature"),
        *("SigningCertUrl", "UnsubscribeUrl", "MessageAttributes"),
    ]
    assert (sns["MessageId"], sns["TopicArn"]) == (message_id, topic.arn)
    assert (sns["Subject"], sns["Message"]) == ("greeting", "hello")
    assert sns["MessageAttributes"] == {"color": {"Type": "String", "Value": "red"}}


def test_a_record_without_subject_and_attributes_has_null_and_nothing(topic: Topic) -> None:
    results, _ = telling_function(topic)

    topic.publish("hello")

    [event] = events(topic, results)
    sns = event["Records"][0]["Sns"]
    assert (sns["Subject"], sns["MessageAttributes"]) == (None, {})


def test_a_function_has_its_own_text_of_a_structured_message(topic: Topic) -> None:
    results, _ = telling_function(topic)

    topic.publish('{"default": "all", "lambda": "functions"}', MessageStructure="json")

    [event] = events(topic, results)
    assert event["Records"][0]["Sns"]["Message"] == "functions"


def test_a_function_that_is_gone_leaves_a_dead_letter(topic: Topic) -> None:
    dead_letters = topic.queues.standard()
    function = create(topic.cumulet)
    topic.subscribe(
        "lambda", function["FunctionArn"], RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_letters.arn})
    )
    topic.cumulet.client("lambda").delete_function(FunctionName=function["FunctionName"])

    topic.publish("hello")

    [body] = dead_letters.bodies()
    assert json.loads(body)["Message"] == "hello"


def test_a_topic_gets_the_dead_letters_of_a_function(topic: Topic) -> None:
    listener = topic.listener()
    function = create(topic.cumulet, source=FAILING, DeadLetterConfig={"TargetArn": topic.arn})
    topic.cumulet.client("lambda").invoke(
        FunctionName=function["FunctionName"], InvocationType="Event", Payload=b'{"order": 1}'
    )

    topic.cumulet.advance(minutes=10)

    [envelope] = listener.envelopes()
    assert json.loads(envelope["Message"]) == {"order": 1}
    attributes = envelope["MessageAttributes"]
    assert {name: attribute["Type"] for name, attribute in attributes.items()} == {
        "RequestID": "String",
        "ErrorCode": "Number",
        "ErrorMessage": "String",
    }
    assert attributes["ErrorMessage"]["Value"] == "intended"


def test_a_topic_gets_the_records_of_a_function(topic: Topic) -> None:
    listener = topic.listener()
    name = create(topic.cumulet)["FunctionName"]
    client = topic.cumulet.client("lambda")
    client.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": topic.arn}}
    )

    client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"order": 1}')
    topic.cumulet.advance(seconds=0)

    [text] = listener.texts()
    assert json.loads(text)["responsePayload"] == {"order": 1}


def test_the_records_of_a_function_pass_the_filters_of_a_topic(topic: Topic) -> None:
    policy = json.dumps({"requestContext": {"condition": ["Success"]}})
    listener = topic.listener(FilterPolicy=policy, FilterPolicyScope="MessageBody")
    other = topic.listener(FilterPolicy=policy.replace("Success", "Failure"), FilterPolicyScope="MessageBody")
    name = create(topic.cumulet)["FunctionName"]
    client = topic.cumulet.client("lambda")
    client.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": topic.arn}}
    )

    client.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    topic.cumulet.advance(seconds=0)

    assert len(listener.texts()) == 1
    assert other.texts() == []
