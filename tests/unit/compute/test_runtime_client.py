"""The Python runtime's client of the Runtime API, in front of servers as proxies have them."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest

from cumulet.compute.interpreter import CLIENT

EVENT = b'{"number":1}'


class Api(BaseHTTPRequestHandler):
    """Gives out one event again and again, and keeps what it is answered with."""

    protocol_version = "HTTP/1.1"
    style = ""
    asked: list[tuple[str, str, dict[str, str], bytes]]
    connections: list[Any]

    def setup(self) -> None:
        super().setup()
        self.connections.append(self.connection)

    def do_GET(self) -> None:
        self.take(b"")
        self.answer(200, EVENT)

    def do_POST(self) -> None:
        self.take(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(202, b'{"status":"OK"}\n')

    def take(self, body: bytes) -> None:
        self.asked.append((self.command, self.path, dict(self.headers), body))

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if self.style == "small letters":
            self.send_header("lambda-runtime-aws-request-id", "r-1")
            self.send_header("content-length", str(len(body)))
        else:
            self.send_header("Lambda-Runtime-Aws-Request-Id", "r-1")
        self.send_header("Lambda-Runtime-Deadline-Ms", "1800000000000")
        if self.style == "chunks":
            self.send_header("Transfer-Encoding", "chunked")
            body = b"5;x=y\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:5], len(body) - 5, body[5:])
        elif self.style == "until the end":
            self.close_connection = True
        elif self.style != "small letters":
            self.send_header("Content-Length", str(len(body)))
        if self.style == "says that it closes":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        if self.style == "closes without a word":
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


class Served:
    """A client, and what the server has seen."""

    def __init__(self, client: ModuleType, handler: type[Api]) -> None:
        self.client = client
        self.asked = handler.asked
        self.connections = handler.connections


@pytest.fixture
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    handler = type("Handler", (Api,), {"style": getattr(request, "param", ""), "asked": [], "connections": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = False
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", f"127.0.0.1:{server.server_port}")
        spec = importlib.util.spec_from_file_location("runtime_client", CLIENT)
        assert spec is not None
        assert spec.loader is not None
        client = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(client)
        client.initialize_client("aws-lambda-python/3.11-x")
        yield Served(client, handler)
        if client._connection is not None:
            client._connection.close()
        server.shutdown()
        thread.join()


STYLES = ["", "small letters", "chunks", "until the end", "says that it closes", "closes without a word"]


@pytest.mark.parametrize("served", STYLES, indirect=True)
def test_events_come_and_are_answered_however_the_server_writes(served: Served) -> None:
    for _ in range(3):
        body, headers = served.client.next()
        assert body == EVENT
        assert headers["Lambda-Runtime-Aws-Request-Id"] == "r-1"
        assert headers["Lambda-Runtime-Deadline-Ms"] == 1_800_000_000_000
        served.client.post_invocation_result("r-1", b"[1]", "application/json")

    assert [(method, path.rpartition("/")[2], body) for method, path, _, body in served.asked] == [
        ("GET", "next", b""),
        ("POST", "response", b"[1]"),
    ] * 3
    assert {headers["User-Agent"] for _, _, headers, _ in served.asked} == {"aws-lambda-python/3.11-x"}


def test_one_connection_serves_all_requests(served: Served) -> None:
    for _ in range(3):
        served.client.next()
        served.client.post_invocation_result("r-1", b"{}")

    assert len(served.connections) == 1


@pytest.mark.parametrize("served", STYLES[:-1], indirect=True)
def test_an_answer_goes_with_the_request_for_the_next_event_where_there_is_no_proxy(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.client, "PLATFORM", os.environ["AWS_LAMBDA_RUNTIME_API"])

    served.client.next()
    for number in range(3):
        served.client.post_invocation_result("r-1", b"%d" % number)
        assert len(served.asked) == 1 + 2 * number
        served.client.next()

    assert [body for method, *_, body in served.asked if method == "POST"] == [b"0", b"1", b"2"]


def test_an_error_is_told_with_its_cause_on_one_line(served: Served) -> None:
    served.client.post_error("r-1", '{"errorMessage":"é"}', '{"working_directory":\r\n"/var/task"}', "i-1")

    [(method, path, headers, body)] = served.asked
    assert (method, path) == ("POST", "/2018-06-01/runtime/invocation/r-1/error")
    assert body == '{"errorMessage":"é"}'.encode()
    assert headers["Content-Type"] == "application/json"
    assert headers["Lambda-Runtime-Function-XRay-Error-Cause"] == '{"working_directory":"/var/task"}'
    assert headers["Lambda-Runtime-Invocation-Id"] == "i-1"


@pytest.mark.parametrize("ask", ["next", "post"])
def test_a_refusal_is_an_error(served: Served, ask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    handler_answer = Api.answer
    monkeypatch.setattr(Api, "answer", lambda self, status, body: handler_answer(self, 403, b"not allowed"))

    with pytest.raises(RuntimeError, match=r"403 b'not allowed'"):
        served.client.next() if ask == "next" else served.client.post_invocation_result("r-1", b"{}")
