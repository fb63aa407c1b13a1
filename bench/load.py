"""A closed-loop load over loopback: each connection sends its next request when the last one is answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

Step = Callable[[int, bytes | None], bytes]
"""Given the connection's number and the last answer's body (None at first), return the next request's bytes."""


@dataclass
class Result:
    """What a load came to."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    first_error: bytes = b""

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000 if ordered else 0.0


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request at a time."""

    def __init__(self, number: int, step: Step, result: Result, requests_left: list[int], ends_at: float) -> None:
        self.number, self.step, self.result = number, step, result
        self.requests_left, self.ends_at = requests_left, ends_at
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send(None)

    def send(self, body: bytes | None) -> None:
        now = time.perf_counter()
        if now >= self.ends_at or self.requests_left[0] <= 0:
            self.transport.close()
            return
        self.requests_left[0] -= 1
        self.sent_at = now
        self.transport.write(self.step(self.number, body))

    def data_received(self, data: bytes) -> None:
        self.buffer = data = self.buffer + data if self.buffer else data
        head_end = data.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = data[:head_end].lower()
        start = head.find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        if len(data) < head_end + 4 + length:
            return
        self.buffer = b""
        body = data[head_end + 4 :]
        self.result.latencies.append(time.perf_counter() - self.sent_at)
        if data[9:10] != b"2":
            self.result.errors += 1
            self.result.first_error = self.result.first_error or data
        self.send(body)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def run_load(
    url: str, step: Step, *, connections: int = 64, seconds: float = 5.0, requests: int = 10**9
) -> Result:
    """Load a server until the time is over or the requests are used up."""
    host, port = address(url)
    result = Result()
    started = time.perf_counter()
    left = [requests]
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda n=n: Connection(n, step, result, left, started + seconds), host, port)
        for n in range(connections)
    ]
    await asyncio.gather(*[protocol.done for _, protocol in opened])
    result.seconds = time.perf_counter() - started
    return result


def address(url: str) -> tuple[str, int]:
    """Return host and port of a URL; loopback only."""
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost"):
        raise ValueError("loads go to this machine only")
    return "127.0.0.1", parts.port or 80


def sqs_request(url: str, operation: str, members: dict[str, object], key: tuple[str, str] | None = None) -> bytes:
    """Return the bytes of an SQS request in the JSON protocol, signed with `key` or with a placeholder."""
    body = json.dumps(members).encode()
    host, port = address(url)
    headers = {
        "Host": f"{host}:{port}",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"AmazonSQS.{operation}",
        "User-Agent": "bench",
    }
    request = AWSRequest("POST", f"http://{host}:{port}/", data=body, headers=headers)
    SigV4Auth(Credentials(*(key or ("000000000000", "secret"))), "sqs", "us-east-1").add_auth(request)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    return ("\r\n".join(["POST / HTTP/1.1", *lines, f"Content-Length: {len(body)}"]) + "\r\n\r\n").encode() + body


def sns_request(url: str, form: dict[str, str]) -> bytes:
    """Return the bytes of an SNS request in the query protocol, signed with a placeholder."""
    body = urlencode({"Version": "2010-03-31"} | form).encode()
    host, port = address(url)
    headers = {
        "Host": f"{host}:{port}",
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "User-Agent": "bench",
    }
    request = AWSRequest("POST", f"http://{host}:{port}/", data=body, headers=headers)
    SigV4Auth(Credentials("000000000000", "secret"), "sns", "us-east-1").add_auth(request)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    return ("\r\n".join(["POST / HTTP/1.1", *lines, f"Content-Length: {len(body)}"]) + "\r\n\r\n").encode() + body
