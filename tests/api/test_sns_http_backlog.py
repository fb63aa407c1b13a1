"""SNS: what waits for a dead HTTP endpoint, however much it is, holds up nobody else."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import apsw
import psutil
from http_endpoint import Endpoint, serving

from cumulet.testing import Cumulet

REFUSED, HANGING = 100_000, 10_000
MESSAGES = 100
MULTIPLY = """
WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?)
INSERT INTO deliveries (id, lane, target, due_at, accepted_at, attempts, deferrals, request_id, trace_header, payload)
SELECT ? - number, lane, target, due_at, accepted_at, attempts, deferrals, request_id, trace_header, payload
FROM deliveries, numbers WHERE lane = ?"""
COUNT = "SELECT COUNT(*), COUNT(*) FILTER (WHERE attempts > 0) FROM deliveries"


def subscribed(server: Cumulet, name: str, endpoint: Endpoint) -> tuple[str, str]:
    """Return a topic, and the subscription of an endpoint that has confirmed it."""
    sns = server.client("sns")
    topic: str = sns.create_topic(Name=name)["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url, Attributes=raw)
    [asked] = endpoint.wait_for(1, "SubscriptionConfirmation")
    with urlopen(asked.document["SubscribeURL"]) as answer:
        answer.read()
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return topic, subscription["SubscriptionArn"]


def abandoned(server: Cumulet, name: str) -> tuple[str, int]:
    """Return the subscription of an endpoint that is not there any more, for which a message waits, and its port."""
    with serving() as dying:
        topic, subscription = subscribed(server, name, dying)
    server.client("sns").publish(TopicArn=topic, Message="text")
    return subscription, int(dying.url.split(":")[2].split("/")[0])


def multiply(folder: Path, counts: dict[str, int]) -> None:
    """Let so many deliveries of each lane wait in a stopped platform's store."""
    with closing(apsw.Connection(str(folder / "cumulet.db"))) as store:
        store.execute("PRAGMA synchronous = OFF")
        for number, (lane, count) in enumerate(counts.items()):
            store.execute(MULTIPLY, (count, -number * 1_000_000, lane))


def counted(folder: Path) -> tuple[int, int]:
    """Return how many deliveries a stopped platform has, and how many of them were tried."""
    with closing(apsw.Connection(str(folder / "cumulet.db"))) as store:
        waiting, tried = store.execute(COUNT).fetchone()
        return waiting, tried


def test_backlog_of_dead_endpoints_holds_up_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with serving() as alive:
        with Cumulet(folder, clock="real") as server:
            healthy, _ = subscribed(server, "healthy", alive)
            refusing, _ = abandoned(server, "refusing")
            hanging, port = abandoned(server, "hanging")
        multiply(folder, {refusing: REFUSED, hanging: HANGING})

        began = time.monotonic()
        with closing(socket.create_server(("127.0.0.1", port))), Cumulet(folder, clock="real") as server:
            assert server.process is not None
            sns = server.client("sns")
            for number in range(MESSAGES):
                sns.publish(TopicArn=healthy, Message=str(number))
            posts = alive.wait_for(MESSAGES)
            seconds = time.monotonic() - began
            memory_mb = psutil.Process(server.process.pid).memory_info().rss / 1e6

    waiting, tried = counted(folder)
    assert sorted(int(post.body) for post in posts) == list(range(MESSAGES))
    assert waiting == REFUSED + HANGING + 2
    assert tried
    assert seconds < 10
    assert memory_mb < 200
