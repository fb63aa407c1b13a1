"""One POST to an HTTP endpoint, which nobody vouches for: all that it can do is bounded, in time and in memory.

An answer is its status: what comes behind the head is read for a moment, so that the endpoint can end in peace, and for
those who log it. A connection is used once and closed, whatever happens.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, cast
from urllib.parse import SplitResult, quote, unquote, urlsplit

import httptools

ANSWER_SECONDS = 15.0
"""SNS: an endpoint has so long to answer."""
BODY_SECONDS = 1.0
"""So long is waited for the rest of an answer whose status is known."""
MOST_BYTES = 65_536
"""Of an answer. A longer head is none; of a longer body the rest is not read."""
LONGEST_TEXT = 4_096
"""So much of the body is kept."""
FINAL = 200
"""A smaller status announces another one."""
UNQUOTED = "!$%&'()*+,-./:;=?@[]_~"


class NoAnswer(Exception):
    """The endpoint wasn't reached, or has not answered in time; says why."""


class Answer(NamedTuple):
    """What an endpoint has said."""

    status: int
    text: str
    """How its body begins."""


async def post(url: str, headers: Mapping[str, str], body: bytes, *, within_seconds: float = ANSWER_SECONDS) -> Answer:
    """Send a request and return the answer; raises NoAnswer.

    A name and a password in the URL are sent as basic authentication. Redirects are not followed.
    """
    loop = asyncio.get_running_loop()
    parts = urlsplit(url)
    exchange = _Exchange(_request(parts, headers, body), loop)
    secure = _tls() if parts.scheme == "https" else None
    try:
        async with asyncio.timeout(within_seconds):
            await loop.create_connection(
                lambda: exchange,
                parts.hostname or "",
                parts.port or (443 if secure else 80),
                ssl=secure,
                ssl_shutdown_timeout=BODY_SECONDS if secure else None,
            )
            outcome = await exchange.outcome
        if isinstance(outcome, str):
            raise NoAnswer(outcome)
        await asyncio.wait([exchange.is_over], timeout=BODY_SECONDS)
        return Answer(outcome, exchange.text)
    except TimeoutError:
        raise NoAnswer(f"no answer within {within_seconds:g} seconds") from None
    except (OSError, UnicodeError) as error:
        raise NoAnswer(str(error) or type(error).__name__) from error
    finally:
        exchange.close()


def _request(parts: SplitResult, headers: Mapping[str, str], body: bytes) -> bytes:
    target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=UNQUOTED)
    host = parts.netloc.rpartition("@")[2]
    if not host.isascii():
        host = host.encode("idna").decode()
    lines = [f"POST {target} HTTP/1.1", f"Host: {host}"]
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "\r\n"]
    return "\r\n".join(lines).encode() + body


class _Exchange(asyncio.Protocol):
    """The request and its answer on a connection of their own."""

    def __init__(self, request: bytes, loop: asyncio.AbstractEventLoop) -> None:
        self._request = request
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._size = 0
        self._body = bytearray()
        self.outcome: asyncio.Future[int | str] = loop.create_future()
        """The status of the final answer (what announces it, 1xx, doesn't count), or why there is none."""
        self.is_over: asyncio.Future[None] = loop.create_future()
        """Done when nothing that comes matters any more."""

    @property
    def text(self) -> str:
        """How the body begins."""
        return self._body[:LONGEST_TEXT].decode("utf-8", "replace")

    def close(self) -> None:
        """Leave; in peace where all is said."""
        if self._transport is not None:
            if self.is_over.done() and not self._transport.get_write_buffer_size():
                self._transport.close()
            else:
                self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self.is_over.done():
            return
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end("the endpoint wants another protocol")
        except httptools.HttpParserError as error:
            self._end(f"what the endpoint has sent is no answer: {error}")
        if self._size > MOST_BYTES:
            self._end(f"the head of the answer has more than {MOST_BYTES:,} bytes")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= FINAL and not self.outcome.done():
            self.outcome.set_result(status)

    def on_body(self, data: bytes) -> None:
        if len(self._body) < LONGEST_TEXT:
            self._body += data

    def on_message_complete(self) -> None:
        if self.outcome.done():
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc else "the endpoint has closed the connection without an answer")

    def _end(self, reason: str = "") -> None:
        """Know that nothing more comes; without a status before, that there is no answer."""
        if not self.outcome.done():
            self.outcome.set_result(reason)
        if not self.is_over.done():
            self.is_over.set_result(None)


@cache
def _tls() -> ssl.SSLContext:
    """Return what certificates are checked with: those of the machine, or of SSL_CERT_FILE."""
    return ssl.create_default_context()
