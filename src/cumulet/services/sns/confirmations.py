"""Asks endpoints whether they want their subscription, and tells them when it has ended."""

from __future__ import annotations

from cumulet.services.sns.endpoints import HTTP
from cumulet.services.sns.http_delivery import HttpDelivery, Kind, Letter
from cumulet.services.sns.subscriptions import Subscription
from cumulet.store import Tx


class Confirmations:
    """Messages of SNS's own to HTTP endpoints."""

    def __init__(self, http: HttpDelivery) -> None:
        self._http = http

    def ask(self, tx: Tx, subscription: Subscription, now_ms: int) -> None:
        """Send the token of a pending subscription to its endpoint, in the transaction that makes the token."""
        self._send(tx, "SubscriptionConfirmation", subscription, subscription.token[32:64], now_ms)

    def tell_end(self, tx: Tx, subscription: Subscription, now_ms: int) -> None:
        """Tell the endpoint of a subscription that it has ended, in the transaction that ends it."""
        self._send(tx, "UnsubscribeConfirmation", subscription, subscription.token[64:96], now_ms)

    def _send(self, tx: Tx, kind: Kind, subscription: Subscription, digits: str, now_ms: int) -> None:
        if subscription.protocol in HTTP:
            letter = Letter(
                kind=kind,
                url=subscription.endpoint,
                topic_arn=subscription.topic_arn,
                message_id=_message_id(digits),
                token=subscription.token,
            )
            self._http.accept(tx, subscription, letter, now_ms)


def _message_id(digits: str) -> str:
    """Return a UUID of 32 random digits of the token, of which there are more than its secrecy needs."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
