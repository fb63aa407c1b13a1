"""SNS: what becomes of deliveries is told in log groups of the topic."""

from __future__ import annotations

import configparser
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from http_endpoint import serving
from lambda_functions import create
from sns_administration import invalid, refusal
from sns_topics import Topic

from cumulet.testing import Cumulet

ROLE = "arn:aws:iam::111122223333:role/feedback"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SERVICES = ("iam", "sns", "sqs", "logs")
NAME = "SQSSuccessFeedbackRoleArn"
PREFIXES = ["HTTP", "Firehose", "Lambda", "Application", "SQS"]
SUFFIXES = ["SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn"]


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


def set_on(topic: Topic, **attributes: str) -> None:
    for name, value in attributes.items():
        topic.sns.set_topic_attributes(TopicArn=topic.arn, AttributeName=name, AttributeValue=value)


def lines(topic: Topic, group: str = "") -> list[dict[str, Any]]:
    """Return what is told of a topic's deliveries: the successes, or in `/Failure` the others."""
    topic.cumulet.advance(milliseconds=1)
    logs = topic.cumulet.client("logs")
    name = f"sns/us-east-1/{topic.cumulet.account}/{topic.name}{group}"
    if not any(found["logGroupName"] == name for found in logs.describe_log_groups()["logGroups"]):
        return []
    return [json.loads(event["message"]) for event in logs.filter_log_events(logGroupName=name)["events"]]


def test_a_delivery_to_a_queue_is_told(topic: Topic) -> None:
    set_on(topic, SQSSuccessFeedbackRoleArn=ROLE, SQSSuccessFeedbackSampleRate="100")
    listener = topic.listener()

    sent = topic.publish("hello")

    [line] = lines(topic)
    [message] = listener.receive()
    response = json.loads(line["delivery"].pop("providerResponse"))
    assert UUID.fullmatch(line["delivery"].pop("deliveryId"))
    assert UUID.fullmatch(response["sqsRequestId"])
    assert response["sqsMessageId"] == message["MessageId"]
    published = json.loads(message["Body"])["Timestamp"]
    assert line == {
        "notification": {
            "messageMD5Sum": hashlib.md5(b"hello").hexdigest(),
            "messageId": sent["MessageId"],
            "topicArn": topic.arn,
            "timestamp": published.replace("T", " ").rstrip("Z"),
        },
        "delivery": {"destination": listener.queue.arn, "dwellTimeMs": 0, "statusCode": 200},
        "status": "SUCCESS",
    }
    assert lines(topic, "/Failure") == []


