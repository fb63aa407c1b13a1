"""The Lambda Runtime API: how a runtime asks for events and answers them. Each environment has a server of its own.

Not the platform's HTTP server: a warm invocation is two requests here, so each is parsed once and answered with one
write. What a request does to the environment is up to `Runtime`; statuses and errors are AWS's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, NamedTuple, Protocol, cast

import httptools
import orjson

MOST_RESPONSE_BYTES = 6 * 1024 * 1024 + 100
"""AWS Lambda quota: invocation payload, synchronous."""
MOST_HEAD_BYTES = 4 * 1024 * 1024
"""The runtime interface clients send the cause of an error in a header of up to 1 MiB."""
MOST_PIPELINED = 8

PREFIX = b"/2018-06-01/runtime/"
NEXT = PREFIX + b"invocation/next"
INIT_ERROR = PREFIX + b"init/error"
INVOCATION = PREFIX + b"invocation/"


def _answer(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def _error(status: bytes, error_type: str, message: str) -> bytes:
    return _answer(status, orjson.dumps({"errorMessage": message, "errorType": error_type}))


ACCEPTED = _answer(b"202 Accepted", b'{"status":"OK"}\n')
INVALID_REQUEST_ID = _error(b"400 Bad Request", "InvalidRequestID", "Invalid request ID")
TOO_LARGE = _error(
    b"413 Request Entity Too Large",
    "RequestEntityTooLarge",
    f"Exceeded maximum allowed payload size ({MOST_RESPONSE_BYTES} bytes).",
)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NOT_FOUND = _error(b"404 Not Found", "NotFound", "404 page not found")
WRONG_METHOD = _error(b"405 Method Not Allowed", "MethodNotAllowed", "Method not allowed")
MALFORMED = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def invalid_transition(state: str, wanted: str) -> bytes:
    """Return AWS's answer to a request that doesn't fit the runtime's state."""
    message = f"State transition from {state} to {wanted} failed for runtime. Error: State transition is not allowed"
    return _error(b"403 Forbidden", "InvalidStateTransition", message)


class Runtime(Protocol):
    """What an environment does with the requests of its runtime. All but `next` answer at once."""

    def connected(self, connection: RuntimeConnection) -> None:
        """A connection has been made."""

    def disconnected(self, connection: RuntimeConnection) -> None:
        """A connection has ended."""

    def next(self, connection: RuntimeConnection) -> None:
        """The runtime waits for an event: send it on `connection`, now or later."""

    def respond(self, connection: RuntimeConnection, request_id: str, body: bytes | None) -> None:
        """The handler has returned `body`; None when that was too large."""

    def fail(self, connection: RuntimeConnection, request_id: str, body: bytes, error_type: str) -> None:
        """The handler has raised an error."""

    def fail_init(self, connection: RuntimeConnection, body: bytes, error_type: str) -> None:
        """The runtime could not load the handler."""


class _Request(NamedTuple):
    method: bytes
    path: bytes
    body: bytes | None
    """None when it was too large."""
    error_type: str
    keep_alive: bool


class RuntimeConnection(asyncio.Protocol):
    """A connection of a runtime. Requests are answered in their order."""

    __slots__ = (
        "_body",
        "_body_bytes",
        "_error_type",
        "_head_bytes",
        "_is_waiting",
        "_later",
        "_parser",
        "_runtime",
        "_transport",
        "_url",
    )

    _transport: asyncio.Transport

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._parser: Any = httptools.HttpRequestParser(self)
        self._url = b""
        self._error_type = ""
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._is_waiting = False
        """Whether a request for the next event is not answered yet."""
        self._later: deque[_Request] = deque()
        """What came after it."""

    def send_event(self, head: bytes, payload: bytes) -> None:
        """Answer the request for the next event."""
        self._is_waiting = False
        self._transport.write(
            b"HTTP/1.1 200 OK\r\n%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (head, len(payload), payload)
        )
        while self._later and not self._is_waiting:
            self._take(self._later.popleft())

    def answer(self, answer: bytes) -> None:
        """Answer another request."""
        self._transport.write(answer)

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._runtime.connected(self)

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(MALFORMED)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the environment that nobody waits here any more."""
        self._runtime.disconnected(self)
        self._parser = None  # it refers to us

    # What the parser tells

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url = b""
        self._error_type = ""
        self._body = []
        self._body_bytes = self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Some of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MOST_HEAD_BYTES:
            self._transport.abort()
        elif len(name) == 34 and name.lower() == b"lambda-runtime-function-error-type":
            self._error_type = value.decode("latin-1")
        elif len(name) == 6 and name.lower() == b"expect" and value.lower() == b"100-continue":
            self._transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        """Some of the request's body; beyond the limit it is thrown away."""
        self._body_bytes += len(body)
        if self._body_bytes <= MOST_RESPONSE_BYTES:
            self._body.append(body)
        else:
            self._body.clear()

    def on_message_complete(self) -> None:
        """The request is here."""
        body = b"".join(self._body) if self._body_bytes <= MOST_RESPONSE_BYTES else None
        parser = self._parser
        request = _Request(parser.get_method(), self._url, body, self._error_type, parser.should_keep_alive())
        self._body = []
        if not self._is_waiting:
            self._take(request)
        elif len(self._later) < MOST_PIPELINED:
            self._later.append(request)
        else:
            self._transport.abort()

    def _take(self, request: _Request) -> None:
        if request.path == NEXT and request.method == b"GET":
            self._is_waiting = True
            self._runtime.next(self)
            return
        self._route(request)
        if not request.keep_alive:
            self._transport.close()

    def _route(self, request: _Request) -> None:
        path, body = request.path, request.body
        request_id, _, what = path[len(INVOCATION) :].partition(b"/")
        is_result = path.startswith(INVOCATION) and what in (b"response", b"error")
        if not is_result and path not in (NEXT, INIT_ERROR):
            self.answer(NOT_FOUND)
        elif request.method != b"POST" or path == NEXT:
            self.answer(WRONG_METHOD)
        elif what == b"response" and is_result:
            self._runtime.respond(self, request_id.decode("latin-1"), body)
        elif body is None:
            self.answer(TOO_LARGE)
        elif is_result:
            self._runtime.fail(self, request_id.decode("latin-1"), body, request.error_type)
        else:
            self._runtime.fail_init(self, body, request.error_type)
