"""SNS: what operations on topics refuse before they look at the topic: members that are missing or of the wrong size.

SNS words them as most services do; the query protocol's code for them is ValidationError.
"""

from __future__ import annotations

from typing import Any

import pytest
from sns_administration import refusal

from cumulet.testing import Cumulet

NULL = "Member must not be null"
ARN = "arn:aws:sns:us-east-1:000000000000:t"
PERMISSION = {"TopicArn": ARN, "Label": "l", "AWSAccountId": ["111122223333"], "ActionName": ["Publish"]}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in PERMISSION.items() if key != name}


def null(member: str) -> tuple[str, int, str]:
    text = f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: {NULL}"
    return "ValidationError", 400, text


@pytest.mark.parametrize(
    ("operation", "members", "refused"),
    [
        ("create_topic", {}, null("name")),
        ("create_topic", {"Name": "t", "Tags": [{"Key": "a"}]}, null("tags.1.member.value")),
        ("create_topic", {"Name": "t", "Tags": [{"Value": "a"}]}, null("tags.1.member.key")),
        ("delete_topic", {}, null("topicArn")),
        ("get_topic_attributes", {}, null("topicArn")),
        ("set_topic_attributes", {"AttributeName": "DisplayName"}, null("topicArn")),
        ("set_topic_attributes", {"TopicArn": ARN}, null("attributeName")),
        ("add_permission", without("TopicArn"), null("topicArn")),
        ("add_permission", without("Label"), null("label")),
        ("add_permission", without("AWSAccountId"), null("aWSAccountId")),
        ("add_permission", without("ActionName"), null("actionName")),
        ("remove_permission", {"TopicArn": ARN}, null("label")),
        ("remove_permission", {"Label": "l"}, null("topicArn")),
        ("tag_resource", {"Tags": []}, null("resourceArn")),
        ("tag_resource", {"ResourceArn": ARN}, null("tags")),
        ("untag_resource", {"TagKeys": ["a"]}, null("resourceArn")),
        ("untag_resource", {"ResourceArn": ARN}, null("tagKeys")),
        ("list_tags_for_resource", {}, null("resourceArn")),
        (
            "list_tags_for_resource",
            {"ResourceArn": "x" * 1012},
            (
                "ValidationError",
                400,
                f"1 validation error detected: Value '{'x' * 1012}' at 'resourceArn' failed to satisfy constraint: "
                "Member must have length less than or equal to 1011",
            ),
        ),
    ],
)
def test_bad_member_is_refused(cumulet: Cumulet, operation: str, members: dict[str, Any], refused: object) -> None:
    sns = cumulet.client("sns", parameter_validation=False)

    assert refusal(getattr(sns, operation), **members) == refused
