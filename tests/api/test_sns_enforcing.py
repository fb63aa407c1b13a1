"""Topics where signatures are checked: another account's are out of reach."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

import boto3
import pytest
from sns_administration import refusal

from cumulet.testing import Cumulet

OTHERS = "arn:aws:sns:us-east-1:111122223333:others"


def owner(server: Cumulet) -> Any:
    """Return a client with the root key."""
    credentials = configparser.ConfigParser()
    credentials.read(server.folder / "root-credentials")
    key, secret = credentials["default"].values()
    return boto3.client(
        "sns",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("GetTopicAttributes", {}),
        ("SetTopicAttributes", {"AttributeName": "DisplayName", "AttributeValue": "d"}),
        ("DeleteTopic", {}),
        ("RemovePermission", {"Label": "l"}),
        ("Publish", {"Message": "text"}),
    ],
)
def test_topic_of_another_account_is_refused(tmp_path: Path, operation: str, members: dict[str, Any]) -> None:
    with Cumulet(tmp_path / "data", auth="enforce") as server:
        sns = owner(server)
        own = sns.create_topic(Name="own")["TopicArn"]
        method = getattr(sns, sns_method(operation))

        code, status, message = refusal(method, TopicArn=OTHERS, **members)

        assert (code, status) == ("AuthorizationError", 403)
        assert message.endswith(
            f" is not authorized to perform: SNS:{operation} on resource: {OTHERS} "
            f"because no resource-based policy allows the SNS:{operation} action"
        )
        assert sns.get_topic_attributes(TopicArn=own)["Attributes"]["TopicArn"] == own


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("GetSubscriptionAttributes", {}),
        ("SetSubscriptionAttributes", {"AttributeName": "RawMessageDelivery", "AttributeValue": "true"}),
        ("Unsubscribe", {}),
    ],
)
def test_subscription_to_another_accounts_topic_is_refused(
    tmp_path: Path, operation: str, members: dict[str, Any]
) -> None:
    with Cumulet(tmp_path / "data", auth="enforce") as server:
        sns = owner(server)
        topic = sns.create_topic(Name="own")["TopicArn"]
        own = sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+14155550100")["SubscriptionArn"]
        others = f"{OTHERS}:{own.rsplit(':', 1)[1]}"

        code, status, message = refusal(getattr(sns, sns_method(operation)), SubscriptionArn=others, **members)

        assert (code, status) == ("AuthorizationError", 403)
        assert message.endswith(
            f" is not authorized to perform: SNS:{operation} on resource: {others} "
            f"because no resource-based policy allows the SNS:{operation} action"
        )
        assert len(sns.list_subscriptions()["Subscriptions"]) == 1


def sns_method(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)[1:]
