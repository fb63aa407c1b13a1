"""SNS: what can be set on a topic, and what is shown of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sns_administration import NO_TOPIC, Topic, fifo, invalid, refusal

from cumulet.testing import Cumulet

RETRY = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
REQUEST = {"headerContentType": "text/plain; charset=UTF-8"}
SHORTEST = {"minDelayTarget": 1, "maxDelayTarget": 2, "numRetries": 1}


def retry_policy(**changes: Any) -> dict[str, Any]:
    return {"http": {"defaultHealthyRetryPolicy": SHORTEST | changes}}


def test_new_topic_shows_its_defaults(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)

    attributes: dict[str, Any] = topic.attributes

    policy = json.loads(attributes.pop("Policy"))
    delivery = json.loads(attributes.pop("EffectiveDeliveryPolicy"))
    assert attributes == {
        "DisplayName": "",
        "Owner": cumulet.account,
        "SubscriptionsConfirmed": "0",
        "SubscriptionsDeleted": "0",
        "SubscriptionsPending": "0",
        "TopicArn": topic.arn,
    }
    assert delivery == {
        "http": {
            "defaultHealthyRetryPolicy": RETRY,
            "disableSubscriptionOverrides": False,
            "defaultRequestPolicy": REQUEST,
        }
    }
    assert policy == {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [
                    "SNS:GetTopicAttributes",
                    "SNS:SetTopicAttributes",
                    "SNS:AddPermission",
                    "SNS:RemovePermission",
                    "SNS:DeleteTopic",
                    "SNS:Subscribe",
                    "SNS:ListSubscriptionsByTopic",
                    "SNS:Publish",
                ],
                "Resource": topic.arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": cumulet.account}},
            }
        ],
    }


def test_fifo_topic_shows_how_it_deduplicates(cumulet: Cumulet) -> None:
    attributes = fifo(cumulet).attributes

    assert attributes["FifoTopic"] == "true"
    assert attributes["ContentBasedDeduplication"] == "false"
    assert "FifoThroughputScope" not in attributes


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [
        ("DisplayName", "x" * 100, ""),
        ("KmsMasterKeyId", "alias/aws/sns", None),
        ("SignatureVersion", "2", "1"),
        ("TracingConfig", "Active", "PassThrough"),
    ],
)
def test_attribute_is_set_and_unset(cumulet: Cumulet, name: str, value: str, default: str | None) -> None:
    topic = Topic(cumulet)
    unset = {"SignatureVersion": "1", "TracingConfig": "PassThrough"}.get(name, "")

    topic.set(name, value)
    topic.set(name, value)
    after_setting = topic.attributes.get(name)
    topic.set(name, unset)
    topic.set(name, unset)

    assert after_setting == value
    assert topic.attributes.get(name) == default


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (retry_policy(), {**retry_policy()["http"], "disableSubscriptionOverrides": False}),
        ({"http": {"defaultHealthyRetryPolicy": None}}, {"disableSubscriptionOverrides": False}),
        (
            {"http": {"defaultRequestPolicy": {"headerContentType": "application/json"}}},
            {"disableSubscriptionOverrides": False, "defaultRequestPolicy": {"headerContentType": "application/json"}},
        ),
    ],
)
def test_delivery_policy_is_shown_in_the_words_of_aws(cumulet: Cumulet, given: Any, shown: dict[str, Any]) -> None:
    topic = Topic(cumulet)

    topic.set("DeliveryPolicy", json.dumps(given))
    after_setting = topic.attributes["DeliveryPolicy"]
    topic.set("DeliveryPolicy", "")

    assert after_setting == json.dumps({"http": shown}, separators=(",", ":"))
    assert "DeliveryPolicy" not in topic.attributes


def test_policy_is_shown_without_spaces(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    principal = f"arn:aws:iam::{cumulet.account}:root"
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sns:Publish", "Resource": topic.arn}
    policy = {"Version": "2012-10-17", "Statement": [statement]}

    topic.set("Policy", json.dumps(policy, indent=4))

    assert topic.attributes["Policy"] == json.dumps(policy, separators=(",", ":"))


def test_flag_of_a_fifo_topic_is_set_and_unset(cumulet: Cumulet) -> None:
    topic = fifo(cumulet)

    topic.set("ContentBasedDeduplication", "True")
    after_setting = topic.attributes["ContentBasedDeduplication"]
    topic.set("ContentBasedDeduplication", "FALSE")

    assert (after_setting, topic.attributes["ContentBasedDeduplication"]) == ("true", "false")


def test_scope_of_a_fifo_topic_becomes_smaller_only(cumulet: Cumulet) -> None:
    topic = fifo(cumulet)

    for scope in ("Topic", "MessageGroup", "MessageGroup"):
        topic.set("FifoThroughputScope", scope)
    refused = [refusal(topic.set, name="FifoThroughputScope", value=value) for value in ("Topic", "bad")]

    assert refused == [
        invalid("Modifying FifoThroughputScope from MessageGroup to Topic is not supported"),
        invalid("Invalid FifoThroughputScope: bad"),
    ]
    assert topic.attributes["FifoThroughputScope"] == "MessageGroup"


def test_a_fifo_topic_stays_one(cumulet: Cumulet) -> None:
    topic = fifo(cumulet)

    topic.set("FifoTopic", "true")
    refused = refusal(topic.set, name="FifoTopic", value="false")

    assert refused == invalid("FifoTopic: Modifying topic type is not supported")
    assert topic.attributes["FifoTopic"] == "true"


def test_attributes_are_given_when_a_topic_is_made(cumulet: Cumulet) -> None:
    given = {"ContentBasedDeduplication": "true", "DisplayName": "TestTopic", "SignatureVersion": "2"}

    topic = fifo(cumulet, **given)

    assert topic.attributes.items() >= (given | {"FifoTopic": "true"}).items()


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("", "x", "AttributeName"),
        ("Nonsense", "x", "AttributeName"),
        ("displayname", "x", "AttributeName"),
        ("TopicArn", "x", "AttributeName"),
        ("EffectiveDeliveryPolicy", "{}", "AttributeName"),
        ("SubscriptionsConfirmed", "7", "AttributeName"),
        ("FifoTopic", "true", "AttributeName"),
        ("ContentBasedDeduplication", "true", "AttributeName"),
        ("FifoThroughputScope", "Topic", "AttributeName"),
        ("DisplayName", "x" * 101, "DisplayName Reason: must be at most 100 characters long"),
        ("SignatureVersion", "", "SignatureVersion Reason: must be one of 1, 2"),
        ("TracingConfig", "On", "Invalid tracing config value: On"),
        ("TracingConfig", "", "Invalid tracing config value: "),
        ("Policy", "{", "Policy Error: null"),
        ("Policy", "[]", "Policy Error: null"),
        ("Policy", "{}", "Policy Error: null"),
        ("Policy", '{"Statement":[]}', "Policy Error: null"),
        ("Policy", '{"Statement":[null]}', "Policy Error: null"),
        ("Policy", "[" * 100_000, "Policy Error: null"),
        ("Policy", '{"Statement":{"Effect":"Allow","Principal":"*","Action":[]}}', "Policy Error: null"),
        ("Policy", '{"Statement":{"Effect":"Allow","Principal":"*","Action":[1]}}', "Policy Error: null"),
        ("Policy", '{"Statement":{"Effect":"Maybe","Principal":"*","Action":"sns:*"}}', "Policy Error: null"),
        ("Policy", '{"Statement":{"Effect":"Allow","Action":"sns:*"}}', "Policy Error: null"),
        ("Policy", '{"Statement":{"Effect":"Allow","Principal":"*"}}', "Policy Error: null"),
        (
            "Policy",
            '{"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage"}}',
            "Policy statement action out of service scope!",
        ),
        (
            "Policy",
            '{"Statement":{"Effect":"Allow","Principal":"*","Action":"sns:*"}}',
            "Policy statement action out of service scope!",
        ),
        (
            "Policy",
            '{"Statement":{"Effect":"Allow","Principal":"*","Action":"SNS:*"}}',
            "Policy statement action out of service scope!",
        ),
        (
            "Policy",
            '{"Statement":{"Effect":"Allow","Principal":"*","Action":"*"}}',
            "Policy statement action out of service scope!",
        ),
        (
            "Policy",
            '{"Statement":{"Effect":"Allow","Principal":"*","Action":"sns:ListTopics"}}',
            "Policy statement action out of service scope!",
        ),
    ],
)
def test_bad_attribute_changes_nothing(cumulet: Cumulet, name: str, value: str, text: str) -> None:
    topic = Topic(cumulet)
    before = topic.attributes

    assert refusal(topic.set, name=name, value=value) == invalid(text)
    assert refusal(topic.set, name=name, value=value) == invalid(text)
    assert topic.attributes == before


@pytest.mark.parametrize("value", ["", "yes"])
def test_flag_of_a_fifo_topic_is_true_or_false(cumulet: Cumulet, value: str) -> None:
    topic = fifo(cumulet)

    refused = refusal(topic.set, name="ContentBasedDeduplication", value=value)

    assert refused == invalid(f"ContentBasedDeduplication: Invalid value [{value}]. Must be true or false.")


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ("{", "failed to parse JSON."),
        ("[" * 100_000, "failed to parse JSON."),
        ({"http": None}, "http type mismatch, expecting object, received null"),
        ([], "failed to parse JSON."),
        ({"https": {}}, "https is unknown"),
        ({"http": []}, "http type mismatch, expecting object, received an array"),
        ({"http": {"healthyRetryPolicy": {}}}, "http.healthyRetryPolicy is unknown"),
        (
            {"http": {"disableSubscriptionOverrides": "true"}},
            "http.disableSubscriptionOverrides type mismatch, expecting boolean, received a string",
        ),
        (
            {"http": {"defaultHealthyRetryPolicy": {"numRetries": 3}}},
            "http.defaultHealthyRetryPolicy.minDelayTarget must be specified",
        ),
        (
            retry_policy(minDelayTarget="1"),
            "http.defaultHealthyRetryPolicy.minDelayTarget type mismatch, expecting integer, received a string",
        ),
        (
            retry_policy(minDelayTarget=0),
            "http.defaultHealthyRetryPolicy.minDelayTarget must be greater than or equal to 1",
        ),
        (
            retry_policy(maxDelayTarget=3601),
            "http.defaultHealthyRetryPolicy.maxDelayTarget must be less than or equal to 3600",
        ),
        (
            retry_policy(minDelayTarget=3),
            "http.defaultHealthyRetryPolicy.maxDelayTarget must be greater than or equal to minDelayTarget",
        ),
        (
            retry_policy(numRetries=101),
            "http.defaultHealthyRetryPolicy.numRetries must be less than or equal to 100",
        ),
        (
            retry_policy(numNoDelayRetries=1, numMinDelayRetries=1),
            "http.defaultHealthyRetryPolicy.numRetries must be greater than or equal to the sum of all phases",
        ),
        (
            retry_policy(backoffFunction="square"),
            "http.defaultHealthyRetryPolicy.backoffFunction must be one of arithmetic, exponential, geometric, linear",
        ),
        (
            retry_policy(minDelayTarget=40, maxDelayTarget=40, numRetries=100),
            "http.defaultHealthyRetryPolicy.the total retry time must not be greater than 3600 seconds",
        ),
        (
            {"http": {"defaultThrottlePolicy": {"maxReceivesPerSecond": 0}}},
            "http.defaultThrottlePolicy.maxReceivesPerSecond must be greater than or equal to 1",
        ),
        (
            {"http": {"defaultRequestPolicy": {"headerContentType": "image/png"}}},
            "http.defaultRequestPolicy.headerContentType has an invalid value: image/png",
        ),
    ],
)
def test_bad_delivery_policy_is_refused(cumulet: Cumulet, policy: object, text: str) -> None:
    topic = Topic(cumulet)
    value = policy if isinstance(policy, str) else json.dumps(policy)

    assert refusal(topic.set, name="DeliveryPolicy", value=value) == invalid(f"DeliveryPolicy: {text}")
    assert "DeliveryPolicy" not in topic.attributes


def test_effective_delivery_policy_has_the_defaults_of_what_is_not_set(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    throttle = {"maxReceivesPerSecond": 5}
    policy = retry_policy(backoffFunction="geometric")
    policy["http"]["defaultThrottlePolicy"] = throttle

    topic.set("DeliveryPolicy", json.dumps(policy))

    http = json.loads(topic.attributes["EffectiveDeliveryPolicy"])["http"]
    assert http["defaultHealthyRetryPolicy"] == RETRY | SHORTEST | {"backoffFunction": "geometric"}
    assert (http["defaultThrottlePolicy"], http["defaultRequestPolicy"]) == (throttle, REQUEST)


def test_subscriptions_are_counted_by_their_state(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    arns = [
        topic.client.subscribe(
            TopicArn=topic.arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{cumulet.account}:q{number}"
        )["SubscriptionArn"]
        for number in range(3)
    ]
    topic.client.subscribe(TopicArn=topic.arn, Protocol="https", Endpoint="https://127.0.0.1:9/nothing")

    topic.client.unsubscribe(SubscriptionArn=arns[0])

    shown = topic.attributes
    assert [shown[f"Subscriptions{state}"] for state in ("Confirmed", "Pending", "Deleted")] == ["2", "1", "1"]


def test_attribute_of_no_topic_is_refused(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    topic.client.delete_topic(TopicArn=topic.arn)

    assert refusal(topic.set, name="DisplayName", value="d") == NO_TOPIC
    assert refusal(topic.set, name="DisplayName", value="d") == NO_TOPIC
