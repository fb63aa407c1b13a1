"""The addresses that messages to subscribers hold: they work for whoever opens them, unsigned."""

from __future__ import annotations

from urllib.parse import urlencode

FOLDER = "/_cumulet/sns/"
CERTIFICATES = f"{FOLDER}certificates/"


def subscribe_url(base_url: str, topic_arn: str, token: str) -> str:
    """Return what confirms a subscription."""
    query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic_arn, "Token": token}, safe=":")
    return f"{base_url}{FOLDER}?{query}"


def unsubscribe_url(base_url: str, subscription_arn: str) -> str:
    """Return what ends a subscription."""
    return f"{base_url}{FOLDER}?Action=Unsubscribe&SubscriptionArn={subscription_arn}"  # an ARN has nothing to escape
