"""HTTP endpoints of topics: what reaches one that works, and what others pay for one that is dead."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import uvloop

from load import sns_request
from rows import BODY, Bench, Row
from topics import RAW, Topic

DELIVERIES = 5_000
PENDING = 100_000
TOKEN = re.compile(rb'"Token" *: *"([0-9a-z]+)"')
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Deliveries:
    """The rows about deliveries to HTTP endpoints. The endpoint shares the core of the load."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.server, self.measure, self.row = bench.server, bench.measure, bench.row

    def http(self) -> Iterator[Row]:
        for server in self.server():
            with endpoint() as hook:
                topic = hooked(server.url, hook)
                request = publish(server.url, topic)
                hook.count = 0
                began = time.perf_counter()
                self.measure(server, lambda n, body: request, seconds=300, requests=DELIVERIES)
                while hook.count < DELIVERIES:
                    time.sleep(0.01)
                per_second = DELIVERIES / (time.perf_counter() - began)
        yield Row("Publish to 1 HTTP endpoint, raw, until it has all", f"{per_second:,.0f} deliveries/s")

    def http_dead(self) -> Iterator[Row]:
        for server in self.server():
            with endpoint() as hook:
                doomed = hooked(server.url, hook)
            request = Topic(server.url, [RAW]).publish()
            alone, _ = self.measure(server, lambda n, body: request)
            batch = publish_batch(server.url, doomed)
            self.measure(server, lambda n, body: batch, seconds=300, requests=PENDING // 10)
            beside = self.measure(server, lambda n, body: request)
            ratio = beside[0].per_second / alone.per_second
            what = f"Publish to 1 queue, {PENDING:,} wait for a dead endpoint ({ratio:.2f} × without)"
            yield self.row(what, "0.8 ×", beside, "echo", "/s")
            yield Row(f"memory with {PENDING:,} waiting for a dead endpoint", f"{server.memory_mb():.0f} MB", "200 MB")


class Hook(asyncio.Protocol):
    """An endpoint that takes everything."""

    count = 0
    """Of all connections."""
    token = ""
    url = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            if found := TOKEN.search(body):
                Hook.token = found[1].decode()
            Hook.count += 1
            self.transport.write(TAKEN)
            self.transport.close()


@contextmanager
def endpoint() -> Iterator[type[Hook]]:
    """Serve an endpoint in a thread."""
    is_over, is_ready = threading.Event(), threading.Event()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Hook, "127.0.0.1", 0, backlog=1000)
        Hook.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        Hook.token = ""
        is_ready.set()
        async with server:
            await loop.run_in_executor(None, is_over.wait)

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    thread.start()
    is_ready.wait()
    try:
        yield Hook
    finally:
        is_over.set()
        thread.join()


def hooked(url: str, hook: type[Hook]) -> str:
    """Return a new topic to which an endpoint is subscribed."""
    known = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "secret"}
    sns = boto3.client("sns", endpoint_url=url, region_name="us-east-1", **known)
    topic: str = sns.create_topic(Name="hooked")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url, Attributes=RAW)
    while not hook.token:
        time.sleep(0.01)
    sns.confirm_subscription(TopicArn=topic, Token=hook.token)
    return topic


def publish(url: str, topic: str) -> bytes:
    """Return the bytes of a request that publishes 1 KB."""
    return sns_request(url, {"Action": "Publish", "TopicArn": topic, "Message": BODY})


def publish_batch(url: str, topic: str) -> bytes:
    """Return the bytes of a request that publishes 1 KB ten times."""
    form = {"Action": "PublishBatch", "TopicArn": topic}
    for number in range(1, 11):
        entry = f"PublishBatchRequestEntries.member.{number}"
        form |= {f"{entry}.Id": str(number), f"{entry}.Message": BODY}
    return sns_request(url, form)
