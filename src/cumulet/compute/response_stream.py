"""An answer that a runtime streams, on its way to whoever has invoked the function.

AWS: Lambda-Runtime-Function-Response-Mode: streaming. The body is chunked; an error that comes after its beginning is
in the trailers. Where nobody wants it in pieces it is gathered, as if it had come in one.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import deque
from collections.abc import Callable

from cumulet.compute.failure import Failure
from cumulet.compute.function import Invocation
from cumulet.compute.runtime_api import MOST_RESPONSE_BYTES, RuntimeConnection

MOST_STREAMED_BYTES = 20 * 1024 * 1024
"""AWS Lambda quota: streamed response."""
TRUNCATED = Failure(error_type="Runtime.TruncatedResponse", message="The response has broken off.")


class ResponseStream:
    """The body of one answer."""

    def __init__(
        self,
        connection: RuntimeConnection,
        invocation: Invocation,
        content_type: str,
        on_end: Callable[[ResponseStream, Failure | None], None],
        on_too_large: Callable[[int], None],
    ) -> None:
        """`on_end` is called when all was handed on, with what the runtime says to have failed."""
        self._connection = connection
        self._on_chunk = invocation.on_chunk
        self._on_end = on_end
        self._on_too_large = on_too_large
        self._most_bytes = MOST_RESPONSE_BYTES if invocation.on_chunk is None else MOST_STREAMED_BYTES
        self._later: deque[bytes] = deque()
        """What came while an earlier chunk is handed on."""
        self._waiting: asyncio.Future[None] | None = None
        self._gathered: list[bytes] = []
        self._end: tuple[Failure | None] | None = None
        self._is_over = False
        self.size_bytes = 0
        self.is_given_up = False
        """Has it broken off some time ago?"""
        if invocation.on_chunk is not None and invocation.on_response_start is not None:
            invocation.on_response_start(content_type)

    @property
    def payload(self) -> bytes:
        """Return what nobody wanted in pieces."""
        return b"".join(self._gathered)

    def feed(self, chunk: bytes) -> None:
        """Some more of the body."""
        if self._is_over:
            return
        self.size_bytes += len(chunk)
        if self.size_bytes > self._most_bytes:
            self.abort()
            self._on_too_large(self._most_bytes)
        elif self._waiting is not None:
            self._later.append(chunk)
        else:
            self._hand_on(chunk)

    def end(self, error_type: str, error_body: bytes) -> None:
        """The body is complete; the trailers may say that it isn't what it should be."""
        self._end = (_failure(error_type, error_body),)
        self._end_if_empty()

    def break_off(self) -> None:
        """The connection has ended before the body."""
        if self._end is None:
            self._end = (TRUNCATED,)
            self._end_if_empty()

    def abort(self) -> None:
        """Hand nothing on any more."""
        self._is_over = True
        self._later.clear()

    def _hand_on(self, chunk: bytes) -> None:
        if self._on_chunk is None:
            self._gathered.append(chunk)
            return
        taken = self._on_chunk(chunk)
        if taken is not None:
            self._connection.pause()
            self._waiting = asyncio.ensure_future(taken)
            self._waiting.add_done_callback(self._taken)

    def _taken(self, waiting: asyncio.Future[None]) -> None:
        self._waiting = None
        if waiting.cancelled() or waiting.exception() is not None:
            self._on_chunk = _ignore  # whoever wanted it is gone; the function goes on
        while self._later and self._waiting is None:
            self._hand_on(self._later.popleft())
        if self._waiting is None:
            self._connection.resume()
            self._end_if_empty()

    def _end_if_empty(self) -> None:
        if self._end is not None and self._waiting is None and not self._is_over:
            self._is_over = True
            self._on_end(self, self._end[0])


def _ignore(_: bytes) -> None:
    pass


def _failure(error_type: str, encoded: bytes) -> Failure | None:
    if not error_type:
        return None
    try:
        body = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        body = encoded
    return Failure(error_type=error_type, body=body)
