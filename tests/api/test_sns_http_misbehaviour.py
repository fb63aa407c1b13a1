"""SNS: endpoints that do what none should, all on one topic with one that works."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from sqs_queues import Queues

from cumulet.testing import Cumulet

MESSAGES = 10
TAKEN = {"good", "endless-body", "chatty", "redirect", "missing"}
"""SNS: every status from 200 to 499 but 429."""
REFUSED = {"garbage", "early", "endless-head", "no-length", "broken"}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
ANSWERS = {
    "good": OK,
    "chatty": b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n" * 50 + OK,
    "garbage": b"\0\1\2 no HTTP \xff" * 20,
    "early": b"",
    "redirect": b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n",
    "no-length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    "missing": b"HTTP/1.1 404 Not Found\r\n\r\n" + b"x" * 50_000,
    "broken": b"HTTP/1.1 503 Service Unavailable\r\n\r\n" + b"x" * 50_000,
}
ENDLESS = {
    "endless-body": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000),
    "endless-head": (b"HTTP/1.1 200 OK\r\n", b"Header: x\r\n" * 1000),
}


class Crowd:
    """Endpoints by their path, and what each has got."""

    def __init__(self) -> None:
        self.port = 0
        self.got: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """Bodies of notifications, by path."""
        self.tokens: dict[str, str] = {}
        self._arrived = threading.Condition()

    def wait(self, is_enough: str) -> None:
        """Wait until all have their token, or the good one all messages."""
        enough = {
            "tokens": lambda: self.tokens.keys() == TAKEN | REFUSED,
            "messages": lambda: len(self.got["good"]) == MESSAGES,
        }[is_enough]
        with self._arrived:
            assert self._arrived.wait_for(enough, 20)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1].strip("/")
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            body = (await reader.readexactly(int(fields["content-length"]))).decode()
            with self._arrived:
                if fields["x-amz-sns-message-type"] == "subscriptionconfirmation":
                    self.tokens[path] = json.loads(body)["Token"]
                else:
                    self.got[path][body] += 1
                self._arrived.notify_all()
            if path in ANSWERS:
                writer.write(ANSWERS[path])
                return
            first, more = ENDLESS[path]
            writer.write(first)
            while True:
                writer.write(more)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@contextmanager
def gathered() -> Iterator[Crowd]:
    """Serve a crowd of endpoints in a thread."""
    crowd, ready = Crowd(), threading.Event()
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(crowd.serve, "127.0.0.1", 0, backlog=200)
        crowd.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait()
    try:
        yield crowd
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with gathered() as crowd:
        yield crowd


def test_endpoints_that_misbehave_hold_up_nobody_and_leave_nothing(
    cumulet: Cumulet, queues: Queues, crowd: Crowd
) -> None:
    sns, dead = cumulet.client("sns"), queues.standard()
    topic = sns.create_topic(Name="crowd")["TopicArn"]
    attributes = {
        "RawMessageDelivery": "true",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn}),
        "DeliveryPolicy": json.dumps(
            {"healthyRetryPolicy": {"numRetries": 1, "minDelayTarget": 1, "maxDelayTarget": 1}}
        ),
    }
    for path in sorted(TAKEN | REFUSED):
        url = f"http://127.0.0.1:{crowd.port}/{path}"
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url, Attributes=attributes)
    crowd.wait("tokens")
    for token in crowd.tokens.values():
        sns.confirm_subscription(TopicArn=topic, Token=token)

    for number in range(MESSAGES):
        sns.publish(TopicArn=topic, Message=str(number))
    crowd.wait("messages")
    cumulet.advance(minutes=1)

    once = {str(number): 1 for number in range(MESSAGES)}
    assert {path: crowd.got[path] for path in TAKEN} == dict.fromkeys(TAKEN, once)
    letters: Counter[str] = Counter()
    while messages := dead.receive(10):
        letters.update(message["Body"] for message in messages)
    assert letters == {message: len(REFUSED) for message in once}
    assert cumulet.process is not None
    left = psutil.Process(cumulet.process.pid).net_connections("tcp")
    assert [one for one in left if one.raddr and one.raddr.port == crowd.port] == []
