"""A client that says on a connection exactly what it is told to, for what no AWS SDK would send."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

LIST_QUEUES = b"Action=ListQueues&Version=2012-11-05"


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    def json(self) -> dict[str, object]:
        """Return the body as JSON."""
        value: dict[str, object] = orjson.loads(self.body)
        return value


class Closed(Exception):
    """The server closed the connection before a whole answer; `args[0]` is what it said before."""


class RawConnection:
    """One connection to a server."""

    def __init__(self, url: str, timeout_seconds: float = 20) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self.socket = socket.create_connection((parts.hostname, parts.port or 80), timeout_seconds)
        self._received = b""

    def __enter__(self) -> RawConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> RawConnection:
        """Say this."""
        self.socket.sendall(b"".join(parts))
        return self

    def read_until(self, mark: bytes) -> bytes:
        """Return what the server says up to and including `mark`."""
        while mark not in self._received:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                raise Closed(self._received)
            self._received += data
        said, _, self._received = self._received.partition(mark)
        return said + mark

    def answer(self, *, has_body: bool = True) -> Answer:
        """Return the next answer, whose length must stand in its head."""
        first, *lines = self.read_until(b"\r\n\r\n")[:-4].split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        length = int(headers[b"content-length"]) if has_body else 0
        while len(self._received) < length:
            data = self.socket.recv(65536)
            if not data:
                raise Closed(self._received)
            self._received += data
        body, self._received = self._received[:length], self._received[length:]
        return Answer(int(first.split()[1]), headers, body)

    def is_closed_by_server(self) -> bool:
        """Wait for the server to close; False when it says something instead."""
        try:
            return not self._received and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def exchange(url: str, *parts: bytes) -> Answer:
    """Send one request on a connection of its own and return the answer."""
    with RawConnection(url) as connection:
        return connection.send(*parts).answer()


def head(line: bytes, *headers: bytes) -> bytes:
    """Return the head of a request."""
    return b"\r\n".join([line, b"Host: localhost:4566", *headers, b"", b""])


def form(body: bytes, path: bytes = b"/", *headers: bytes) -> bytes:
    """Return a POST of a form."""
    types = b"Content-Type: application/x-www-form-urlencoded"
    return head(b"POST " + path + b" HTTP/1.1", types, b"Content-Length: %d" % len(body), *headers) + body


def json(operation: bytes, body: bytes, *headers: bytes) -> bytes:
    """Return a request in SQS's JSON protocol."""
    target = b"X-Amz-Target: AmazonSQS." + operation
    types = b"Content-Type: application/x-amz-json-1.0"
    return head(b"POST / HTTP/1.1", types, target, b"Content-Length: %d" % len(body), *headers) + body
