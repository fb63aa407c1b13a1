"""One POST to an HTTP endpoint: the status of its answer is all that counts."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Mapping
from functools import cache
from urllib.parse import unquote, urlsplit

import httptools

ANSWER_SECONDS = 15.0
"""SNS: an endpoint has so long to answer."""
PIECE = 65_536


class NoAnswer(Exception):
    """The endpoint wasn't reached, or has not answered in time; says why."""


async def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Send a request and return the status of the answer; raises NoAnswer.

    A name and a password in the URL are sent as basic authentication. Redirects are not followed.
    """
    parts = urlsplit(url)
    secure = _tls() if parts.scheme == "https" else None
    port = parts.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
            try:
                writer.write(_request(url, headers, body) + body)
                await writer.drain()
                return await _status(reader)
            finally:
                writer.close()
    except TimeoutError:
        raise NoAnswer(f"no answer within {ANSWER_SECONDS:.0f} seconds") from None
    except (OSError, UnicodeError, httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
        raise NoAnswer(str(error) or type(error).__name__) from error


def _request(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "\r\n"]
    return "\r\n".join(lines).encode()


class _Head:
    is_complete = False

    def on_headers_complete(self) -> None:
        self.is_complete = True


async def _status(reader: asyncio.StreamReader) -> int:
    head = _Head()
    parser = httptools.HttpResponseParser(head)
    while not head.is_complete:
        data = await reader.read(PIECE)
        if not data:
            raise ConnectionResetError("the endpoint has closed the connection without an answer")
        parser.feed_data(data)
    return parser.get_status_code()


@cache
def _tls() -> ssl.SSLContext:
    """Return what certificates are checked with: those of the machine, or of SSL_CERT_FILE."""
    return ssl.create_default_context()
