"""Topics as the tests of their operations make and read them, and how SNS refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cumulet.testing import Cumulet

Refusal = tuple[str, int, str]
"""Code, HTTP status, message."""


def refusal(operation: Callable[..., Any], **members: Any) -> Refusal:
    """Return how a request is refused; fails when it isn't."""
    with pytest.raises(ClientError) as refused:
        operation(**members)
    error, metadata = refused.value.response["Error"], refused.value.response["ResponseMetadata"]
    return str(error["Code"]), int(metadata["HTTPStatusCode"]), str(error["Message"])


def invalid(what: str) -> Refusal:
    """Return SNS's usual refusal."""
    return "InvalidParameter", 400, f"Invalid parameter: {what}"


NO_TOPIC: Refusal = ("NotFound", 404, "Topic does not exist")
NO_RESOURCE: Refusal = ("ResourceNotFound", 404, "Resource does not exist")


class Topic:
    """A topic of a test's account."""

    def __init__(self, cumulet: Cumulet, name: str = "topic", **members: Any) -> None:
        self.client = cumulet.client("sns")
        self.arn: str = self.client.create_topic(Name=name, **members)["TopicArn"]

    @property
    def attributes(self) -> dict[str, str]:
        """What GetTopicAttributes shows."""
        return dict(self.client.get_topic_attributes(TopicArn=self.arn)["Attributes"])

    @property
    def tags(self) -> dict[str, str]:
        """What ListTagsForResource shows."""
        found = self.client.list_tags_for_resource(ResourceArn=self.arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}

    def set(self, name: str, value: str) -> None:
        """Set one attribute."""
        self.client.set_topic_attributes(TopicArn=self.arn, AttributeName=name, AttributeValue=value)


def fifo(cumulet: Cumulet, name: str = "topic.fifo", **attributes: str) -> Topic:
    """Make a FIFO topic."""
    return Topic(cumulet, name, Attributes={"FifoTopic": "true", **attributes})


def tags(**given: str) -> list[dict[str, str]]:
    """Return tags as requests give them."""
    return [{"Key": key, "Value": value} for key, value in given.items()]
