"""Messages to mail addresses: deliveries of the platform's engine, in one lane, for their target is one mail server.

A mail is a row until the server has taken it, or its retries are over. Without a server it goes into the outbox, in the
transaction that ends its delivery.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from cumulet.delivery import Attempt, End, QueuedDelivery, RetryPolicy, Verdict
from cumulet.kernel.log import log_line
from cumulet.kernel.mail_servers import mail_server
from cumulet.services.service import Platform
from cumulet.services.sns import confirmation_messages, links, mails, outbox, smtp_client, topics
from cumulet.services.sns.delivery_policies import Effective
from cumulet.services.sns.letters import Kind, Letter, addressee, raw_attributes
from cumulet.services.sns.mails import Mail
from cumulet.services.sns.messages import Message
from cumulet.services.sns.metrics import metric
from cumulet.services.sns.places import Places
from cumulet.services.sns.retry_waits import waits_ms
from cumulet.services.sns.sender import Sender
from cumulet.services.sns.smtp_client import Refused, Unsent
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topics import Topic
from cumulet.store import Tx

LANE = "arn:aws:smtp:::server"
AT_ONCE = 5
"""Connections to the server."""
WAITS_MS = waits_ms(
    Effective(
        min_delay_seconds=10,
        max_delay_seconds=600,
        retries=50,
        immediate_retries=0,
        min_delay_retries=2,
        max_delay_retries=38,
        backoff_function="exponential",
        most_per_second=None,
        content_type="",
    )
)
"""SNS: of endpoints that customers manage, 50 retries in more than six hours."""
MOST_AGE_MS = 14 * 86_400_000


class MailLetter(Letter, frozen=True, kw_only=True, omit_defaults=True):
    """What a delivery carries."""

    protocol: str
    address: str
    subject: str | None = None
    details: dict[str, str] = msgspec.field(default_factory=dict)
    """What the outbox tells of a notification."""


class MailDelivery:
    """The outlet of topics for email and email-json, and the engine's adapter for it."""

    def __init__(self, platform: Platform, sender: Sender) -> None:
        self._platform = platform
        self._store = platform.store
        self._sender = sender
        self._server = mail_server(platform.config.smtp) if platform.config.smtp else None
        self._address = platform.config.smtp_sender
        self._places = Places(platform.clock, at_once=AT_ONCE)
        platform.delivery.engine.register("smtp", self)
        sender.outlets |= {"email": self, "email-json": self}

    def put(self, tx: Tx, subscription: Subscription, message: Message, body: str, now_ms: int) -> None:
        """Accept a message for an address within the publish's transaction."""
        texts, binaries = raw_attributes(subscription, message)
        letter = MailLetter(
            kind="Notification",
            protocol=subscription.protocol,
            address=subscription.endpoint,
            topic_arn=subscription.topic_arn,
            message_id=message.id,
            body=body,
            subject=message.subject,
            texts=texts,
            binaries=binaries,
            details=outbox.details_of(message),
        )
        self._accept(tx, subscription, letter, now_ms, message.trace_header)

    def tell(self, tx: Tx, kind: Kind, subscription: Subscription, message_id: str, now_ms: int) -> None:
        """Ask an address for its confirmation, or tell it that its subscription has ended."""
        letter = MailLetter(
            kind=kind,
            protocol=subscription.protocol,
            address=subscription.endpoint,
            topic_arn=subscription.topic_arn,
            message_id=message_id,
            token=subscription.token,
        )
        self._accept(tx, subscription, letter, now_ms)

    def _accept(
        self, tx: Tx, subscription: Subscription, letter: MailLetter, now_ms: int, trace_header: str | None = None
    ) -> None:
        self._platform.delivery.engine.accept(
            tx,
            lane=LANE,
            target=subscription.arn,
            request_id=letter.message_id,
            payload=msgspec.json.encode(letter),
            now_ms=now_ms,
            trace_header=trace_header,
        )

    async def slot(self, delivery: QueuedDelivery, wake: Callable[[], None]) -> Callable[[], None] | None:
        """Take one of the connections."""
        return self._places.take(delivery.lane, wake)

    async def attempt(self, delivery: QueuedDelivery) -> Attempt:
        """Send it; the answer is the mail, or why there is none."""
        letter = msgspec.json.decode(delivery.payload, type=MailLetter)
        topic, subscription = await self._store.read(addressee, delivery.target)
        if topic is None or not letter.is_wanted(subscription):
            return Attempt(Verdict.REFUSED, "nobody waits for it any more")
        mail = Mail(
            mails.sender_of(letter.kind, topic.attributes.get("DisplayName")),
            mails.subject_of(letter.kind, letter.subject),
            await self._text(topic, letter, delivery),
        )
        if self._server is None:
            self._places.tell(delivery.lane, is_well=True)
            return Attempt(Verdict.DELIVERED, mail)
        data = mails.encoded(mail, self._address, letter.address, letter.message_id, delivery.accepted_ms)
        try:
            await smtp_client.send(self._server, self._address, letter.address, data)
        except Unsent as reason:
            self._places.tell(delivery.lane, is_well=False)
            return Attempt(Verdict.FAILED, str(reason))
        except Refused as reason:
            self._places.tell(delivery.lane, is_well=True)
            return Attempt(Verdict.REFUSED, str(reason))
        self._places.tell(delivery.lane, is_well=True)
        return Attempt(Verdict.DELIVERED, mail)

    async def _text(self, topic: Topic, letter: MailLetter, delivery: QueuedDelivery) -> str:
        if letter.kind == "Notification":
            if letter.protocol == "email-json":
                return letter.body
            return mails.notification(letter.body, links.unsubscribe_url(self._platform.url, delivery.target))
        if letter.protocol == "email-json":
            return confirmation_messages.confirmation(
                letter.kind,
                topic,
                delivery.target,
                letter.message_id,
                letter.token,
                delivery.accepted_ms,
                signer=await self._sender.signing.signer(),
                base_url=self._platform.url,
            )
        link = links.subscribe_url(self._platform.url, topic.arn, letter.token)
        return mails.confirmation(letter.kind, topic.arn, delivery.target, link)

    def policy(self, tx: Tx, delivery: QueuedDelivery) -> RetryPolicy:
        """Return SNS's retries of mail."""
        return RetryPolicy(len(WAITS_MS), WAITS_MS, MOST_AGE_MS)

    def conclude(
        self, tx: Tx, delivery: QueuedDelivery, end: End, answer: Any, *, now_ms: int, new_ids: tuple[str, str]
    ) -> None:
        """Count it; without a server put it into the outbox; and what was not taken on the dead-letter queue."""
        letter = msgspec.json.decode(delivery.payload, type=MailLetter)
        key = topics.key_of(letter.topic_arn)
        if end is End.DELIVERED and self._server is None:
            self._put_into_outbox(tx, delivery, letter, answer, now_ms)
        if letter.kind != "Notification":
            if end is not End.DELIVERED:
                tx.after_commit(log_line, f"{letter.kind} for {delivery.target} is given up: {answer}")
            return
        outcome = "Delivered" if end is End.DELIVERED else "Failed"
        tx.after_commit(self._platform.telemetry.record, metric(key, f"NumberOfNotifications{outcome}"))
        _, subscription = addressee(tx, delivery.target)
        if end is not End.DELIVERED and subscription is not None:
            reason = answer if isinstance(answer, str) else "it was too old"
            self._sender.bury(tx, subscription, letter.dead(delivery, new_ids[0]), now_ms, reason)

    def _put_into_outbox(self, tx: Tx, delivery: QueuedDelivery, letter: MailLetter, mail: Mail, now_ms: int) -> None:
        key = topics.key_of(letter.topic_arn)
        details = {
            **letter.details,
            "type": letter.kind,
            "topic_arn": letter.topic_arn,
            "subscription_arn": delivery.target,
            "from": f"{mail.sender_name} <{self._address}>",
            "subject": mail.subject,
        }
        outbox.put(
            tx,
            account=key.account,
            region=key.region,
            kind="email",
            destination=letter.address,
            message_id=letter.message_id,
            body=mail.text,
            details=details,
            now_ms=now_ms,
        )
