"""SNS: single statements of a topic's access policy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sns_administration import NO_TOPIC, Topic, invalid, refusal

from cumulet.testing import Cumulet

OTHER, THIRD = "111122223333", "444455556666"
GIVEN = {"Label": "publish", "AWSAccountId": [OTHER], "ActionName": ["Publish"]}
OUT_OF_SCOPE = invalid("Policy statement action out of service scope!")


def statements(topic: Topic) -> list[dict[str, Any]]:
    return list(json.loads(topic.attributes["Policy"])["Statement"])


def test_permission_is_added_to_the_default_policy(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)

    topic.client.add_permission(TopicArn=topic.arn, **GIVEN)

    assert [statement["Sid"] for statement in statements(topic)] == ["__default_statement_ID", "publish"]
    assert statements(topic)[1] == {
        "Sid": "publish",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
        "Action": "SNS:Publish",
        "Resource": topic.arn,
    }


def test_several_accounts_and_actions_are_lists(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)

    topic.client.add_permission(
        TopicArn=topic.arn, Label="l", AWSAccountId=[OTHER, THIRD], ActionName=["Publish", "subscribe"]
    )

    assert statements(topic)[1]["Principal"] == {"AWS": [f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{THIRD}:root"]}
    assert statements(topic)[1]["Action"] == ["SNS:Publish", "SNS:Subscribe"]


def test_permission_is_added_to_the_policy_that_is_there(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    own = {"Sid": "own", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic.arn}
    topic.set("Policy", json.dumps({"Version": "2012-10-17", "Id": "mine", "Statement": own}))

    topic.client.add_permission(TopicArn=topic.arn, **GIVEN)

    policy = json.loads(topic.attributes["Policy"])
    assert (policy["Version"], policy["Id"]) == ("2012-10-17", "mine")
    assert [statement["Sid"] for statement in policy["Statement"]] == ["own", "publish"]


def test_permission_is_removed(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    before = topic.attributes["Policy"]
    topic.client.add_permission(TopicArn=topic.arn, **GIVEN)

    topic.client.remove_permission(TopicArn=topic.arn, Label="publish")

    assert topic.attributes["Policy"] == before
    topic.client.remove_permission(TopicArn=topic.arn, Label="publish")
    assert topic.attributes["Policy"] == before


def test_label_is_of_one_statement(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    for _ in range(2):
        topic.client.add_permission(TopicArn=topic.arn, **GIVEN)

    refused = refusal(topic.client.add_permission, TopicArn=topic.arn, **{**GIVEN, "AWSAccountId": [THIRD]})

    assert refused == invalid("Statement already exists")
    assert len(statements(topic)) == 2


def test_policy_that_is_unset_is_the_default_again(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    before = topic.attributes["Policy"]
    topic.client.add_permission(TopicArn=topic.arn, **GIVEN)

    topic.set("Policy", "")

    assert topic.attributes["Policy"] == before


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"Label": ""}, invalid("Label")),
        ({"AWSAccountId": []}, invalid("AWSAccountId")),
        ({"ActionName": []}, invalid("ActionName")),
        ({"AWSAccountId": ["nobody"]}, invalid("Policy Error: PrincipalNotFound")),
        ({"AWSAccountId": [OTHER, "12"]}, invalid("Policy Error: PrincipalNotFound")),
        ({"ActionName": ["NotExist"]}, OUT_OF_SCOPE),
        ({"ActionName": ["Publish", "SendMessage"]}, OUT_OF_SCOPE),
        ({"ActionName": ["*"]}, OUT_OF_SCOPE),
    ],
)
def test_bad_permission_changes_nothing(cumulet: Cumulet, changes: dict[str, Any], refused: object) -> None:
    topic = Topic(cumulet)

    assert refusal(topic.client.add_permission, TopicArn=topic.arn, **{**GIVEN, **changes}) == refused
    assert len(statements(topic)) == 1
    topic.client.add_permission(TopicArn=topic.arn, **GIVEN)
    assert len(statements(topic)) == 2


def test_permission_of_no_topic_is_refused(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    topic.client.delete_topic(TopicArn=topic.arn)

    assert refusal(topic.client.add_permission, TopicArn=topic.arn, **GIVEN) == NO_TOPIC
    assert refusal(topic.client.remove_permission, TopicArn=topic.arn, Label="publish") == NO_TOPIC
