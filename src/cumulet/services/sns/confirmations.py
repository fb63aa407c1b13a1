"""Asks endpoints whether they want their subscription, and tells them when it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulet import delivery
from cumulet.delivery import Undeliverable
from cumulet.kernel.log import log_line
from cumulet.services.service import Platform
from cumulet.services.sns import topics
from cumulet.services.sns.confirmation_messages import confirmation, event
from cumulet.services.sns.endpoints import HTTP, MAIL
from cumulet.services.sns.http_delivery import HttpDelivery, HttpLetter
from cumulet.services.sns.letters import Kind
from cumulet.services.sns.mail_delivery import MailDelivery
from cumulet.services.sns.sender import SENDER_ID, Sender
from cumulet.services.sns.subscriptions import Subscription
from cumulet.store import Tx

if TYPE_CHECKING:
    from cumulet.services.sns.signer import Signer


FIFO_GROUP = "Subscription"
"""SNS (recorded): the message group of what a FIFO queue is asked."""


class Confirmations:
    """Messages of SNS's own to endpoints."""

    def __init__(self, platform: Platform, sender: Sender) -> None:
        self._platform = platform
        self.http = HttpDelivery(platform, sender)
        self._mail = MailDelivery(platform, sender)

    def ask(self, tx: Tx, subscription: Subscription, now_ms: int, signer: Signer | None) -> None:
        """Send the token of a pending subscription to its endpoint, in the transaction that makes the token.

        That of a queue or a function is signed here, by `signer`.
        """
        message_id = _message_id(subscription.token[32:64])
        if subscription.protocol in ("sqs", "lambda"):
            assert signer is not None
            self._deliver(tx, "SubscriptionConfirmation", subscription, message_id, now_ms, signer)
        else:
            self._send(tx, "SubscriptionConfirmation", subscription, message_id, now_ms)

    def tell_end(
        self, tx: Tx, subscription: Subscription, now_ms: int, signer: Signer | None, *, is_by_owner: bool
    ) -> bool:
        """Tell the endpoint of a subscription that it has ended, in the transaction that ends it; return whether.

        SNS: people are told where it was not the subscription's owner who has ended it, and so are queues (recorded),
        for which it is signed by `signer`.
        """
        protocol, message_id = subscription.protocol, _message_id(subscription.token[64:96])
        if protocol in HTTP or (protocol in MAIL and not is_by_owner):
            self._send(tx, "UnsubscribeConfirmation", subscription, message_id, now_ms)
            return True
        if protocol == "sqs" and not is_by_owner:
            assert signer is not None
            self._deliver(tx, "UnsubscribeConfirmation", subscription, message_id, now_ms, signer)
            return True
        return False

    def _send(self, tx: Tx, kind: Kind, subscription: Subscription, message_id: str, now_ms: int) -> None:
        if subscription.protocol in MAIL:
            self._mail.tell(tx, kind, subscription, message_id, now_ms)
        elif subscription.protocol in HTTP:
            letter = HttpLetter(
                kind=kind,
                url=subscription.endpoint,
                topic_arn=subscription.topic_arn,
                message_id=message_id,
                token=subscription.token,
            )
            self.http.accept(tx, subscription, letter, now_ms)

    def _deliver(
        self, tx: Tx, kind: Kind, subscription: Subscription, message_id: str, now_ms: int, signer: Signer
    ) -> None:
        """Ask or tell a queue or a function of another account."""
        ask = event if subscription.protocol == "lambda" else confirmation
        body = ask(
            kind,
            topics.load(tx, topics.key_of(subscription.topic_arn)),
            subscription.arn,
            message_id,
            subscription.token,
            now_ms,
            signer=signer,
            base_url=self._platform.url,
        )
        is_fifo = subscription.endpoint.endswith(".fifo")
        letter = delivery.Message(
            id=message_id,
            sender_id=SENDER_ID,
            body=body,
            group_id=FIFO_GROUP if is_fifo else None,
            deduplication_id=message_id if is_fifo else None,
            source_arn=subscription.topic_arn,
        )
        try:
            self._platform.delivery.put(tx, subscription.endpoint, letter, now_ms)
        except Undeliverable as reason:
            tx.after_commit(log_line, f"{kind} for {subscription.arn} is dropped: {reason}")


def _message_id(digits: str) -> str:
    """Return a UUID of 32 random digits of the token, of which there are more than its secrecy needs."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