def test_a_refusal_of_a_queue_is_told(topic: Topic) -> None:
    set_on(topic, SQSFailureFeedbackRoleArn=ROLE)
    queue = topic.listener().queue
    arn = queue.arn
    queue.sqs.delete_queue(QueueUrl=queue.url)
    topic.listener()

    topic.publish("hello")

    [line] = lines(topic, "/Failure")
    response = json.loads(line["delivery"]["providerResponse"])
    assert (line["status"], line["delivery"]["destination"], line["delivery"]["statusCode"]) == ("FAILURE", arn, 400)
    assert response["ErrorCode"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert (response["sqsRequestId"], "no queue" in response["ErrorMessage"]) == ("Unrecoverable", True)
    assert lines(topic) == []


def test_a_protocol_without_a_role_is_not_told(topic: Topic) -> None:
    set_on(topic, LambdaSuccessFeedbackRoleArn=ROLE, LambdaFailureFeedbackRoleArn=ROLE, HTTPSuccessFeedbackRoleArn=ROLE)
    queue = topic.listener().queue
    topic.publish("hello")
    queue.sqs.delete_queue(QueueUrl=queue.url)
    topic.publish("hello")

    assert lines(topic) == lines(topic, "/Failure") == []


@pytest.mark.parametrize(("rate", "least", "most"), [("0", 0, 0), ("50", 20, 80), ("100", 100, 100)])
def test_a_share_of_the_successes_is_told(topic: Topic, rate: str, least: int, most: int) -> None:
    set_on(topic, SQSSuccessFeedbackRoleArn=ROLE, SQSSuccessFeedbackSampleRate=rate)
    topic.listener()

    for _ in range(10):
        topic.publish_batch(*({"Id": str(number), "Message": "hello"} for number in range(10)))

    assert least <= len(lines(topic)) <= most


def test_an_event_of_a_function_that_is_not_there_is_told(topic: Topic) -> None:
    set_on(topic, LambdaFailureFeedbackRoleArn=ROLE)
    function = f"arn:aws:lambda:us-east-1:{topic.cumulet.account}:function:missing"
    topic.subscribe("lambda", function)

    topic.publish("hello")

    [line] = lines(topic, "/Failure")
    assert line["delivery"]["destination"] == function
    response = json.loads(line["delivery"]["providerResponse"])
    assert (response["ErrorCode"], response["lambdaRequestId"]) == ("AccessDeniedException", "Unrecoverable")
    assert line["delivery"]["statusCode"] == 403


def test_each_attempt_to_reach_an_endpoint_is_told(topic: Topic) -> None:
    set_on(topic, HTTPSuccessFeedbackRoleArn=ROLE, HTTPFailureFeedbackRoleArn=ROLE)
    with serving() as endpoint:
        topic.subscribe("http", endpoint.url)
        [asked] = endpoint.wait_for(1, "SubscriptionConfirmation")
        topic.sns.confirm_subscription(TopicArn=topic.arn, Token=asked.document["Token"])
        endpoint.answer(503, 200, 404, 429)
        for message in ("retried", "passed over", "refused"):
            topic.publish(message)
            topic.cumulet.advance(seconds=20)

        [delivered, passed_over, _], [failed, refused] = lines(topic), lines(topic, "/Failure")

    assert delivered["notification"]["messageMD5Sum"] == hashlib.md5(b"retried").hexdigest()
    assert delivered["delivery"] | {"deliveryId": ""} == {
        "deliveryId": "",
        "destination": endpoint.url,
        "providerResponse": "OK",
        "dwellTimeMs": 20_000,
        "attempts": 1,
        "statusCode": 200,
    }
    assert failed["notification"] == delivered["notification"]
    assert "attempts" not in failed["delivery"]
    assert (passed_over["status"], passed_over["delivery"]["providerResponse"]) == ("SUCCESS", "Not Found")
    assert [(told["status"], told["delivery"]["statusCode"]) for told in (failed, refused)] == [
        ("FAILURE", 503),
        ("FAILURE", 429),
    ]


def test_where_requests_are_checked_a_role_must_trust_sns(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", auth="enforce") as server:
        keys = configparser.ConfigParser()
        keys.read(server.folder / "root-credentials")
        names = ("aws_access_key_id", "aws_secret_access_key")
        given = {"endpoint_url": server.url, **{name: keys["default"][name] for name in names}}
        iam, sns, sqs, logs = (boto3.client(name, region_name="us-east-1", **given) for name in SERVICES)
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [policy]})})
        roles = {
            principal: iam.create_role(RoleName=principal, AssumeRolePolicyDocument=trusting(principal))["Role"]["Arn"]
            for principal in ("lambda", "sns")
        }
        refused = invalid(f"{NAME}: {roles['lambda']} is not a valid role to allow SNS to write to Cloudwatch Logs")

        assert refusal(sns.create_topic, Name="t", Attributes={NAME: roles["lambda"]}) == refused
        topic = sns.create_topic(Name="t", Attributes={NAME: roles["sns"]})["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        members = {"TopicArn": topic, "AttributeName": NAME, "AttributeValue": roles["lambda"]}
        assert refusal(sns.set_topic_attributes, **members) == refused
        sns.publish(TopicArn=topic, Message="hello")
        server.advance(milliseconds=1)
        iam.update_assume_role_policy(RoleName="sns", PolicyDocument=trusting("lambda"))
        sns.publish(TopicArn=topic, Message="hello")
        server.advance(milliseconds=1)

        [group] = logs.describe_log_groups()["logGroups"]
        assert len(logs.filter_log_events(logGroupName=group["logGroupName"])["events"]) == 1


def trusting(principal: str) -> str:
    """Return a role's trust policy."""
    principals = {"Service": f"{principal}.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principals, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_attributes_are_shown_and_roles_unset(topic: Topic) -> None:
    names = [f"{prefix}{suffix}" for prefix in PREFIXES for suffix in SUFFIXES]
    given = {name: "7" if name.endswith("Rate") else ROLE for name in names}
    set_on(topic, **given)

    shown = topic.sns.get_topic_attributes(TopicArn=topic.arn)["Attributes"]
    assert {name: shown[name] for name in names} == given

    set_on(topic, **{name: "" for name in names if not name.endswith("Rate")})
    shown = topic.sns.get_topic_attributes(TopicArn=topic.arn)["Attributes"]
    assert {name for name in shown if "Feedback" in name} == {name for name in names if name.endswith("Rate")}


@pytest.mark.parametrize("name", [f"{prefix}{suffix}" for prefix in PREFIXES for suffix in SUFFIXES])
def test_values_that_are_refused(topic: Topic, name: str) -> None:
    rates = {rate: f"{rate} value provided" for rate in ("101", "-1", "1.5", "many", "007")} | {"": "value provided"}
    refused = (
        {rate: f"{words} is not an integer between 0-100" for rate, words in rates.items()}
        if name.endswith("Rate")
        else {
            role: f"{role} is not a valid role to allow SNS to write to Cloudwatch Logs"
            for role in ("feedback", "arn:aws:iam::111122223333:user/ann", "arn:aws:sqs:us-east-1:111122223333:q")
        }
    )

    for value, words in refused.items():
        given = {"AttributeName": name, "AttributeValue": value}
        for _ in range(2):
            refused = refusal(topic.sns.set_topic_attributes, TopicArn=topic.arn, **given)
            assert refused == invalid(f"{name}: {words}")
        refused = refusal(topic.sns.create_topic, Name="other", Attributes={name: value})
        assert refused == invalid(f"Attributes Reason: {name}: {words}")
    assert name not in topic.sns.get_topic_attributes(TopicArn=topic.arn)["Attributes"]


def test_a_topic_is_made_with_feedback_and_found_again(cumulet: Cumulet) -> None:
    topic = Topic(cumulet, SQSFailureFeedbackRoleArn=ROLE)

    again = topic.sns.create_topic(Name=topic.name, Attributes={"SQSFailureFeedbackRoleArn": ROLE})
    other = refusal(topic.sns.create_topic, Name=topic.name, Attributes={"SQSSuccessFeedbackRoleArn": ROLE})

    assert again["TopicArn"] == topic.arn
    assert other == invalid("Attributes Reason: Topic already exists with different attributes")


def test_a_function_and_an_app_that_get_a_message_are_told(topic: Topic) -> None:
    set_on(topic, LambdaSuccessFeedbackRoleArn=ROLE, ApplicationSuccessFeedbackRoleArn=ROLE)
    function = create(topic.cumulet)["FunctionArn"]
    application = topic.sns.create_platform_application(
        Name="app", Platform="GCM", Attributes={"PlatformCredential": "key"}
    )["PlatformApplicationArn"]
    phone = topic.sns.create_platform_endpoint(PlatformApplicationArn=application, Token="t")["EndpointArn"]
    topic.subscribe("lambda", function)
    topic.subscribe("application", phone)

    topic.publish("hello")

    told = {line["delivery"]["destination"]: line["delivery"] for line in lines(topic)}
    logs = topic.cumulet.client("logs")
    [group] = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    printed = "".join(
        event["message"] for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
    )
    assert {name: found["statusCode"] for name, found in told.items()} == {function: 202, phone: 200}
    assert f"START RequestId: {json.loads(told[function]['providerResponse'])['lambdaRequestId']}" in printed
