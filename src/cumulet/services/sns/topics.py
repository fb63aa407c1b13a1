"""Topics as records: find, create, change, delete.

A `Topic` is immutable and cached by `Directory`; a change saves a new one and the cache follows once that is on disk.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import msgspec

from cumulet.kernel.arns import partition_of
from cumulet.services.sns.errors import no_such_topic
from cumulet.store import Row, Tx

_COLUMNS = "id, account, region, name, attributes, tags, data_protection, created_at"
SELECT_TOPIC = f"SELECT {_COLUMNS} FROM sns_topics WHERE account = ? AND region = ? AND name = ?"
SELECT_NAMES = "SELECT name FROM sns_topics WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?"
INSERT_TOPIC = (
    f"INSERT INTO sns_topics ({_COLUMNS}, deleted_subscriptions, filter_policies) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)"
)
UPDATE_TOPIC = "UPDATE sns_topics SET attributes = ?, tags = ?, data_protection = ? WHERE id = ?"
DELETE_TOPIC = "DELETE FROM sns_topics WHERE id = ?"
INSERT_DELETED = "INSERT INTO sns_deleted_topics (topic_id) VALUES (?)"


class TopicKey(NamedTuple):
    """What names a topic."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        """The topic's ARN."""
        return topic_arn(*self)


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic as it is on disk."""

    id: int
    account: str
    region: str
    name: str
    attributes: dict[str, str]
    """What has been set, by AWS's names; defaults are not in it."""
    tags: dict[str, str]
    data_protection: str
    """The data protection policy as it was given; empty where there is none."""
    created_ms: int

    @property
    def key(self) -> TopicKey:
        """What names it."""
        return TopicKey(self.account, self.region, self.name)

    @property
    def arn(self) -> str:
        """The topic's ARN."""
        return topic_arn(self.account, self.region, self.name)

    @property
    def is_fifo(self) -> bool:
        """Whether it is a FIFO topic."""
        return self.attributes.get("FifoTopic") == "true"

    @property
    def signature_version(self) -> str:
        """How its messages are signed."""
        return self.attributes.get("SignatureVersion", "1")


@lru_cache(maxsize=4096)
def topic_arn(account: str, region: str, name: str) -> str:
    """Return the ARN of a topic."""
    return f"arn:{partition_of(region)}:sns:{region}:{account}:{name}"


def key_of(arn: str) -> TopicKey:
    """Return which topic an ARN of ours names."""
    *_, region, account, name = arn.split(":")
    return TopicKey(account, region, name)


def find(tx: Tx, key: TopicKey) -> Topic | None:
    """Return the topic of that name, or None."""
    row = tx.one(SELECT_TOPIC, *key)
    return _from_row(row) if row else None


def load(tx: Tx, key: TopicKey) -> Topic:
    """Return the topic of that name as it is in this transaction; raises NotFoundException."""
    topic = find(tx, key)
    if topic is None:
        raise no_such_topic()
    return topic


def create(
    tx: Tx,
    key: TopicKey,
    attributes: dict[str, str],
    tags: dict[str, str],
    data_protection: str,
    now_ms: int,
) -> Topic:
    """Make a topic whose name is free."""
    topic = Topic(
        id=tx.next_id(),
        account=key.account,
        region=key.region,
        name=key.name,
        attributes=attributes,
        tags=tags,
        data_protection=data_protection,
        created_ms=now_ms,
    )
    tx.run(INSERT_TOPIC, topic.id, *key, _text(attributes), _text(tags), data_protection, now_ms)
    return topic


def save(tx: Tx, topic: Topic) -> Topic:
    """Write a changed topic and return it."""
    tx.run(UPDATE_TOPIC, _text(topic.attributes), _text(topic.tags), topic.data_protection, topic.id)
    return topic


def delete(tx: Tx, topic: Topic) -> None:
    """Delete the topic; its subscriptions are gone for everyone at once and collected later."""
    tx.run(DELETE_TOPIC, topic.id)
    tx.run(INSERT_DELETED, topic.id)


def names(tx: Tx, account: str, region: str, after: str, limit: int) -> list[str]:
    """Return up to `limit` names of an account's topics that sort behind `after`."""
    return [row[0] for row in tx.all(SELECT_NAMES, account, region, after, limit)]


def _from_row(row: Row) -> Topic:
    return Topic(
        id=row[0],
        account=row[1],
        region=row[2],
        name=row[3],
        attributes=msgspec.json.decode(row[4], type=dict[str, str]),
        tags=msgspec.json.decode(row[5], type=dict[str, str]),
        data_protection=row[6],
        created_ms=row[7],
    )


def _text(mapping: dict[str, str]) -> str:
    return msgspec.json.encode(mapping).decode()
