"""How many subscriptions a topic has."""

from __future__ import annotations

from typing import NamedTuple

from cumulet.services.sns.topics import TopicKey
from cumulet.store import Tx

SELECT_COUNT = "SELECT COUNT(*) FROM sns_subscriptions WHERE topic_id = ? AND is_confirmed = ?"
SELECT_DELETED = "SELECT id, deleted_subscriptions FROM sns_topics WHERE account = ? AND region = ? AND name = ?"


class Counts(NamedTuple):
    """A topic's subscriptions by their state."""

    confirmed: int
    pending: int
    deleted: int


def count(tx: Tx, key: TopicKey) -> Counts:
    """Count the subscriptions of a topic; all zero when it is gone."""
    row = tx.one(SELECT_DELETED, *key)
    if row is None:
        return Counts(0, 0, 0)
    return Counts(_count(tx, row[0], 1), _count(tx, row[0], 0), row[1])


def _count(tx: Tx, topic_id: int, is_confirmed: int) -> int:
    row = tx.one(SELECT_COUNT, topic_id, is_confirmed)
    assert row is not None
    return int(row[0])
