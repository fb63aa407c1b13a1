"""One topic with ten thousand queues. They are copied in the store: making each by a request would take a minute."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import apsw
from sns_topics import Topic

from cumulet.testing import Cumulet

QUEUES = 10_000
NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
COUNT = "SELECT COUNT(*), COUNT(DISTINCT backlog_id) FROM sqs_messages"


def copy(store: apsw.Connection, table: str, count: int, **changes: str) -> None:
    """Copy a table's only row, with columns that are expressions of `n`."""
    columns = [name for _, name, *_ in store.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changes.get(name, name) for name in columns)
    store.execute(f"INSERT INTO {table} {NUMBERS} SELECT {values} FROM {table}, numbers", (count,))


def multiply(folder: Path) -> None:
    """Make ten thousand subscribed queues of the one that there is in a stopped platform's store."""
    with closing(apsw.Connection(str(folder / "cumulet.db"))) as store, store:
        [(first,)] = store.execute("SELECT reserved FROM sequences WHERE name = 'id'")
        store.execute("UPDATE sequences SET reserved = ?", (first + 3 * QUEUES,))
        others = QUEUES - 1
        copy(
            store, "sqs_queues", others, id=f"{first} + n", name="name || '-' || n", backlog_id=f"{first + QUEUES} + n"
        )
        uuid = "printf('%08x', n) || substr(uuid, 9)"
        endpoint = "endpoint || '-' || n"
        copy(store, "sns_subscriptions", others, id=f"{first + 2 * QUEUES} + n", uuid=uuid, endpoint=endpoint)


def test_a_message_reaches_ten_thousand_queues(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with Cumulet(folder) as server:
        topic = Topic(server)
        queue = topic.raw_listener().queue
    multiply(folder)

    with Cumulet(folder) as server:
        topic.sns, sqs = server.client("sns"), server.client("sqs")
        began = time.monotonic()
        topic.publish("for all")
        answered_seconds = time.monotonic() - began
        server.advance(seconds=0)
        arrived_seconds = time.monotonic() - began
        last = sqs.receive_message(QueueUrl=f"{queue.name}-{QUEUES - 1}")["Messages"]

    with closing(apsw.Connection(str(folder / "cumulet.db"))) as store:
        assert store.execute(COUNT).fetchone() == (QUEUES, QUEUES)
    assert [message["Body"] for message in last] == ["for all"]
    assert answered_seconds < 5
    assert arrived_seconds < 20
