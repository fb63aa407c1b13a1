"""How telemetry reaches a listener inside of an environment: an array of events by HTTP, or lines of JSON by TCP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

import httptools

from cumulet.compute.subscriptions import HOST, Subscription

ANSWER_SECONDS = 5.0

Connect = Callable[[int], Awaitable[socket.socket]]
"""Opens a connection to a port inside of the environment."""


class Destination:
    """Where a subscription's events go."""

    def __init__(self, subscription: Subscription, connect: Connect) -> None:
        self._subscription = subscription
        self._connect = connect
        self._lines: asyncio.StreamWriter | None = None
        """The connection for lines, which is kept."""

    async def send(self, events: Sequence[bytes]) -> None:
        """Deliver a batch. Raises OSError or TimeoutError where it was not taken."""
        async with asyncio.timeout(ANSWER_SECONDS):
            if self._subscription.is_http:
                await self._send_request(b"[" + b",".join(events) + b"]")
            else:
                await self._send_lines(b"\n".join(events) + b"\n")

    def close(self) -> None:
        """Close what is open."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    async def _send_request(self, body: bytes) -> None:
        reader, writer = await asyncio.open_connection(sock=await self._connect(self._subscription.port))
        try:
            writer.write(_request(self._subscription, body))
            await writer.drain()
            await _read_answer(reader)
        finally:
            writer.close()

    async def _send_lines(self, lines: bytes) -> None:
        if self._lines is None:
            _, self._lines = await asyncio.open_connection(sock=await self._connect(self._subscription.port))
        try:
            self._lines.write(lines)
            await self._lines.drain()
        except BaseException:
            self.close()
            raise


def _request(subscription: Subscription, body: bytes) -> bytes:
    head = (
        f"{subscription.method} {subscription.target} HTTP/1.1\r\n"
        f"Host: {HOST}:{subscription.port}\r\n"
        f"Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Connection: close\r\n\r\n"
    )
    return head.encode() + body


class _Answer:
    """Sees the end of an answer's head."""

    is_complete = False

    def on_headers_complete(self) -> None:
        self.is_complete = True


async def _read_answer(reader: asyncio.StreamReader) -> None:
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    while not answer.is_complete:
        data = await reader.read(65536)
        if not data:
            raise ConnectionResetError("the listener has closed the connection without an answer")
        try:
            parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise ConnectionError(f"the listener's answer is no HTTP: {error}") from error
    if not 200 <= parser.get_status_code() < 300:
        raise ConnectionError(f"the listener has answered with status {parser.get_status_code()}")
