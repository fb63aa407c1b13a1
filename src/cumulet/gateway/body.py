"""Taking a request in: headers as a mapping, the body whole but never more than allowed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cumulet.wire.http import HttpRequest

Receive = Callable[[], Awaitable[dict[str, Any]]]

MOST_BODY_BYTES = 16 * 1024 * 1024
"""What is read for any request; services name the operations that take more."""
MOST_LENGTH_DIGITS = 19


class BodyTooLarge(Exception):
    """The body is longer than the request's limit, or says that it will be. `head` is the request without it."""

    def __init__(self, head: HttpRequest) -> None:
        super().__init__()
        self.head = head


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


async def read_request(
    scope: dict[str, Any], receive: Receive, most_bytes: Callable[[HttpRequest], int]
) -> HttpRequest:
    """Return the request of an ASGI scope once its body is here; raises BodyTooLarge or ClientGone.

    `most_bytes` is asked about a request without its body once that turns out to be longer than `MOST_BODY_BYTES`.
    """
    pairs = scope["headers"]
    headers: dict[bytes, bytes] = dict(pairs)
    if len(headers) != len(pairs):
        headers = {}
        for name, value in pairs:
            headers[name] = headers[name] + b"," + value if name in headers else value
    length = headers.get(b"content-length")
    request = HttpRequest(scope["method"], scope["raw_path"], scope["query_string"], headers)
    if length is not None:
        # The parser has refused what is no number.
        if len(length) > MOST_LENGTH_DIGITS or (int(length) > MOST_BODY_BYTES and int(length) > most_bytes(request)):
            raise BodyTooLarge(request)
        request.body = await _read_body(receive, request, most_bytes)
    elif b"transfer-encoding" in headers:
        request.body = await _read_body(receive, request, most_bytes)
    return request


async def _read_body(receive: Receive, head: HttpRequest, most_bytes: Callable[[HttpRequest], int]) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message["more_body"] and len(message["body"]) <= MOST_BODY_BYTES:
        whole: bytes = message["body"]
        return whole
    parts: list[bytes] = []
    size_bytes = 0
    while True:
        if message["type"] != "http.request":
            raise ClientGone
        parts.append(message["body"])
        size_bytes += len(message["body"])
        if size_bytes > MOST_BODY_BYTES and size_bytes > most_bytes(head):
            raise BodyTooLarge(head)
        if not message["more_body"]:
            return b"".join(parts)
        message = await receive()


async def hang_up(receive: Receive) -> None:
    """Return once the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
