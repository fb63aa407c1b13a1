"""An HTTP request and its answer, as the protocols see them: whole, and without a connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec


class HttpRequest(msgspec.Struct):
    """A request whose body has been received.

    `raw_path` is what stood in the request line before `?`, still percent-encoded; `query` what stood after it.
    Header names are lower case; values of a repeated header are joined by commas.
    """

    method: str
    raw_path: bytes
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes = b""


class HttpResponse(msgspec.Struct):
    """An answer; header names are lower case. The server adds what tells how long the body is.

    Where there is a `stream`, it is the body, sent piece by piece as they come.
    """

    status: int
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = msgspec.field(default_factory=list)
    stream: AsyncGenerator[bytes, None] | None = None
