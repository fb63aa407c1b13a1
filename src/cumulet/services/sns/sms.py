"""Text messages: what an account has set for them, and how they get into the outbox."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from cumulet.delivery import Undeliverable
from cumulet.services.sns import opt_outs, outbox
from cumulet.services.sns.errors import InvalidParameterException, invalid
from cumulet.services.sns.messages import Message
from cumulet.services.sns.phone_numbers import is_phone_number
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topic_attributes import not_yet
from cumulet.store import Tx

MOST_CHARACTERS = 1600
"""SNS: of a text message."""
OPTED_OUT = "Phone number is opted out"
TYPES = ("Promotional", "Transactional")
DEFAULTS: Mapping[str, str] = {"MonthlySpendLimit": "1"}
NOT_YET = ("DeliveryStatusIAMRole", "DeliveryStatusSuccessSamplingRate", "UsageReportS3Bucket")
"""Nobody writes logs and reports of deliveries yet."""
NAMES = frozenset({"MonthlySpendLimit", "DefaultSenderID", "DefaultSMSType", *NOT_YET})
_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}")
_FROM_ACCOUNT = {"DefaultSenderID": "AWS.SNS.SMS.SenderID", "DefaultSMSType": "AWS.SNS.SMS.SMSType"}
"""What an account's settings stand in for, where a message doesn't say."""

SELECT_SMS_ATTRIBUTES = "SELECT attributes FROM sns_sms_attributes WHERE account = ? AND region = ?"
UPSERT_SMS_ATTRIBUTES = (
    "INSERT INTO sns_sms_attributes (account, region, attributes) VALUES (?, ?, ?) "
    "ON CONFLICT (account, region) DO UPDATE SET attributes = excluded.attributes"
)


def attributes(tx: Tx, account: str, region: str) -> dict[str, str]:
    """Return what is set for an account's text messages, and the defaults."""
    row = tx.one(SELECT_SMS_ATTRIBUTES, account, region)
    return {**DEFAULTS, **(msgspec.json.decode(row[0], type=dict[str, str]) if row else {})}


def set_attributes(tx: Tx, account: str, region: str, changes: Mapping[str, str]) -> None:
    """Change some of an account's settings, that `check_attributes` has seen."""
    text = msgspec.json.encode({**attributes(tx, account, region), **changes}).decode()
    tx.run(UPSERT_SMS_ATTRIBUTES, account, region, text)


def check_attributes(changes: Mapping[str, str]) -> None:
    """Raise InvalidParameterException for a setting that there isn't, or a value that it can't have.

    NotImplementedFailure names one that would have no effect.
    """
    for name, value in changes.items():
        if name not in NAMES:
            raise InvalidParameterException(f"{name} is not a valid attribute")
        if name in NOT_YET:
            raise not_yet(f"the attribute {name}")
        if not _is_valid(name, value):
            raise InvalidParameterException(f"{name} is invalid")


def _is_valid(name: str, value: str) -> bool:
    if name == "DefaultSMSType":
        return value in TYPES
    if name == "DefaultSenderID":
        return not value or _SENDER.fullmatch(value) is not None
    return re.fullmatch(r"[0-9]{1,9}", value) is not None


def check(phone_number: str, message: Message) -> None:
    """Raise InvalidParameterException for what can't be published to a phone."""
    if not is_phone_number(phone_number):
        raise invalid(f"PhoneNumber Reason: {phone_number} is not valid to publish to")
    if len(message.body_for("sms")) > MOST_CHARACTERS:
        raise invalid("Message too long")


def publish(tx: Tx, account: str, region: str, phone_number: str, message: Message, now_ms: int) -> None:
    """Send a message to a phone, for Publish with a PhoneNumber; raises InvalidParameterException.

    SNS: to a number that is opted out it is accepted, and not delivered.
    """
    check(phone_number, message)
    failure = OPTED_OUT if opt_outs.is_opted_out(tx, account, region, phone_number) else outbox.NO_FAILURE
    _put(tx, account, region, phone_number, message, message.body_for("sms"), failure, now_ms)


class SmsOutlet:
    """Where messages to a topic go that phones have subscribed to."""

    def put(self, tx: Tx, subscription: Subscription, message: Message, body: str, now_ms: int) -> None:
        """Send a message to the subscription's phone; raises Undeliverable."""
        account, region, phone_number = subscription.owner, subscription.region, subscription.endpoint
        if opt_outs.is_opted_out(tx, account, region, phone_number):
            raise Undeliverable(OPTED_OUT)
        _put(tx, account, region, phone_number, message, body, outbox.NO_FAILURE, now_ms)


def _put(
    tx: Tx, account: str, region: str, phone_number: str, message: Message, body: str, failure: str, now_ms: int
) -> None:
    given = attributes(tx, account, region)
    details = {name: given[setting] for setting, name in _FROM_ACCOUNT.items() if given.get(setting)}
    details |= outbox.details_of(message)
    outbox.put(
        tx,
        account=account,
        region=region,
        kind="sms",
        destination=phone_number,
        message_id=message.id,
        body=body,
        failure=failure,
        details=details,
        now_ms=now_ms,
    )
