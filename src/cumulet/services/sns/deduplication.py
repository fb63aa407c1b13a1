"""What FIFO topics have accepted lately: the same again is accepted again, and goes to nobody."""

from __future__ import annotations

from cumulet.services.sns.messages import Message
from cumulet.services.sns.topics import Topic
from cumulet.store import Tx

INTERVAL_MS = 300_000
"""SNS: the deduplication interval is 5 minutes."""
FIRST_SEQUENCE_NUMBER = 10**19
"""SNS: a sequence number has 20 digits and grows within a group."""

SELECT_ACCEPTED = """
SELECT message_id, sequence_number FROM sns_deduplications
WHERE topic_id = ? AND scope = ? AND deduplication_id = ? AND expires_at > ?"""
INSERT_ACCEPTED = """
INSERT INTO sns_deduplications (topic_id, scope, deduplication_id, expires_at, message_id, sequence_number)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (topic_id, scope, deduplication_id) DO UPDATE
SET expires_at = excluded.expires_at, message_id = excluded.message_id, sequence_number = excluded.sequence_number"""
SELECT_EXPIRED_ACCEPTED = """
SELECT topic_id, scope, deduplication_id FROM sns_deduplications WHERE expires_at <= ? ORDER BY expires_at LIMIT 2"""
DELETE_ACCEPTED = "DELETE FROM sns_deduplications WHERE topic_id = ? AND scope = ? AND deduplication_id = ?"


def accept(tx: Tx, topic: Topic, message: Message, now_ms: int) -> tuple[str, str, bool]:
    """Return id and sequence number of a message, and whether it is new.

    SNS: what was accepted within 5 minutes with the same deduplication id, in the topic or in the message group as its
    FifoThroughputScope says, is answered with what the first one was.
    """
    scope = message.group_id if topic.attributes.get("FifoThroughputScope") == "MessageGroup" else ""
    first = tx.one(SELECT_ACCEPTED, topic.id, scope, message.dedup_id, now_ms)
    if first is not None:
        return first[0], first[1], False
    for expired in tx.all(SELECT_EXPIRED_ACCEPTED, now_ms):
        tx.run(DELETE_ACCEPTED, *expired)
    sequence_number = str(FIRST_SEQUENCE_NUMBER + tx.next_id())
    expires_ms = now_ms + INTERVAL_MS
    tx.run(INSERT_ACCEPTED, topic.id, scope, message.dedup_id, expires_ms, message.id, sequence_number)
    return message.id, sequence_number, True
