"""Queues as records: find, create, change, purge, delete; their attributes are in `attributes`.

A `Queue` is immutable and cached by `Directory`; a change saves a new one and the cache follows once that is on
disk. A request that runs beside a change may still act on the queue as it was just before.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from cumulet.kernel.arns import partition_of
from cumulet.services.sqs.attributes import Settings, settings_of
from cumulet.services.sqs.errors import PurgeQueueInProgress, QueueDeletedRecently, QueueDoesNotExist
from cumulet.store import Row, Tx

DELETED_NAME_REST_MS = 60_000
"""SQS: a queue's name can be used again 60 seconds after the queue was deleted."""
PURGE_REST_MS = 60_000
"""SQS: only one PurgeQueue in 60 seconds."""

SELECT_QUEUE = """
SELECT id, account, region, name, backlog_id, attributes, tags, created_at, modified_at, purged_at
FROM sqs_queues WHERE account = ? AND region = ? AND name = ?"""
SELECT_ALL_QUEUES = """
SELECT id, account, region, name, backlog_id, attributes, tags, created_at, modified_at, purged_at
FROM sqs_queues"""
SELECT_NAMES = """
SELECT name FROM sqs_queues WHERE account = ? AND region = ? AND name > ? AND name >= ? AND name < ?
ORDER BY name LIMIT ?"""
SELECT_DEAD_LETTER_SOURCES = """
SELECT account, region, name FROM sqs_queues WHERE dead_letter_arn = ? AND name > ? ORDER BY name LIMIT ?"""
INSERT_QUEUE = """
INSERT INTO sqs_queues (id, account, region, name, backlog_id, attributes, tags, dead_letter_arn,
                        created_at, modified_at, purged_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
UPDATE_QUEUE = """
UPDATE sqs_queues SET backlog_id = ?, attributes = ?, tags = ?, dead_letter_arn = ?, modified_at = ?, purged_at = ?
WHERE id = ?"""
DELETE_QUEUE = "DELETE FROM sqs_queues WHERE id = ?"
SELECT_DELETED_AT = "SELECT deleted_at FROM sqs_deleted_queues WHERE account = ? AND region = ? AND name = ?"
INSERT_DELETED = "INSERT INTO sqs_deleted_queues (account, region, name, deleted_at) VALUES (?, ?, ?, ?)"
DELETE_DELETED = "DELETE FROM sqs_deleted_queues WHERE account = ? AND region = ? AND name = ?"
DELETE_DELETED_LONG_AGO = "DELETE FROM sqs_deleted_queues WHERE deleted_at <= ?"
INSERT_OLD_BACKLOG = "INSERT INTO sqs_old_backlogs (backlog_id) VALUES (?)"
END_OF_TEXT = "\U0010ffff"


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """One queue as it is on disk."""

    id: int
    account: str
    region: str
    name: str
    backlog_id: int
    attributes: dict[str, str]
    """What has been set, by AWS's names; defaults are not in it."""
    settings: Settings
    """What follows from the attributes and the defaults."""
    tags: dict[str, str]
    created_ms: int
    modified_ms: int
    purged_ms: int = 0

    @property
    def arn(self) -> str:
        """The queue's ARN."""
        return queue_arn(self.account, self.region, self.name)

    @property
    def is_fifo(self) -> bool:
        """Whether it is a FIFO queue."""
        return self.settings.fifo


@lru_cache(maxsize=4096)
def queue_arn(account: str, region: str, name: str) -> str:
    """Return the ARN of a queue."""
    return f"arn:{partition_of(region)}:sqs:{region}:{account}:{name}"


def find(tx: Tx, account: str, region: str, name: str) -> Queue | None:
    """Return the queue of that name, or None."""
    row = tx.one(SELECT_QUEUE, account, region, name)
    return _from_row(row) if row else None


def load(tx: Tx, account: str, region: str, name: str) -> Queue:
    """Return the queue of that name as it is in this transaction; raises QueueDoesNotExist."""
    queue = find(tx, account, region, name)
    if queue is None:
        raise QueueDoesNotExist()
    return queue


def every(tx: Tx) -> list[Queue]:
    """Return all queues of all accounts."""
    return [_from_row(row) for row in tx.all(SELECT_ALL_QUEUES)]


