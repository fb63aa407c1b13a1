"""The addresses that messages to subscribers hold: they work for whoever opens them, unsigned."""

from __future__ import annotations

from urllib.parse import urlencode

FOLDER = "/_cumulet/sns/"
CERTIFICATES = f"{FOLDER}certificates/"


def subscribe_url(base_url: str, topic_arn: str, token: str) -> str:
    """Return what confirms a subscription."""
    return _url(base_url, Action="ConfirmSubscription", TopicArn=topic_arn, Token=token)


def unsubscribe_url(base_url: str, subscription_arn: str) -> str:
    """Return what ends a subscription."""
    return _url(base_url, Action="Unsubscribe", SubscriptionArn=subscription_arn)


def _url(base_url: str, **query: str) -> str:
    return f"{base_url}{FOLDER}?{urlencode(query, safe=':')}"
