"""One request on a connection and its answer, as ASGI's `receive` and `send`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cumulet.gateway.connection import Connection

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

MOST_BUFFERED_BYTES = 256 * 1024
"""Beyond this the client has to wait until the application has taken what is here."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
STATUS_LINES = {status: f"HTTP/1.1 {status} \r\n".encode() for status in range(200, 600)} | {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
WITHOUT_BODY = (204, 304)
"""HTTP: answers that end with their head; what else were sent would be taken for the next answer."""
DISCONNECTED: Message = {"type": "http.disconnect"}


class Exchange:
    """A request whose body may still arrive, and what is answered."""

    __slots__ = (
        "_body",
        "_connection",
        "_is_gone",
        "_is_streaming",
        "_is_taken",
        "_is_whole",
        "_news",
        "_scope",
        "_start",
        "_wants_continue",
        "is_answered",
        "keep_alive",
    )

    def __init__(self, connection: Connection, scope: Message, *, keep_alive: bool) -> None:
        self._connection = connection
        self._scope = scope
        self._body = b""
        self._is_whole = False
        self._is_taken = False
        self._is_gone = False
        self._is_streaming = False
        """Whether some of the answer's body has been sent, and more is to come."""
        self._news: asyncio.Future[None] | None = None
        self._start: Message = {}
        self._wants_continue = (b"expect", b"100-continue") in scope["headers"]
        self.is_answered = False
        self.keep_alive = keep_alive

    # What the connection tells

    def feed(self, body: bytes) -> None:
        """Take some of the body."""
        self._body += body
        if len(self._body) > MOST_BUFFERED_BYTES:
            self._connection.transport.pause_reading()
        self._tell()

    def complete(self) -> None:
        """Know that the body is whole."""
        self._is_whole = True
        self._tell()

    def disconnect(self) -> None:
        """Know that the client has gone."""
        self._is_gone = True
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # What the application sees

    async def run(self, app: Application) -> None:
        """Let the application answer; where it fails to, answer 500 and leave its failure to the loop's handler."""
        try:
            await app(self._scope, self.receive, self.send)
        except ConnectionResetError:
            pass  # of a client that did not wait for all of its answer
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler({"message": "a request failed", "exception": error})
        finally:
            if self._is_streaming:
                self._connection.transport.abort()  # so that the client doesn't take what it has for the whole
            elif not self.is_answered and not self._is_gone:
                self.keep_alive = False
                self._write(500, [], b"")

    async def receive(self) -> Message:
        """Return some of the body, or that the client has gone once there is no more."""
        if self._wants_continue and not self._is_whole:
            self._connection.transport.write(CONTINUE)
        self._wants_continue = False
        while (
            not self._is_gone and not self.is_answered and not (self._body or (self._is_whole and not self._is_taken))
        ):
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        if self._is_gone or self.is_answered:
            return DISCONNECTED
        body, self._body = self._body, b""
        self._is_taken = self._is_whole
        if not self._is_whole:
            self._connection.transport.resume_reading()
        return {"type": "http.request", "body": body, "more_body": not self._is_whole}

    async def send(self, message: Message) -> None:
        """Take the start of an answer, then its body: whole, so that both leave in one write, or piece by piece.

        Raises ConnectionResetError for a piece that nobody waits for any more.
        """
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._connection.can_write is not None:
            await self._connection.can_write.wait()  # who asks without reading must not fill the memory with answers
        has_more = message.get("more_body", False)
        if self._is_gone:
            if has_more or self._is_streaming:
                self._is_streaming = False
                raise ConnectionResetError("the client has gone")
        elif has_more or self._is_streaming:
            self._write_piece(message["body"], has_more=has_more)
        else:
            self._write(self._start["status"], self._start["headers"], message["body"])

    def _write(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        if not self._is_whole:
            self.keep_alive = False  # what is still to come would be taken for the next request
        parts = self._head(status, headers)
        if status in WITHOUT_BODY:
            parts.append(b"\r\n")
        else:
            parts.append(b"content-length: %d\r\n\r\n" % len(body))
            if self._scope["method"] != "HEAD":
                parts.append(body)
        self._connection.transport.write(b"".join(parts))
        self._end()

    def _write_piece(self, body: bytes, *, has_more: bool) -> None:
        """Send some of the body; clients of HTTP/1.0 know its end by the end of the connection."""
        has_body = self._start["status"] not in WITHOUT_BODY
        is_chunked = has_body and self._scope["http_version"] != "1.0"
        parts = []
        if not self._is_streaming:
            self.keep_alive = self.keep_alive and (is_chunked or not has_body) and self._is_whole
            parts = self._head(self._start["status"], self._start["headers"])
            parts.append(b"transfer-encoding: chunked\r\n\r\n" if is_chunked else b"\r\n")
        if has_body and self._scope["method"] != "HEAD":
            if body:
                parts.append(b"%x\r\n%b\r\n" % (len(body), body) if is_chunked else body)
            if not has_more and is_chunked:
                parts.append(b"0\r\n\r\n")
        self._connection.transport.write(b"".join(parts))
        self._is_streaming = has_more
        if not has_more:
            self._end()

    def _head(self, status: int, headers: list[tuple[bytes, bytes]]) -> list[bytes]:
        parts = [STATUS_LINES[status], self._connection.date_header]
        for name, value in headers:
            if b"\n" in value or b"\r" in value:
                value = value.replace(b"\r", b" ").replace(b"\n", b" ")
            parts += (name, b": ", value, b"\r\n")
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        return parts

    def _end(self) -> None:
        self.is_answered = True
        self._tell()
        self._connection.answered(self)