def create(
    tx: Tx, account: str, region: str, name: str, attributes: dict[str, str], tags: dict[str, str], now_ms: int
) -> Queue:
    """Make a queue whose name is free.

    SQS: a queue that was deleted less than 60 seconds ago can't be created again (QueueDeletedRecently).
    """
    deleted = tx.one(SELECT_DELETED_AT, account, region, name)
    if deleted:
        if now_ms < deleted[0] + DELETED_NAME_REST_MS:
            raise QueueDeletedRecently(
                "You must wait 60 seconds after deleting a queue before you can create another with the same name."
            )
        tx.run(DELETE_DELETED, account, region, name)
    queue = Queue(
        id=tx.next_id(),
        account=account,
        region=region,
        name=name,
        backlog_id=tx.next_id(),
        attributes=attributes,
        settings=settings_of(attributes),
        tags=tags,
        created_ms=now_ms,
        modified_ms=now_ms,
    )
    tx.run(
        INSERT_QUEUE,
        queue.id,
        account,
        region,
        name,
        queue.backlog_id,
        _text(attributes),
        _text(tags),
        queue.settings.dead_letter_arn,
        now_ms,
        now_ms,
        0,
    )
    return queue


def save(tx: Tx, queue: Queue) -> Queue:
    """Write a changed queue and return it."""
    tx.run(
        UPDATE_QUEUE,
        queue.backlog_id,
        _text(queue.attributes),
        _text(queue.tags),
        queue.settings.dead_letter_arn,
        queue.modified_ms,
        queue.purged_ms,
        queue.id,
    )
    return queue


def with_attributes(queue: Queue, attributes: dict[str, str], now_ms: int) -> Queue:
    """Return the queue with other attributes."""
    return msgspec.structs.replace(queue, attributes=attributes, settings=settings_of(attributes), modified_ms=now_ms)


def purge(tx: Tx, queue: Queue, now_ms: int) -> Queue:
    """Leave all messages behind and return the emptied queue; at most once in 60 seconds (PurgeQueueInProgress)."""
    if queue.purged_ms and now_ms < queue.purged_ms + PURGE_REST_MS:
        raise PurgeQueueInProgress(f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds.")
    tx.run(INSERT_OLD_BACKLOG, queue.backlog_id)
    return save(tx, msgspec.structs.replace(queue, backlog_id=tx.next_id(), purged_ms=now_ms))


def delete(tx: Tx, queue: Queue, now_ms: int) -> None:
    """Delete the queue; its messages are gone for everyone at once and collected later."""
    tx.run(DELETE_QUEUE, queue.id)
    tx.run(INSERT_OLD_BACKLOG, queue.backlog_id)
    tx.run(DELETE_DELETED_LONG_AGO, now_ms - DELETED_NAME_REST_MS)
    tx.run(INSERT_DELETED, queue.account, queue.region, queue.name, now_ms)


def names(tx: Tx, account: str, region: str, prefix: str, after: str, limit: int) -> list[str]:
    """Return up to `limit` names of an account's queues that begin with `prefix` and sort behind `after`."""
    return [row[0] for row in tx.all(SELECT_NAMES, account, region, after, prefix, prefix + END_OF_TEXT, limit)]


def dead_letter_sources(tx: Tx, arn: str, after: str, limit: int) -> list[tuple[str, str, str]]:
    """Return (account, region, name) of up to `limit` queues whose dead-letter queue is `arn`, by name."""
    return [(row[0], row[1], row[2]) for row in tx.all(SELECT_DEAD_LETTER_SOURCES, arn, after, limit)]


def _from_row(row: Row) -> Queue:
    attributes = msgspec.json.decode(row[5], type=dict[str, str])
    return Queue(
        id=row[0],
        account=row[1],
        region=row[2],
        name=row[3],
        backlog_id=row[4],
        attributes=attributes,
        settings=settings_of(attributes),
        tags=msgspec.json.decode(row[6], type=dict[str, str]),
        created_ms=row[7],
        modified_ms=row[8],
        purged_ms=row[9],
    )


def _text(mapping: dict[str, str]) -> str:
    return msgspec.json.encode(mapping).decode()
