"""Subscriptions as records: find, create, change, delete, list. A `Subscription` is immutable."""

from __future__ import annotations

import re

import msgspec

from cumulet.services.sns import replays, topics, usage
from cumulet.store import Row, Tx

_COLUMNS = (
    "id, topic_id, topic_arn, uuid, region, owner, principal, protocol, endpoint, attributes, token, is_confirmed, "
    "is_authenticated, created_at"
)
SELECT_BY_UUID = f"SELECT {_COLUMNS} FROM sns_subscriptions WHERE uuid = ?"
SELECT_BY_ID = f"SELECT {_COLUMNS} FROM sns_subscriptions WHERE id = ?"
SELECT_BY_ENDPOINT = f"SELECT {_COLUMNS} FROM sns_subscriptions WHERE topic_id = ? AND protocol = ? AND endpoint = ?"
SELECT_OF_TOPIC = f"SELECT {_COLUMNS} FROM sns_subscriptions WHERE topic_id = ? AND id > ? ORDER BY id LIMIT ?"
SELECT_OF_OWNER = (
    f"SELECT {_COLUMNS} FROM sns_subscriptions WHERE owner = ? AND region = ? AND id > ? ORDER BY id LIMIT ?"
)
INSERT_SUBSCRIPTION = f"INSERT INTO sns_subscriptions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
UPDATE_SUBSCRIPTION = (
    "UPDATE sns_subscriptions SET attributes = ?, token = ?, is_confirmed = ?, is_authenticated = ? WHERE id = ?"
)
RENEW_SUBSCRIPTION = "UPDATE sns_subscriptions SET token = ?, created_at = ? WHERE id = ?"
SELECT_OLDEST_PENDING = "SELECT MIN(created_at) FROM sns_subscriptions WHERE is_confirmed = 0"
SELECT_PENDING = (
    f"SELECT {_COLUMNS} FROM sns_subscriptions WHERE is_confirmed = 0 AND created_at < ? ORDER BY created_at LIMIT ?"
)
SELECT_DELETED_TOPIC = "SELECT topic_id FROM sns_deleted_topics WHERE topic_id = ?"
DELETE_SUBSCRIPTION = "DELETE FROM sns_subscriptions WHERE id = ?"
COUNT_DELETED = "UPDATE sns_topics SET deleted_subscriptions = deleted_subscriptions + 1 WHERE id = ?"

_PASSWORD = re.compile(r"^([a-z]+://[^/?#:]*:)[^/?#]*(?=@)")
IS_RAW = {"lambda": False, "sms": True, "application": True, "email": True, "email-json": False}
"""The protocols for which RawMessageDelivery means nothing."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription as it is on disk."""

    id: int
    topic_id: int
    topic_arn: str
    uuid: str
    region: str
    """The topic's."""
    owner: str
    """The account that has subscribed."""
    principal: str
    """Who has: the ARN of the caller of Subscribe."""
    protocol: str
    endpoint: str
    attributes: dict[str, str]
    """What has been set, by AWS's names; defaults are not in it."""
    token: str
    """What confirms it."""
    is_confirmed: bool
    is_authenticated: bool
    """Was it confirmed so that only its owner may end it?"""
    created_ms: int

    @property
    def has_filter_policy(self) -> bool:
        """Whether a filter policy chooses its messages."""
        return bool(self.attributes.get(usage.FILTER_POLICY))

    @property
    def arn(self) -> str:
        """The subscription's ARN."""
        return f"{self.topic_arn}:{self.uuid}"

    @property
    def shown_endpoint(self) -> str:
        """The endpoint as SNS shows it: without the password of an address."""
        return without_password(self.endpoint) if self.protocol == "https" else self.endpoint

    @property
    def is_raw(self) -> bool:
        """Does the endpoint get the message itself, without the envelope?

        SNS: functions never do, phones and mails of text always.
        """
        if self.protocol in IS_RAW:
            return IS_RAW[self.protocol]
        return self.attributes.get("RawMessageDelivery") == "true"


def without_password(url: str) -> str:
    """Return an address with asterisks for its password."""
    return _PASSWORD.sub(r"\1****", url, count=1)


def find(tx: Tx, uuid: str) -> Subscription | None:
    """Return the subscription whose ARN ends like this, or None."""
    row = tx.one(SELECT_BY_UUID, uuid)
    return _from_row(row) if row else None


def find_by_id(tx: Tx, subscription_id: int) -> Subscription | None:
    """Return a subscription, or None."""
    row = tx.one(SELECT_BY_ID, subscription_id)
    return _from_row(row) if row else None


