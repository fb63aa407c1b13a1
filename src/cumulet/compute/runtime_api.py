"""The Lambda Runtime API: how a runtime asks for events and answers them. Each environment has a server of its own.

Not the platform's HTTP server: a warm invocation is two requests here, so each is parsed once and answered with one
write. What a request does to the environment is up to `Runtime`; statuses and errors are AWS's. What is for another API
than this (`extensions_api`) is only read here.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, cast

import httptools
import orjson

MOST_RESPONSE_BYTES = 6 * 1024 * 1024 + 100
"""AWS Lambda quota: invocation payload, synchronous."""
MOST_HEAD_BYTES = 4 * 1024 * 1024
"""The runtime interface clients send the cause of an error in a header of up to 1 MiB."""
MOST_PIPELINED = 8
_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)

PREFIX = b"/2018-06-01/runtime/"
NEXT = PREFIX + b"invocation/next"
INIT_ERROR = PREFIX + b"init/error"
INVOCATION = PREFIX + b"invocation/"


def answer(status: bytes, body: bytes, head: bytes = b"") -> bytes:
    """Return an answer of JSON; `head` holds more header lines."""
    lines = b"HTTP/1.1 %b\r\n%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return lines % (status, head, len(body)) + body


def error(status: bytes, error_type: str, message: str, head: bytes = b"") -> bytes:
    """Return an answer that refuses."""
    return answer(status, orjson.dumps({"errorMessage": message, "errorType": error_type}), head)


LAST = b"Connection: close\r\n"
ACCEPTED = answer(b"202 Accepted", b'{"status":"OK"}\n')
INVALID_REQUEST_ID = error(b"400 Bad Request", "InvalidRequestID", "Invalid request ID", LAST)
TOO_LARGE = error(
    b"413 Request Entity Too Large",
    "RequestEntityTooLarge",
    f"Exceeded maximum allowed payload size ({MOST_RESPONSE_BYTES} bytes).",
)
INVALID_MODE = error(b"400 Bad Request", "InvalidFunctionResponseMode", "Invalid function response mode")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NOT_FOUND = error(b"404 Not Found", "NotFound", "404 page not found")
WRONG_METHOD = error(b"405 Method Not Allowed", "MethodNotAllowed", "Method not allowed")
MALFORMED = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def invalid_transition(state: str, wanted: str) -> bytes:
    """Return AWS's answer to a request that doesn't fit the runtime's state."""
    message = f"State transition from {state} to {wanted} failed for runtime. Error: State transition is not allowed"
    return error(b"403 Forbidden", "InvalidStateTransition", message, LAST)


class Stream(Protocol):
    """Takes an answer that comes in pieces."""

    def feed(self, chunk: bytes) -> None:
        """Some more of it."""

    def end(self, error_type: str, error_body: bytes) -> None:
        """It is complete; the trailers may say that it has failed."""

    def break_off(self) -> None:
        """The connection has ended before it."""


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

    def stream(self, connection: RuntimeConnection, request_id: str, content_type: str) -> Stream | bytes:
        """The handler begins to answer in pieces: return who takes them, or what to refuse them with."""

    def fail_init(self, connection: RuntimeConnection, body: bytes, error_type: str) -> None:
        """The runtime could not load the handler."""

    def serve(
        self, connection: RuntimeConnection, method: bytes, path: bytes, headers: Mapping[bytes, bytes], body: bytes
    ) -> None:
        """A request for another API has come; header names are in lower case."""


class _Request(NamedTuple):
    method: bytes
    path: bytes
    body: bytes | None
    """None when it was too large."""
    error_type: str
    keep_alive: bool
    mode: bytes
    headers: Mapping[bytes, bytes]
    """Of a request for another API."""


_NO_HEADERS: Mapping[bytes, bytes] = {}


