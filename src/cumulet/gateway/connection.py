"""One client's connection: uvicorn's HTTP protocol with the limits that it lacks.

A request must have arrived within its deadline, its head within 64 KiB; a connection that says nothing is closed after
the keep-alive time, whether it has been used or not. Wishes to upgrade are ignored, as HTTP allows: the request is
answered as HTTP/1.1. What is refused here reached no service and is answered in plain HTTP.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from cumulet.gateway.exchange import Exchange, linger

MOST_HEAD_BYTES = 64 * 1024
SHUTDOWN_SECONDS = 2.0
"""How long an unfinished request may go on arriving once the platform shuts down."""


def _answer(status: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % status


MALFORMED = _answer(b"400 Bad Request")
TOO_SLOW = _answer(b"408 Request Timeout")
HEAD_TOO_LARGE = _answer(b"431 Request Header Fields Too Large")


class HeadTooLarge(Exception):
    """Stops the parser; the client has its answer."""


class Connection(HttpToolsProtocol):
    """A connection that waits for no one for ever."""

    deadline_seconds = 30.0

    @classmethod
    def with_deadline(cls, seconds: float) -> type[Connection]:
        """Return the class of connections on which a request must arrive within `seconds`."""
        return type(cls.__name__, (cls,), {"deadline_seconds": seconds})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._chunk_bytes = 0  # of what is being read now
        self._late_bytes = 0  # since the read in which the request began, which makes it negative
        self._has_head = True
        self._is_whole = True
        self._is_refused = False
        self._deadline: asyncio.TimerHandle | None = None
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let the keep-alive time run from the start."""
        super().connection_made(transport)
        self._rest()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; what leaves a request unfinished starts its deadline."""
        if self._is_refused or (self.cycle is not None and self.cycle.response_complete and not self.cycle.keep_alive):
            return
        self._unset_keepalive_if_required()
        self._chunk_bytes = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(MALFORMED)
        self._late_bytes += len(data)
        if self._is_whole:
            if self.cycle is None or self.cycle.response_complete:
                self._rest()  # nothing but line breaks came
            return
        if not self._has_head and (self._late_bytes > MOST_HEAD_BYTES or self._is_head_too_large()):
            self._refuse(HEAD_TOO_LARGE)
        if self._deadline is None and not self._is_refused:
            self._deadline = self.loop.call_later(self.deadline_seconds, self._refuse, TOO_SLOW)

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._is_whole = self._has_head = False
        self._late_bytes = -self._chunk_bytes
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that the request's head is here, and let it be answered."""
        if self.parser.should_upgrade():
            return
        if self._is_head_too_large():
            self._refuse(HEAD_TOO_LARGE)
            raise HeadTooLarge
        self._has_head = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request is here."""
        if not self._has_head:
            return  # the parser takes what follows a wish to upgrade for another protocol
        self._is_whole = True
        self._forget_deadline()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the running request, behind which others may wait, that nobody listens; forget all timers."""
        self._forget_deadline()
        self._unset_keepalive_if_required()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection once what runs on it is answered; what has not arrived yet has little time left."""
        if self._has_head and not self._is_whole:
            self._forget_deadline()
            seconds = min(SHUTDOWN_SECONDS, self.deadline_seconds)
            self._deadline = self.loop.call_later(seconds, self._refuse, TOO_SLOW)
        super().shutdown()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        task = self.loop.create_task(Exchange(cycle).run(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _rest(self) -> None:
        if self.timeout_keep_alive_task is None and not self._is_refused:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _is_head_too_large(self) -> bool:
        if self._late_bytes < 0 and self._chunk_bytes <= MOST_HEAD_BYTES:
            return False
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MOST_HEAD_BYTES

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        """Take the head again without its `Upgrade`: the parser would take the body for another protocol."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        kept = b"".join([b"%s: %s\r\n" % pair for pair in self.headers if pair[0] != b"upgrade"])
        head = b"%s %s HTTP/%s\r\n%s\r\n" % (method, self.url, version, kept)
        self.parser = httptools.HttpRequestParser(self)
        try:
            if method == b"CONNECT":
                raise httptools.HttpParserError("this is no proxy")
            self.parser.feed_data(head + rest)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(MALFORMED)

    def _refuse(self, answer: bytes) -> None:
        """Answer, take no more, and close soon; requests before the refused one are still answered."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._forget_deadline()
        is_earlier_running = self.cycle is not None and not self.cycle.response_complete and not self._has_head
        if is_earlier_running:
            self.cycle.keep_alive = False
        elif self.pipeline or (self._has_head and not self._is_whole and self.cycle.response_started):
            self.transport.close()
        else:
            self.transport.write(answer)
            linger(self.transport)
