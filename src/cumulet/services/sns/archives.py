"""Archives as records: what FIFO topics have published, in order, as long as their policies say.

A message is written in the transaction that publishes it. Nothing is changed afterwards; what is too old is removed
from the beginning, and all of an archive that was closed.
"""

from __future__ import annotations

from typing import NamedTuple

from cumulet.services.sns import archive_policies, messages
from cumulet.services.sns.messages import Message
from cumulet.services.sns.topics import Topic
from cumulet.store import Row, Tx

_COLUMNS = "id, topic_id, is_open, retention_ms, opened_at"
SELECT_ARCHIVE = f"SELECT {_COLUMNS} FROM sns_archives WHERE id = ?"
SELECT_OPEN_ARCHIVE = f"SELECT {_COLUMNS} FROM sns_archives WHERE topic_id = ? AND is_open = 1"
SELECT_ARCHIVE_IDS = "SELECT id FROM sns_archives WHERE id > ? ORDER BY id LIMIT ?"
INSERT_ARCHIVE = f"INSERT INTO sns_archives ({_COLUMNS}) VALUES (?, ?, 1, ?, ?)"
UPDATE_RETENTION = "UPDATE sns_archives SET retention_ms = ? WHERE id = ?"
CLOSE_ARCHIVE = "UPDATE sns_archives SET is_open = 0 WHERE id = ?"
DELETE_ARCHIVE = "DELETE FROM sns_archives WHERE id = ?"
INSERT_ARCHIVED = "INSERT INTO sns_archived_messages (id, archive_id, published_at, message) VALUES (?, ?, ?, ?)"
SELECT_HEADS = """
SELECT id, published_at, LENGTH(message) FROM sns_archived_messages
WHERE archive_id = ? AND id > ? ORDER BY id LIMIT ?"""
SELECT_ARCHIVED = """
SELECT message FROM sns_archived_messages WHERE archive_id = ? AND id > ? AND id <= ? ORDER BY id"""
SELECT_NEXT_ARCHIVED = """
SELECT id, published_at FROM sns_archived_messages WHERE archive_id = ? AND id >= ? ORDER BY id LIMIT 1"""
SELECT_LAST_ARCHIVED = "SELECT id FROM sns_archived_messages WHERE archive_id = ? ORDER BY id DESC LIMIT 1"
DELETE_ARCHIVED = "DELETE FROM sns_archived_messages WHERE archive_id = ? AND id <= ?"


class Archive(NamedTuple):
    """The archive of a topic."""

    id: int
    topic_id: int
    is_open: bool
    """Whether the topic has it still."""
    retention_ms: int
    opened_ms: int

    def beginning_ms(self, now_ms: int) -> int:
        """Return from when on messages can be replayed."""
        return max(self.opened_ms, now_ms - self.retention_ms)


class Head(NamedTuple):
    """What there is to know of an archived message before it is read."""

    id: int
    published_ms: int
    size_bytes: int


def find(tx: Tx, number: int) -> Archive | None:
    """Return an archive, or None."""
    row = tx.one(SELECT_ARCHIVE, number)
    return _from_row(row) if row else None


def of_topic(tx: Tx, topic_id: int) -> Archive | None:
    """Return a topic's open archive, or None."""
    row = tx.one(SELECT_OPEN_ARCHIVE, topic_id)
    return _from_row(row) if row else None


def ids(tx: Tx, after: int, limit: int) -> list[int]:
    """Return the ids of up to `limit` archives, open or not."""
    return [row[0] for row in tx.all(SELECT_ARCHIVE_IDS, after, limit)]


def follow(tx: Tx, topic: Topic, now_ms: int) -> Archive | None:
    """Open, change or close a topic's archive as its policy says; return it where it has changed."""
    archive, retention_ms = of_topic(tx, topic.id), archive_policies.retention_ms(topic.attributes)
    if archive is None:
        if retention_ms is None:
            return None
        archive = Archive(tx.next_id(), topic.id, True, retention_ms, now_ms)
        tx.run(INSERT_ARCHIVE, archive.id, topic.id, retention_ms, now_ms)
        return archive
    if retention_ms is None:
        tx.run(CLOSE_ARCHIVE, archive.id)
        return archive._replace(is_open=False)
    if retention_ms == archive.retention_ms:
        return None
    tx.run(UPDATE_RETENTION, retention_ms, archive.id)
    return archive._replace(retention_ms=retention_ms)


def insert(tx: Tx, archive: Archive, number: int, message: Message) -> None:
    """Keep a message, whose number is larger than those of all before."""
    tx.run(INSERT_ARCHIVED, number, archive.id, message.published_ms, messages.encoded(message))


def heads(tx: Tx, archive: Archive, after: int, limit: int) -> list[Head]:
    """Return up to `limit` messages behind one, in order."""
    return [Head(*row) for row in tx.all(SELECT_HEADS, archive.id, after, limit)]


def between(tx: Tx, archive: Archive, after: int, last: int) -> list[Message]:
    """Return the messages behind one, up to another, in order."""
    return [messages.decoded(row[0]) for row in tx.all(SELECT_ARCHIVED, archive.id, after, last)]


def before(tx: Tx, archive: Archive, moment_ms: int) -> int:
    """Return a number behind which come the messages that were published at a moment or later.

    They are in the order of time, so the first is found by halving.
    """
    first, last = tx.one(SELECT_NEXT_ARCHIVED, archive.id, 0), tx.one(SELECT_LAST_ARCHIVED, archive.id)
    if first is None or last is None:
        return 0
    low, high = first[0], last[0] + 1
    while low < high:
        middle = (low + high) // 2
        found = tx.one(SELECT_NEXT_ARCHIVED, archive.id, middle)
        assert found is not None
        if found[1] < moment_ms:
            low = found[0] + 1
        else:
            high = middle
    return int(low) - 1


def remove(tx: Tx, archive: Archive, now_ms: int, limit: int) -> int | None:
    """Remove up to `limit` messages that are too old, or any when it is closed; the archive too where it is empty then.

    Return when to go on, now if there may be more; None when that is when something is published again, or never.
    """
    found = heads(tx, archive, 0, limit)
    until_ms = now_ms - archive.retention_ms
    old = [head for head in found if not archive.is_open or head.published_ms <= until_ms]
    if old:
        tx.run(DELETE_ARCHIVED, archive.id, old[-1].id)
    if len(old) == limit:
        return now_ms
    if not archive.is_open:
        tx.run(DELETE_ARCHIVE, archive.id)
        return None
    return found[len(old)].published_ms + archive.retention_ms if len(found) > len(old) else None


def _from_row(row: Row) -> Archive:
    return Archive(row[0], row[1], bool(row[2]), row[3], row[4])
