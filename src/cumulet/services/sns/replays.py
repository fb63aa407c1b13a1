"""Replays as records: each subscription's last one, and how far it has come.

While a replay is under way its subscription gets no live messages: they wait in the archive until it comes to them.
The transaction that delivers the last of them says that it is completed, so nothing is missing and nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from cumulet.store import Row, Tx

PENDING, IN_PROGRESS, COMPLETED = "Pending", "In progress", "Completed"
"""SNS's names of what a replay has come to; nothing leads to its fourth, Failed."""
UNFINISHED = (PENDING, IN_PROGRESS)

_COLUMNS = "subscription_id, topic_id, number, status, starts_at, ends_at, reached_id"
SELECT_REPLAY = f"SELECT {_COLUMNS} FROM sns_replays WHERE subscription_id = ?"
SELECT_REPLAYS_OF_TOPIC = "SELECT subscription_id, status, ends_at FROM sns_replays WHERE topic_id = ?"
SELECT_BY_STATUS = (
    "SELECT subscription_id FROM sns_replays WHERE status = ? AND subscription_id > ? ORDER BY subscription_id LIMIT ?"
)
INSERT_REPLAY = f"INSERT INTO sns_replays ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, 0)"
UPDATE_REPLAY = "UPDATE sns_replays SET status = ?, ends_at = ?, reached_id = ? WHERE subscription_id = ?"
DELETE_REPLAY = "DELETE FROM sns_replays WHERE subscription_id = ?"
DELETE_REPLAYS_OF_TOPIC = "DELETE FROM sns_replays WHERE topic_id = ?"


class StaleAudience(Exception):
    """A subscription gets live messages that those who know the topic's subscriptions did not know yet."""


class Span(NamedTuple):
    """From when until when messages are to be delivered again."""

    starts_ms: int
    ends_ms: int | None
    """From when on they are not; None where live delivery follows."""


class Replay(msgspec.Struct, frozen=True):
    """One replay as it is on disk."""

    subscription_id: int
    topic_id: int
    number: int
    """Larger than that of the subscription's replays before."""
    status: str
    starts_ms: int
    ends_ms: int | None
    """From when on messages are not delivered; None where live delivery follows."""
    reached_id: int
    """The archived message that it looked at last."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be read from the archive."""
        return self.status not in UNFINISHED


def find(tx: Tx, subscription_id: int) -> Replay | None:
    """Return a subscription's last replay, or None."""
    row = tx.one(SELECT_REPLAY, subscription_id)
    return _from_row(row) if row else None


def start(tx: Tx, subscription_id: int, topic_id: int, span: Span) -> None:
    """Begin a replay, instead of the one that may be under way."""
    delete(tx, subscription_id)
    tx.run(INSERT_REPLAY, subscription_id, topic_id, tx.next_id(), PENDING, *span)


def save(tx: Tx, replay: Replay) -> None:
    """Write how far a replay has come."""
    tx.run(UPDATE_REPLAY, replay.status, replay.ends_ms, replay.reached_id, replay.subscription_id)


def delete(tx: Tx, subscription_id: int) -> None:
    """Forget a subscription's replay; it gets live messages again."""
    tx.run(DELETE_REPLAY, subscription_id)


def delete_all(tx: Tx, topic_id: int) -> None:
    """Forget the replays of a topic whose archive is gone; its subscriptions get live messages."""
    tx.run(DELETE_REPLAYS_OF_TOPIC, topic_id)


def unfinished(tx: Tx, status: str, after: int, limit: int) -> list[int]:
    """Return up to `limit` subscriptions whose replays stand like this, behind one."""
    return [row[0] for row in tx.all(SELECT_BY_STATUS, status, after, limit)]


def held_back(tx: Tx, topic_id: int, known: Collection[int]) -> set[int]:
    """Return the subscriptions of a topic that get no live messages: replays are under way, or met their ends.

    Raises StaleAudience when one that does is not among those that are known.
    """
    held: set[int] = set()
    for subscription_id, status, ends_ms in tx.all(SELECT_REPLAYS_OF_TOPIC, topic_id):
        if status in UNFINISHED or ends_ms is not None:
            held.add(subscription_id)
        elif subscription_id not in known:
            raise StaleAudience
    return held


def _from_row(row: Row) -> Replay:
    return Replay(*row)
