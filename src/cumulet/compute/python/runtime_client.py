"""The part of AWS's runtime interface client for Python that is native there, in Python: it speaks to the Runtime API.

It lies in /var/runtime in place of the native one, which is compiled for one version of Python, and whose transport
costs an invocation twice the time. Standard library only; nothing here is imported by the server.
"""

from __future__ import annotations

import os
import socket

INVOCATION = "/2018-06-01/runtime/invocation/"


class _Connection:
    """A connection to the Runtime API, or to a proxy of it. Raises OSError."""

    def __init__(self) -> None:
        self._host = os.environ["AWS_LAMBDA_RUNTIME_API"]
        name, _, port = self._host.rpartition(":")
        self._socket = socket.create_connection((name, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb", 65536)
        self.is_kept = True

    def ask(self, target: str, headers: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a request and wait for the answer: its status, headers and body."""
        head = f"{target} HTTP/1.1\r\nHost: {self._host}\r\nUser-Agent: {_agent}\r\n{headers}\r\n"
        self._socket.sendall(head.encode() + body)
        version, _, rest = self._reader.readline().partition(b" ")
        if not rest:
            raise ConnectionResetError("the Runtime API has closed the connection")
        answered = {}
        while line := self._reader.readline().rstrip():
            name, _, value = line.decode("utf-8", "replace").partition(":")
            answered[name.title()] = value.strip()
        self.is_kept = version == b"HTTP/1.1" and answered.get("Connection", "").lower() != "close"
        return int(rest[:3]), answered, self._read_body(answered)

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


_agent = ""
_connection: _Connection | None = None


def initialize_client(agent: str) -> None:
    """Set the User-Agent of all requests."""
    global _agent
    _agent = agent


def next() -> tuple[bytes, dict[str, str]]:
    """Wait for the next event; return its body and the headers about it, their names like This-One."""
    status, headers, body = _ask(f"GET {INVOCATION}next")
    if status != 200:
        raise RuntimeError(f"Failed to get next: {status} {body!r}")
    return body, headers


def post_invocation_result(
    invoke_id: str, result: bytes, content_type: str = "application/json", invocation_id: str | None = None
) -> None:
    """Answer an event."""
    _post(f"{invoke_id}/response", result, f"Content-Type: {content_type}\r\n", invocation_id)


def post_error(invoke_id: str, error: str, xray_fault: str = "", invocation_id: str | None = None) -> None:
    """Answer an event with an error, as JSON."""
    headers = "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: Unhandled\r\n"
    if xray_fault:
        cause = xray_fault.replace("\r", "").replace("\n", "")
        headers += f"Lambda-Runtime-Function-XRay-Error-Cause: {cause}\r\n"
    _post(f"{invoke_id}/error", error.encode(), headers, invocation_id)


def _post(what: str, body: bytes, headers: str, invocation_id: str | None) -> None:
    if invocation_id:
        headers += f"Lambda-Runtime-Invocation-Id: {invocation_id}\r\n"
    headers += f"Content-Length: {len(body)}\r\n"
    status, _, answer = _ask(f"POST {INVOCATION}{what}", headers, body)
    if status != 202:
        raise RuntimeError(f"Failed to post {what}: {status} {answer!r}")


def _ask(target: str, headers: str = "", body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Ask on the connection that there is; on a new one if that has been closed since."""
    global _connection
    connection, _connection = _connection, None
    if connection is not None:
        try:
            answer = connection.ask(target, headers, body)
        except ConnectionError:
            connection.close()
            connection = None
    if connection is None:
        connection = _Connection()
        answer = connection.ask(target, headers, body)
    if connection.is_kept:
        _connection = connection
    else:
        connection.close()
    return answer
