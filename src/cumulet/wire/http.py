"""An HTTP request and its answer, as the protocols see them: whole, and without a connection."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class HttpRequest:
    """A request whose body has been received.

    `raw_path` is what stood in the request line before `?`, still percent-encoded; `query` what stood after it.
    Header names are lower case; values of a repeated header are joined by commas.
    """

    method: str
    raw_path: bytes
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes = b""


@dataclass(slots=True)
class HttpResponse:
    """An answer; header names are lower case. `content-length` is added by the server."""

    status: int
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