def find_same(tx: Tx, topic_id: int, protocol: str, endpoint: str) -> Subscription | None:
    """Return the subscription of an endpoint to a topic, or None."""
    row = tx.one(SELECT_BY_ENDPOINT, topic_id, protocol, endpoint)
    return _from_row(row) if row else None


def insert(tx: Tx, subscription: Subscription) -> None:
    """Write a new subscription."""
    tx.run(
        INSERT_SUBSCRIPTION,
        subscription.id,
        subscription.topic_id,
        subscription.topic_arn,
        subscription.uuid,
        subscription.region,
        subscription.owner,
        subscription.principal,
        subscription.protocol,
        subscription.endpoint,
        _text(subscription.attributes),
        subscription.token,
        int(subscription.is_confirmed),
        int(subscription.is_authenticated),
        subscription.created_ms,
    )
    _count_filter_policy(tx, subscription, int(subscription.has_filter_policy))


def save(tx: Tx, subscription: Subscription) -> Subscription:
    """Write a changed subscription and return it."""
    tx.run(
        UPDATE_SUBSCRIPTION,
        _text(subscription.attributes),
        subscription.token,
        int(subscription.is_confirmed),
        int(subscription.is_authenticated),
        subscription.id,
    )
    return subscription


def renew(tx: Tx, subscription: Subscription, token: str, now_ms: int) -> Subscription:
    """Give a pending subscription a new token, as if it were made now, and return it."""
    tx.run(RENEW_SUBSCRIPTION, token, now_ms, subscription.id)
    return msgspec.structs.replace(subscription, token=token, created_ms=now_ms)


def delete(tx: Tx, subscription: Subscription) -> None:
    """Delete a subscription and its replay; its topic counts it."""
    replays.delete(tx, subscription.id)
    tx.run(DELETE_SUBSCRIPTION, subscription.id)
    tx.run(COUNT_DELETED, subscription.topic_id)
    _count_filter_policy(tx, subscription, -int(subscription.has_filter_policy))


def change(tx: Tx, before: Subscription, attributes: dict[str, str]) -> Subscription:
    """Give a subscription other attributes and return it."""
    after = save(tx, msgspec.structs.replace(before, attributes=attributes))
    _count_filter_policy(tx, after, int(after.has_filter_policy) - int(before.has_filter_policy))
    return after


def of_topic(tx: Tx, topic_id: int, after: int, limit: int) -> list[Subscription]:
    """Return up to `limit` subscriptions to a topic whose ids are larger than `after`."""
    return [_from_row(row) for row in tx.all(SELECT_OF_TOPIC, topic_id, after, limit)]


def of_owner(tx: Tx, owner: str, region: str, after: int, limit: int) -> list[Subscription]:
    """Return up to `limit` subscriptions of an account in a region whose ids are larger than `after`."""
    return [_from_row(row) for row in tx.all(SELECT_OF_OWNER, owner, region, after, limit)]


def oldest_pending_ms(tx: Tx) -> int | None:
    """Return since when the oldest pending subscription is there, or None when there is none."""
    row = tx.one(SELECT_OLDEST_PENDING)
    return row[0] if row else None


def pending_before(tx: Tx, before_ms: int, limit: int) -> list[Subscription]:
    """Return up to `limit` pending subscriptions from before a time, oldest first."""
    return [_from_row(row) for row in tx.all(SELECT_PENDING, before_ms, limit)]


def is_of_deleted_topic(tx: Tx, subscription: Subscription) -> bool:
    """Is it gone with its topic, and only still to be collected?"""
    return tx.one(SELECT_DELETED_TOPIC, subscription.topic_id) is not None


def still_there(tx: Tx, found: list[Subscription]) -> list[Subscription]:
    """Return those of some subscriptions whose topics are not deleted."""
    return [subscription for subscription in found if not is_of_deleted_topic(tx, subscription)]


def _count_filter_policy(tx: Tx, subscription: Subscription, change: int) -> None:
    if change:
        usage.count_filter_policy(tx, topics.key_of(subscription.topic_arn), subscription.topic_id, change)


def _from_row(row: Row) -> Subscription:
    return Subscription(
        id=row[0],
        topic_id=row[1],
        topic_arn=row[2],
        uuid=row[3],
        region=row[4],
        owner=row[5],
        principal=row[6],
        protocol=row[7],
        endpoint=row[8],
        attributes=msgspec.json.decode(row[9], type=dict[str, str]),
        token=row[10],
        is_confirmed=bool(row[11]),
        is_authenticated=bool(row[12]),
        created_ms=row[13],
    )


def _text(mapping: dict[str, str]) -> str:
    return msgspec.json.encode(mapping).decode()