class RuntimeConnection(asyncio.Protocol):
    """A connection of a runtime, or of an extension. Requests are answered in their order."""

    __slots__ = (
        "_body",
        "_body_bytes",
        "_content_type",
        "_error_body",
        "_error_type",
        "_head_bytes",
        "_headers",
        "_is_in_head",
        "_is_other",
        "_is_reading",
        "_is_waiting",
        "_later",
        "_mode",
        "_parser",
        "_refusal",
        "_runtime",
        "_stream",
        "_transport",
        "_unsent",
        "_url",
        "_wants_upgrade",
    )

    _transport: asyncio.Transport

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._parser: Any = httptools.HttpRequestParser(self)
        self._url = b""
        self._error_type = ""
        self._error_body = b""
        self._content_type = b""
        self._mode = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._is_in_head = False
        self._wants_upgrade = False
        self._is_other = False
        """Is the current request for another API than the Runtime API?"""
        self._stream: Stream | None = None
        """Who takes the body of the current request, if that is an answer in pieces."""
        self._refusal = b""
        """What such a body is refused with."""
        self._is_waiting = False
        """Whether a request for the next event is not answered yet."""
        self._later: deque[_Request] = deque()
        """What came after it."""
        self._is_reading = False
        self._unsent = b""
        """Answers to what is being read; where a request for the next event follows at once, they go with the event."""

    def send_event(self, head: bytes, payload: bytes) -> None:
        """Answer the request for the next event."""
        self._is_waiting = False
        unsent, self._unsent = self._unsent, b""
        self._transport.write(
            b"%bHTTP/1.1 200 OK\r\n%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (unsent, head, len(payload), payload)
        )
        while self._later and not self._is_waiting:
            self._take(self._later.popleft())

    def answer(self, answer: bytes) -> None:
        """Answer another request, unless nobody waits for that any more."""
        if self._is_reading:
            self._unsent += answer
        elif not self._transport.is_closing():
            self._transport.write(answer)

    def refuse(self, answer: bytes) -> None:
        """Answer a request like that with an error, and take no more: the next one was sent without knowing of it."""
        self.answer(answer)
        self.close()

    def wait_for_event(self) -> None:
        """Say that a request will be answered with `send_event`: it is one for an extension's next event."""
        self._is_waiting = True

    def pause(self) -> None:
        """Read nothing for now."""
        self._transport.pause_reading()

    def resume(self) -> None:
        """Go on reading."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """Close the connection."""
        self._send_unsent()
        self._transport.close()

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._runtime.connected(self)

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self._is_reading = True
        try:
            while data:
                try:
                    self._parser.feed_data(data)
                    break
                except httptools.HttpParserUpgrade as upgrade:
                    data = self._without_upgrade(data, upgrade.args[0])
        except httptools.HttpParserError:
            self.answer(MALFORMED)
            self.close()
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._transport.abort()
        self._is_reading = False
        if not self._is_waiting:
            self._send_unsent()

    def _without_upgrade(self, data: bytes, end: int) -> bytes:
        """Return what to feed again: the request whose head ends there, without its wish to upgrade, and what follows.

        HTTP allows to ignore it. Left to itself the parser takes the body for another protocol.
        """
        begin = data.rfind(b"%b %b HTTP/" % (self._parser.get_method(), self._url), 0, end)
        if begin < 0 or not self._wants_upgrade:
            raise httptools.HttpParserError("the head is not here as a whole, or it is a CONNECT")
        self._parser = httptools.HttpRequestParser(self)
        return _UPGRADE.sub(b"\r\nIgnored:", data[begin:end]) + data[end:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the environment that nobody waits here any more."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            stream.break_off()
        self._runtime.disconnected(self)
        self._parser = None  # it refers to us

    # What the parser tells

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url = self._mode = self._error_body = self._refusal = b""
        self._error_type = ""
        self._body = []
        self._body_bytes = self._head_bytes = 0
        self._is_in_head = True
        self._wants_upgrade = False

    def on_url(self, url: bytes) -> None:
        """Some of the request's target."""
        self._url += url
        self._is_other = not self._url.startswith(PREFIX)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MOST_HEAD_BYTES:
            self._transport.abort()
        elif self._is_other:
            self._headers[name.lower()] = value
        elif len(name) >= 34:
            self._read_long_header(name.lower(), value)
        elif len(name) == 12 and name.lower() == b"content-type":
            self._content_type = value
        if len(name) == 7 and name.lower() == b"upgrade":
            self._wants_upgrade = True
        if len(name) == 6 and name.lower() == b"expect" and value.lower() == b"100-continue":
            self.answer(CONTINUE)

    def _read_long_header(self, name: bytes, value: bytes) -> None:
        if name == b"lambda-runtime-function-error-type":
            self._error_type = value.decode("latin-1")
        elif name == b"lambda-runtime-function-error-body":
            self._error_body = value
        elif name == b"lambda-runtime-function-response-mode":
            self._mode = value.lower()

    def on_headers_complete(self) -> None:
        """The request's head is here: an answer in pieces begins to be handed on."""
        self._is_in_head = False
        if self._wants_upgrade and self._parser.should_upgrade():
            return
        if self._mode == b"streaming" and not self._is_waiting and self._parser.get_method() == b"POST":
            request_id, _, what = self._url[len(INVOCATION) :].partition(b"/")
            if what == b"response" and self._url.startswith(INVOCATION):
                stream = self._runtime.stream(self, request_id.decode("latin-1"), self._content_type.decode("latin-1"))
                if isinstance(stream, bytes):
                    self._refusal = stream
                else:
                    self._stream = stream

    def on_body(self, body: bytes) -> None:
        """Some of the request's body; beyond the limit it is thrown away."""
        if self._stream is not None:
            self._stream.feed(body)
            return
        self._body_bytes += len(body)
        if self._body_bytes <= MOST_RESPONSE_BYTES:
            self._body.append(body)
        else:
            self._body.clear()

    def on_message_complete(self) -> None:
        """The request is here."""
        if self._wants_upgrade and self._parser.should_upgrade():
            return
        if self._stream is not None:
            stream, self._stream = self._stream, None
            stream.end(self._error_type, self._error_body)
            return
        if self._refusal:
            self.refuse(self._refusal)
            return
        body = b"".join(self._body) if self._body_bytes <= MOST_RESPONSE_BYTES else None
        parser = self._parser
        headers = _NO_HEADERS
        if self._headers:
            headers, self._headers = self._headers, {}
        keep_alive = parser.should_keep_alive()
        request = _Request(parser.get_method(), self._url, body, self._error_type, keep_alive, self._mode, headers)
        self._body = []
        if self._transport.is_closing():
            return
        if not self._is_waiting:
            self._take(request)
        elif len(self._later) < MOST_PIPELINED:
            self._later.append(request)
        else:
            self._transport.abort()

    def _send_unsent(self) -> None:
        if self._unsent and not self._transport.is_closing():
            self._transport.write(self._unsent)
        self._unsent = b""

    def _take(self, request: _Request) -> None:
        if request.path == NEXT and request.method == b"GET":
            self._is_waiting = True
            self._runtime.next(self)
            return
        if request.path.startswith(PREFIX):
            self._route(request)
        elif request.body is None:
            self.answer(TOO_LARGE)
        else:
            self._runtime.serve(self, request.method, request.path, request.headers, request.body)
        if not request.keep_alive and not self._is_waiting:
            self.close()

    def _route(self, request: _Request) -> None:
        path, body = request.path, request.body
        request_id, _, what = path[len(INVOCATION) :].partition(b"/")
        is_result = path.startswith(INVOCATION) and what in (b"response", b"error")
        if not is_result and path not in (NEXT, INIT_ERROR):
            self.answer(NOT_FOUND)
        elif request.method != b"POST" or path == NEXT:
            self.answer(WRONG_METHOD)
        elif request.mode not in (b"", b"streaming"):
            self.answer(INVALID_MODE)
        elif what == b"response" and is_result:
            self._runtime.respond(self, request_id.decode("latin-1"), body)
        elif body is None:
            self.answer(TOO_LARGE)
        elif is_result:
            self._runtime.fail(self, request_id.decode("latin-1"), body, request.error_type)
        else:
            self._runtime.fail_init(self, body, request.error_type)
