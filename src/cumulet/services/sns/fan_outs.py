"""Messages on their way to more endpoints than a publish reaches itself, as records: insert, find, go on, end."""

from __future__ import annotations

import msgspec

from cumulet.services.sns import messages
from cumulet.services.sns.messages import Message
from cumulet.services.sns.topics import TopicKey
from cumulet.store import Row, Tx

_COLUMNS = "id, account, region, topic_name, base_url, reached_id, message"
INSERT_FAN_OUT = f"INSERT INTO sns_fan_outs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
SELECT_FAN_OUT = f"SELECT {_COLUMNS} FROM sns_fan_outs WHERE id = ?"
SELECT_FAN_OUT_IDS = "SELECT id FROM sns_fan_outs WHERE id > ? ORDER BY id LIMIT ?"
ADVANCE_FAN_OUT = "UPDATE sns_fan_outs SET reached_id = ? WHERE id = ?"
DELETE_FAN_OUT = "DELETE FROM sns_fan_outs WHERE id = ?"


class FanOut(msgspec.Struct, frozen=True):
    """One message on its way."""

    id: int
    """Larger than the ids of all subscriptions that get it."""
    key: TopicKey
    base_url: str
    """Under which the publisher reached the platform."""
    reached_id: int
    """Which subscription was the last to get it."""
    message: Message


def insert(tx: Tx, key: TopicKey, base_url: str, reached_id: int, message: Message) -> FanOut:
    """Write a message whose subscriptions behind `reached_id` are to get it later."""
    fan_out = FanOut(tx.next_id(), key, base_url, reached_id, message)
    tx.run(INSERT_FAN_OUT, fan_out.id, *key, base_url, reached_id, messages.encoded(message))
    return fan_out


def find(tx: Tx, number: int) -> FanOut | None:
    """Return a message that is on its way, or None."""
    row = tx.one(SELECT_FAN_OUT, number)
    return _from_row(row) if row else None


def ids(tx: Tx, after: int, limit: int) -> list[int]:
    """Return the ids of up to `limit` messages on their way, those that came first."""
    return [row[0] for row in tx.all(SELECT_FAN_OUT_IDS, after, limit)]


def advance(tx: Tx, fan_out: FanOut, reached_id: int) -> FanOut:
    """Write which subscription was the last to get a message."""
    tx.run(ADVANCE_FAN_OUT, reached_id, fan_out.id)
    return msgspec.structs.replace(fan_out, reached_id=reached_id)


def delete(tx: Tx, fan_out: FanOut) -> None:
    """Forget a message that all have got."""
    tx.run(DELETE_FAN_OUT, fan_out.id)


def _from_row(row: Row) -> FanOut:
    return FanOut(row[0], TopicKey(row[1], row[2], row[3]), row[4], row[5], messages.decoded(row[6]))
