"""The outbox: what would have gone to a telephone, as text message or mobile push, and mail where no server is named.

It is kept to be read by people and tests.

Nothing leaves the machine. An item says whether SNS would have delivered it, and why not; items are kept for 14 days.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from cumulet.services.sns.messages import Message
from cumulet.store import Row, Tx

KEPT_MS = 14 * 86_400_000
AGED_AT_ONCE = 2
"""So many old items go with each new one: twice as many as come."""

_COLUMNS = "id, account, region, kind, destination, message_id, body, failure, details, sent_at"
INSERT_ITEM = f"INSERT INTO sns_outbox ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SELECT_NEWEST = f"SELECT {_COLUMNS} FROM sns_outbox WHERE id > ? ORDER BY id DESC LIMIT ?"
SELECT_OF_ACCOUNT = f"SELECT {_COLUMNS} FROM sns_outbox WHERE account = ? AND id > ? ORDER BY id DESC LIMIT ?"
SELECT_OF_DESTINATION = f"SELECT {_COLUMNS} FROM sns_outbox WHERE destination = ? AND id > ? ORDER BY id DESC LIMIT ?"
SELECT_AGED = "SELECT id FROM sns_outbox WHERE sent_at <= ? ORDER BY sent_at, id LIMIT ?"
DELETE_ITEM = "DELETE FROM sns_outbox WHERE id = ?"

NO_DETAILS: Mapping[str, str] = MappingProxyType({})
NO_FAILURE = ""

Kind = Literal["sms", "push", "email"]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one telephone or address."""

    id: int
    account: str
    region: str
    kind: Kind
    destination: str
    """A phone number, the ARN of an endpoint of an app, or a mail address."""
    message_id: str
    body: str
    failure: str
    """Why SNS would not have delivered it; empty where it would."""
    details: Mapping[str, str]
    """What else there is, by name: subject, platform, token, message attributes."""
    sent_ms: int


def put(
    tx: Tx,
    *,
    account: str,
    region: str,
    kind: Kind,
    destination: str,
    message_id: str,
    body: str,
    now_ms: int,
    failure: str = NO_FAILURE,
    details: Mapping[str, str] = NO_DETAILS,
) -> None:
    """Write an item, and forget some that are too old."""
    for row in tx.all(SELECT_AGED, now_ms - KEPT_MS, AGED_AT_ONCE):
        tx.run(DELETE_ITEM, row[0])
    text = msgspec.json.encode(details).decode()
    tx.run(INSERT_ITEM, tx.next_id(), account, region, kind, destination, message_id, body, failure, text, now_ms)


def details_of(message: Message) -> dict[str, str]:
    """Return what an item tells of a message beside its body; binary attributes are left out."""
    details = {name: given.value for name, given in message.attributes.items() if isinstance(given.value, str)}
    if message.topic_arn:
        details["topic_arn"] = message.topic_arn
    if message.subject is not None:
        details["subject"] = message.subject
    return details


def newest(tx: Tx, *, after: int, limit: int, account: str | None = None, destination: str | None = None) -> list[Item]:
    """Return the newest items, oldest first: up to `limit` with ids above `after`, and of them those that are asked
    for by both, where both are named.
    """
    if destination is not None:
        rows = tx.all(SELECT_OF_DESTINATION, destination, after, limit)
    elif account is not None:
        rows = tx.all(SELECT_OF_ACCOUNT, account, after, limit)
    else:
        rows = tx.all(SELECT_NEWEST, after, limit)
    return [_from_row(row) for row in reversed(rows) if account in (None, row[1])]


def _from_row(row: Row) -> Item:
    return Item(
        id=row[0],
        account=row[1],
        region=row[2],
        kind=row[3],
        destination=row[4],
        message_id=row[5],
        body=row[6],
        failure=row[7],
        details=msgspec.json.decode(row[8], type=dict[str, str]),
        sent_ms=row[9],
    )
