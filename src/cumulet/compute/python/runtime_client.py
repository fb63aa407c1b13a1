"""The part of AWS's runtime interface client for Python that is native, in Python: it speaks to the Runtime API.

Lies in /var/runtime beside the native one, which is compiled for one version of Python only; the others take this.
Standard library only; nothing here is imported by the server.
"""

from __future__ import annotations

import http.client
import os

INVOCATION = "/2018-06-01/runtime/invocation/"

_agent = ""
_connection: http.client.HTTPConnection | None = None


def initialize_client(agent: str) -> None:
    """Set the User-Agent of all requests."""
    global _agent
    _agent = agent


def next() -> tuple[bytes, dict[str, str]]:
    """Wait for the next event; return its body and the headers about it."""
    response, body = _send("GET", "next", None, {})
    if response.status != http.HTTPStatus.OK:
        raise RuntimeError(f"Failed to get next: {response.status} {body!r}")
    return body, dict(response.getheaders())


def post_invocation_result(
    invoke_id: str, result: bytes, content_type: str = "application/json", invocation_id: str | None = None
) -> None:
    """Answer an event."""
    _post(f"{invoke_id}/response", result, {"Content-Type": content_type}, invocation_id)


def post_error(invoke_id: str, error: str, xray_fault: str = "", invocation_id: str | None = None) -> None:
    """Answer an event with an error, as JSON."""
    headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": "Unhandled"}
    if xray_fault:
        headers["Lambda-Runtime-Function-XRay-Error-Cause"] = xray_fault.replace("\n", "")
    _post(f"{invoke_id}/error", error.encode(), headers, invocation_id)


def _post(what: str, body: bytes, headers: dict[str, str], invocation_id: str | None) -> None:
    if invocation_id:
        headers["Lambda-Runtime-Invocation-Id"] = invocation_id
    response, answer = _send("POST", what, body, headers)
    if response.status != http.HTTPStatus.ACCEPTED:
        raise RuntimeError(f"Failed to post {what}: {response.status} {answer!r}")


def _send(
    method: str, what: str, body: bytes | None, headers: dict[str, str]
) -> tuple[http.client.HTTPResponse, bytes]:
    global _connection
    if _connection is None:
        _connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        _connection.request(method, INVOCATION + what, body, {"User-Agent": _agent, **headers})
        response = _connection.getresponse()
        return response, response.read()
    except (OSError, http.client.HTTPException):
        _connection.close()
        raise
