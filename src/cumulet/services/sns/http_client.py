"""One POST to an HTTP endpoint, which nobody vouches for: all that it can do is bounded, in time and in memory.

An answer is its status: what comes behind the head is read for a moment only so that the endpoint can end in peace. A
connection is used once and closed, whatever happens.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Mapping
from functools import cache
from typing import cast
from urllib.parse import SplitResult, quote, unquote, urlsplit

import httptools

from cumulet.kernel.ids import secret
from cumulet.services.sns import digest_authentication
from cumulet.services.sns.digest_authentication import SCHEME

ANSWER_SECONDS = 15.0
"""SNS: an endpoint has so long to answer."""
BODY_SECONDS = 1.0
"""So long is waited for the rest of an answer whose status is known."""
MOST_BYTES = 65_536
"""Of an answer. A longer head is none; of a longer body the rest is not read."""
UNAUTHORIZED = 401
FINAL = 200
"""A smaller status announces another one."""
UNQUOTED = "!$%&'()*+,-./:;=?@[]_~"


class NoAnswer(Exception):
    """The endpoint wasn't reached, or has not answered in time; says why."""


async def post(url: str, headers: Mapping[str, str], body: bytes, *, within_seconds: float = ANSWER_SECONDS) -> int:
    """Send a request and return the status of the answer; raises NoAnswer.

    A name and a password in the URL are sent as basic authentication, and where the endpoint asks for that as a digest.
    Redirects are not followed.
    """
    try:
        parts = urlsplit(url)
        status, challenge = await _answered(parts, _request(parts, headers, body), within_seconds)
        if status == UNAUTHORIZED and (digest := _digest(parts, challenge)):
            status, _ = await _answered(parts, _request(parts, headers, body, digest), within_seconds)
        return status
    except TimeoutError:
        raise NoAnswer(f"no answer within {within_seconds:g} seconds") from None
    except (OSError, UnicodeError) as error:  # the latter: no name of a host
        raise NoAnswer(str(error) or type(error).__name__) from error


async def _answered(parts: SplitResult, request: bytes, within_seconds: float) -> tuple[int, str]:
    """Return the status of the answer, and what authentication it asks for."""
    loop = asyncio.get_running_loop()
    exchange = _Exchange(request, loop)
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
        return outcome, exchange.challenge
    finally:
        exchange.close()


def _target(parts: SplitResult) -> str:
    return quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=UNQUOTED)


def _credentials(parts: SplitResult) -> tuple[str, str]:
    return unquote(parts.username or ""), unquote(parts.password or "")


def _digest(parts: SplitResult, challenge: str) -> str | None:
    """Return what answers a challenge, None where the URL has no name or the challenge wants no digest."""
    if parts.username is None:
        return None
    name, password = _credentials(parts)
    return digest_authentication.authorization(challenge, "POST", _target(parts), name, password, secret(16).hex())


def _request(parts: SplitResult, headers: Mapping[str, str], body: bytes, authorization: str | None = None) -> bytes:
    host = parts.netloc.rpartition("@")[2]
    if not host.isascii():
        host = host.encode("idna").decode()
    lines = [f"POST {_target(parts)} HTTP/1.1", f"Host: {host}"]
    if authorization is None and parts.username is not None:
        pair = ":".join(_credentials(parts))
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    if authorization is not None:
        lines.append(f"Authorization: {authorization}")
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
        self.challenge = ""
        """The last header WWW-Authenticate that asks for a digest."""
        self.outcome: asyncio.Future[int | str] = loop.create_future()
        """The status of the final answer (what announces it, 1xx, doesn't count), or why there is none."""
        self.is_over: asyncio.Future[None] = loop.create_future()
        """Done when nothing that comes matters any more."""

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

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"www-authenticate" and value[: len(SCHEME)].lower() == SCHEME.encode():
            self.challenge = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= FINAL and not self.outcome.done():
            self.outcome.set_result(status)

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
