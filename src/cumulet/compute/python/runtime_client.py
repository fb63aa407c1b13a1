"""The part of AWS's runtime interface client for Python that is native there, in Python: it speaks to the Runtime API.

It lies in /var/runtime in place of the native one, which is compiled for one version of Python, and whose transport
costs an invocation twice the time. Standard library only; nothing here is imported by the server.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from io import BufferedReader
from typing import cast

INVOCATION = "/2018-06-01/runtime/invocation/"
DEADLINE = "Lambda-Runtime-Deadline-Ms"
PLATFORM = "127.0.0.1:9001"
"""Where the Runtime API is without a proxy. It takes an answer and the request for the next event at once."""

_Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


class _Connection:
    """A connection to the Runtime API, or to a proxy of it. Raises OSError."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = cast("BufferedReader", self._socket.makefile("rb", 65536))
        self.is_kept = True

    def ask(self, requests: Sequence[bytes]) -> list[_Answer]:
        """Send requests and wait for their answers, until one says that it is the last."""
        self._socket.sendall(b"".join(requests))
        answers: list[_Answer] = []
        while self.is_kept and len(answers) < len(requests):
            answers.append(self._receive())
        return answers

    def _receive(self) -> _Answer:
        version, _, rest = self._reader.readline().partition(b" ")
        if not rest:
            raise ConnectionResetError("the Runtime API has closed the connection")
        headers = {}
        while line := self._reader.readline().rstrip():
            name, _, value = line.decode("utf-8", "replace").partition(":")
            headers[name.title()] = value.strip()
        self.is_kept = version == b"HTTP/1.1" and headers.get("Connection", "").lower() != "close"
        return int(rest[:3]), headers, self._read_body(headers)

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if "Content-Length" in headers:
            return self._reader.read(int(headers["Content-Length"]))
        if headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self._read_chunk, b""))
        self.is_kept = False
        return self._reader.read()

    def _read_chunk(self) -> bytes:
        chunk = self._reader.read(int(self._reader.readline().partition(b";")[0], 16))
        self._reader.readline()
        return chunk

    def close(self) -> None:
        """Close it."""
        self._reader.close()
        self._socket.close()


_address = _agent = ""
_connection: _Connection | None = None
_answered: tuple[str, bytes] | None = None
"""An answer to an event that is not sent yet."""


def initialize_client(agent: str) -> None:
    """Set the User-Agent of all requests. Their address is in the environment now; handlers may change that later."""
    global _address, _agent
    _address, _agent = os.environ.get("AWS_LAMBDA_RUNTIME_API", PLATFORM), agent


def next() -> tuple[bytes, dict[str, str | int]]:
    """Wait for the next event; return its body and the headers about it, their names like This-One."""
    global _answered
    request = _request("GET", "next")
    if _answered is None:
        answers = _ask(request)
    else:
        (what, answer), _answered = _answered, None
        accepted, *answers = _ask(answer, request)
        _check(what, accepted)
    status, headers, body = answers[0] if answers else _ask(request)[0]
    if status != 200:
        raise RuntimeError(f"Failed to get next: {status} {body!r}")
    return body, {**headers, DEADLINE: int(headers.get(DEADLINE, "0"))}


def post_invocation_result(
    invoke_id: str, result: bytes, content_type: str = "application/json", invocation_id: str | None = None
) -> None:
    """Answer an event."""
    _post(f"{invoke_id}/response", result, f"Content-Type: {content_type}\r\n", invocation_id)


def post_error(invoke_id: str, error: str, xray_fault: str = "", invocation_id: str | None = None) -> None:
    """Answer an event with an error, as JSON."""
    headers = "Content-Type: application/json\r\n"
    if xray_fault:
        cause = xray_fault.replace("\r", "").replace("\n", "")
        headers += f"Lambda-Runtime-Function-XRay-Error-Cause: {cause}\r\n"
    _post(f"{invoke_id}/error", error.encode(), headers, invocation_id)


def _post(what: str, body: bytes, headers: str, invocation_id: str | None) -> None:
    global _answered
    if invocation_id:
        headers += f"Lambda-Runtime-Invocation-Id: {invocation_id}\r\n"
    request = _request("POST", what, f"{headers}Content-Length: {len(body)}\r\n") + body
    if _address == PLATFORM:
        _answered = what, request
    else:
        _check(what, *_ask(request))


def _check(what: str, answer: _Answer) -> None:
    status, _, body = answer
    if status != 202:
        raise RuntimeError(f"Failed to post {what}: {status} {body!r}")


def _request(method: str, what: str, headers: str = "") -> bytes:
    head = f"{method} {INVOCATION}{what} HTTP/1.1\r\nHost: {_address}\r\nUser-Agent: {_agent}\r\n{headers}\r\n"
    return head.encode()


def _ask(*requests: bytes) -> list[_Answer]:
    """Ask on the connection that there is; on a new one if that has been closed since."""
    global _connection
    connection, _connection = _connection, None
    if connection is not None:
        try:
            answers = connection.ask(requests)
        except ConnectionError:
            connection.close()
            connection = None
    if connection is None:
        connection = _Connection(_address)
        answers = connection.ask(requests)
    if connection.is_kept:
        _connection = connection
    else:
        connection.close()
    return answers


def _begin_anew() -> None:
    """Leave the connection to the parent, in a child that a handler has forked."""
    global _connection, _answered
    _connection = _answered = None


os.register_at_fork(after_in_child=_begin_anew)
