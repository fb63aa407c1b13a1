"""SNS: the tags of topics."""

from __future__ import annotations

from typing import Any

import pytest
from sns_administration import NO_RESOURCE, Topic, invalid, refusal, tags

from cumulet.testing import Cumulet


def test_tags_are_set_changed_and_removed(cumulet: Cumulet) -> None:
    topic = Topic(cumulet, Tags=tags(k1="v1", k2="v2"))

    topic.client.tag_resource(ResourceArn=topic.arn, Tags=tags(k2="v2b", k3=""))
    topic.client.tag_resource(ResourceArn=topic.arn, Tags=tags(k2="v2b", k3=""))
    after_tagging = topic.tags
    topic.client.untag_resource(ResourceArn=topic.arn, TagKeys=["k1", "unknown"])
    topic.client.untag_resource(ResourceArn=topic.arn, TagKeys=["k1", "unknown"])

    assert after_tagging == {"k1": "v1", "k2": "v2b", "k3": ""}
    assert topic.tags == {"k2": "v2b", "k3": ""}


def test_topic_has_fifty_tags_at_most(cumulet: Cumulet) -> None:
    topic = Topic(cumulet, Tags=[{"Key": f"k{number}", "Value": ""} for number in range(50)])
    refused = ("TagLimitExceeded", 400, "Could not complete request: tag quota of per resource exceeded")

    assert refusal(topic.client.tag_resource, ResourceArn=topic.arn, Tags=tags(another="1")) == refused
    assert refusal(topic.client.tag_resource, ResourceArn=topic.arn, Tags=tags(another="1")) == refused
    topic.client.tag_resource(ResourceArn=topic.arn, Tags=tags(k1="changed"))
    assert (len(topic.tags), topic.tags["k1"]) == (50, "changed")


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ([*tags(a="1"), *tags(a="1")], invalid("Duplicated keys are not allowed.")),
        (
            [{"Key": "aws:x", "Value": "1"}],
            invalid("Tag keys that start with aws: are reserved for internal use and can't be added."),
        ),
        (
            [{"Key": "k" * 129, "Value": "1"}],
            (
                "ValidationError",
                400,
                f"1 validation error detected: Value '{'k' * 129}' at 'tags.1.member.key' failed to satisfy "
                "constraint: Member must have length less than or equal to 128",
            ),
        ),
        (
            [{"Key": "k", "Value": "v" * 257}],
            (
                "ValidationError",
                400,
                f"1 validation error detected: Value '{'v' * 257}' at 'tags.1.member.value' failed to satisfy "
                "constraint: Member must have length less than or equal to 256",
            ),
        ),
    ],
)
def test_bad_tags_change_nothing(cumulet: Cumulet, given: list[dict[str, str]], refused: object) -> None:
    topic = Topic(cumulet, Tags=tags(k="v"))

    assert refusal(topic.client.tag_resource, ResourceArn=topic.arn, Tags=given) == refused
    assert topic.tags == {"k": "v"}


@pytest.mark.parametrize(
    ("operation", "members"),
    [("tag_resource", {"Tags": tags(a="1")}), ("untag_resource", {"TagKeys": ["a"]}), ("list_tags_for_resource", {})],
)
def test_tags_of_no_topic_are_refused(cumulet: Cumulet, operation: str, members: dict[str, Any]) -> None:
    topic = Topic(cumulet)
    topic.client.delete_topic(TopicArn=topic.arn)

    assert refusal(getattr(topic.client, operation), ResourceArn=topic.arn, **members) == NO_RESOURCE
    assert refusal(getattr(topic.client, operation), ResourceArn=topic.arn, **members) == NO_RESOURCE
