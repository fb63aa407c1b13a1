"""One client's connection: HTTP/1.1 as an ASGI server, on httptools' parser.

Requests on a connection are answered in their order. A request must arrive within its deadline and its head within
64 KiB; an idle connection is closed after the keep-alive time. `Connections` looks after the times of all of them
once a second, so that a request costs no timer. What is refused here reached no service: the answer is plain HTTP.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from email.utils import formatdate
from typing import Any, cast
from urllib.parse import unquote

import httptools
import msgspec

from cumulet.gateway.exchange import Application, Exchange
from cumulet.kernel.clock import MACHINE

MOST_HEAD_BYTES = 64 * 1024
MOST_PIPELINED = 8
"""So many requests of one connection may wait for the first to be answered before no more is read."""
DRAIN_SECONDS = 2.0
"""A client that is still sending when it is refused can read the answer for so long."""
CHECK_SECONDS = 1.0


def _plain(status: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % status


MALFORMED = _plain(b"400 Bad Request")
TOO_SLOW = _plain(b"408 Request Timeout")
HEAD_TOO_LARGE = _plain(b"431 Request Header Fields Too Large")


class Times(msgspec.Struct, frozen=True):
    """How long a connection may take, in seconds."""

    request: float = 30.0
    """From the first byte of a request to its last."""
    idle: float = 75.0
    """From an answer to the next request."""


class Connections:
    """All connections of a server, and what they share."""

    def __init__(self, app: Application, loop: asyncio.AbstractEventLoop, times: Times) -> None:
        self.app = app
        self.loop = loop
        self.times = times
        self.open: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.is_closing = False
        self.date_header = b""
        self._check_seconds = min(CHECK_SECONDS, times.request / 4)
        self._check()

    def __call__(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(self)

    def _check(self) -> None:
        now = self.loop.time()
        self.date_header = b"date: %s\r\n" % formatdate(MACHINE.now_ms() / 1000, usegmt=True).encode()
        for connection in list(self.open):
            connection.check(now)
        self._timer = self.loop.call_later(self._check_seconds, self._check)

    async def close(self, patience_seconds: float) -> None:
        """Close idle connections now, the others as soon as what they asked is answered, all in the end."""
        self.is_closing = True
        for connection in list(self.open):
            connection.finish()
        started = self.loop.time()
        while self.open and self.loop.time() < started + patience_seconds:
            await MACHINE.sleep(0.01)
            if self.loop.time() > started + patience_seconds / 2:
                for connection in list(self.open):
                    connection.hurry()
        for task in self.tasks:
            task.cancel()
        for connection in list(self.open):
            connection.abort()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self._timer.cancel()


class Connection(asyncio.Protocol):
    """What the parser and the transport tell of one connection."""

    __slots__ = (
        "_body_of",
        "_chunk_bytes",
        "_client",
        "_connections",
        "_has_begun",
        "_headers",
        "_is_refused",
        "_late_bytes",
        "_parser",
        "_since",
        "_url",
        "_waiting",
        "can_write",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._parser: Any = httptools.HttpRequestParser(self)
        self._waiting: deque[Exchange] = deque()
        """The requests that are not answered yet; the first one is running."""
        self._body_of: Exchange | None = None
        """The request whose body is arriving."""
        self._has_begun = False
        """Whether a head is on its way."""
        self._chunk_bytes = 0
        """The size of what is being parsed."""
        self._late_bytes = 0
        """How much has arrived after the chunk in which the head began."""
        self._since = connections.loop.time()
        """When the connection became idle, or its request began."""
        self._is_refused = False
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._client: tuple[str, int] = ("", 0)
        self.can_write: asyncio.Event | None = None

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self._client = transport.get_extra_info("peername")
        self._connections.open.add(self)
        if self._connections.is_closing:
            self.finish()

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        if self._is_refused:
            return
        self._chunk_bytes = len(data)
        rest = memoryview(data)
        try:
            while True:
                try:
                    self._parser.feed_data(rest)
                    break
                except httptools.HttpParserUpgrade as upgrade:
                    rest = rest[upgrade.args[0] :]
                    self._go_on_without_upgrade()
        except httptools.HttpParserError:
            self._refuse(MALFORMED)
        self._late_bytes += len(data)
        if self._has_begun and (
            self._late_bytes > MOST_HEAD_BYTES or (len(data) > MOST_HEAD_BYTES and self._head_size() > MOST_HEAD_BYTES)
        ):
            self._refuse(HEAD_TOO_LARGE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the requests that nobody waits for their answers."""
        self._connections.open.discard(self)
        if self.can_write is not None:
            self.can_write.set()
        for exchange in self._waiting:
            exchange.disconnect()
        self._parser = None  # it refers to us

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        self.can_write = asyncio.Event()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self.can_write is not None:
            self.can_write.set()
            self.can_write = None

    # What the parser tells

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url = b""
        self._headers = []
        self._has_begun = True
        self._late_bytes = -self._chunk_bytes
        self._since = self._connections.loop.time()

    def on_url(self, url: bytes) -> None:
        """Some of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Let the request be answered while its body may still be on its way."""
        if self._parser.should_upgrade():
            return
        # Measured only where it may be too large: it began in one chunk, ends in this one, and all between counts.
        if self._late_bytes + 2 * self._chunk_bytes > MOST_HEAD_BYTES and self._head_size() > MOST_HEAD_BYTES:
            self._refuse(HEAD_TOO_LARGE)
            return
        self._has_begun = False
        scope = self._scope()
        exchange = self._body_of = Exchange(self, scope, keep_alive=self._parser.should_keep_alive())
        self._waiting.append(exchange)
        if len(self._waiting) == 1:
            self._run(exchange)
        elif len(self._waiting) > MOST_PIPELINED:
            self.transport.pause_reading()

    def on_body(self, body: bytes) -> None:
        """Some of the request's body."""
        if self._body_of is not None:
            self._body_of.feed(body)

    def on_message_complete(self) -> None:
        """The request is here."""
        if self._body_of is not None:
            self._body_of.complete()
            self._body_of = None

    # What exchanges tell

    def answered(self, exchange: Exchange) -> None:
        """Go on with the next request, or wait for one, or close."""
        self._waiting.popleft()
        self._since = self._connections.loop.time()
        if not exchange.keep_alive or self._connections.is_closing or self._is_refused:
            self._close(is_sending=self._body_of is exchange)
        elif self._waiting:
            self._run(self._waiting[0])
        else:
            self.transport.resume_reading()

    # What the server tells

    def check(self, now: float) -> None:
        """Close a connection that takes too long."""
        if self._is_refused:
            if now - self._since > DRAIN_SECONDS:
                self.transport.abort()
        elif self._has_begun or self._body_of is not None:
            if now - self._since > self._connections.times.request:
                self.hurry()
        elif not self._waiting and now - self._since > self._connections.times.idle:
            self.transport.close()

    def finish(self) -> None:
        """Close once nothing is left to answer."""
        if not self._waiting:
            self._is_refused = True
            self.transport.close()

    def hurry(self) -> None:
        """Wait no longer for the rest of a request."""
        if self._has_begun or self._body_of is not None:
            self._refuse(TOO_SLOW)

    def abort(self) -> None:
        """Close now."""
        self.transport.abort()

    @property
    def date_header(self) -> bytes:
        """The line with the present second."""
        return self._connections.date_header

    def _run(self, exchange: Exchange) -> None:
        connections = self._connections
        task = connections.loop.create_task(exchange.run(connections.app))
        connections.tasks.add(task)
        task.add_done_callback(connections.tasks.discard)

    def _scope(self) -> dict[str, Any]:
        url = self._url
        if not url.startswith(b"/"):
            parsed = httptools.parse_url(url)  # of the absolute form
            url = (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
        path, _, query = url.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": self._parser.get_http_version(),
            "method": self._parser.get_method().decode("ascii"),
            "scheme": "http",
            "client": self._client,
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query.partition(b"#")[0],
            "headers": self._headers,
        }

    def _go_on_without_upgrade(self) -> None:
        """Take the head again without its wish to upgrade, which HTTP allows to ignore.

        Left to itself the parser takes the body for another protocol. Raises HttpParserError for a CONNECT.
        """
        method, version = self._parser.get_method(), self._parser.get_http_version().encode()
        lines = [b"%s: %s\r\n" % header for header in self._headers if header[0] != b"upgrade"]
        head = b"%s %s HTTP/%s\r\n%s\r\n" % (method, self._url, version, b"".join(lines))
        self._parser = httptools.HttpRequestParser(self)
        if method == b"CONNECT":
            raise httptools.HttpParserError("this is no proxy")
        self._parser.feed_data(head)

    def _head_size(self) -> int:
        return len(self._url) + sum(len(name) + len(value) + 4 for name, value in self._headers)

    def _refuse(self, answer: bytes) -> None:
        """Take no more; answer, unless another answer is on its way, and close."""
        if self._is_refused:
            return
        self._is_refused = True
        self._since = self._connections.loop.time()
        running = self._waiting[0] if self._waiting else None
        if running is not None and running is not self._body_of:
            self._since = math.inf  # however long the answer takes; `answered` closes
            return
        if running is not None:
            running.disconnect()
        self.transport.write(answer)
        self._close(is_sending=True)

    def _close(self, *, is_sending: bool) -> None:
        """Close; towards a client that is still sending only our side, or the reset would destroy the answer."""
        self._is_refused = True
        if is_sending and self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()
