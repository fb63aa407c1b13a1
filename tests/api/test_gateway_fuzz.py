"""Whatever stands on the wire: no 500, no traceback, no dead server."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_http import LIST_QUEUES, exchange, form, head, json

from cumulet.testing import Cumulet

VALID = [
    form(LIST_QUEUES),
    form(
        b"Action=SendMessage&MessageBody=x&MessageAttribute.1.Name=n&MessageAttribute.1.Value.DataType=String", b"/1/q"
    ),
    json(b"SendMessage", b'{"QueueUrl": "http://x/000000000000/q", "MessageBody": "b", "DelaySeconds": 1}'),
    json(b"CreateQueue", b'{"QueueName": "q", "Attributes": {"VisibilityTimeout": "1"}, "tags": {"a": "b"}}'),
    json(b"ReceiveMessage", b'{"QueueUrl": "q", "MaxNumberOfMessages": 10}'),
    head(b"GET /queue/us-east-1/000000000000/q?Action=GetQueueAttributes&AttributeName.1=All HTTP/1.1"),
    head(b"GET /2015-03-31/functions/ HTTP/1.1", b"Authorization: AWS4-HMAC-SHA256 Credential=a/b/c/lambda/e"),
    head(b"GET / HTTP/1.1", b"Authorization: AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/sqs/aws4_request"),
    head(b"POST /service/X/operation/Y HTTP/1.1", b"smithy-protocol: rpc-v2-cbor", b"Content-Length: 0"),
    head(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n",
    head(b"POST /_cumulet/clock/advance HTTP/1.1", b"Content-Length: 14") + b'{"seconds": 1}',
]
PIECES = [
    b"\r\n",
    b"\r\n\r\n",
    b"%",
    b"%ff",
    b"\x00",
    b"&",
    b"=",
    b".1",
    b"{",
    b'"',
    b"[",
    b"HTTP/1.1",
    b"\xc3\x28",
    b":",
]
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    """Return a server that gives up early, and check what it wrote."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CUMULET_REQUEST_DEADLINE_SECONDS", "0.2")
        with Cumulet(tmp_path_factory.mktemp("fuzz") / "data") as server:
            yield server
            log = server.log.read_text()
    assert "Traceback" not in log
    assert "failed" not in log


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid request with some bytes changed, cut or put in."""
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 8)))
        text = text[:start] + draw(st.sampled_from(PIECES) | st.binary(max_size=4)) + text[end:]
    return text


def say(server: Cumulet, data: bytes) -> bytes:
    """Send all, say that this was all, and return everything that comes back."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), 10) as connection:
        heard = b""
        try:
            connection.sendall(data)
            connection.sendall(form(LIST_QUEUES, b"/", b"Connection: close"))
            while received := connection.recv(65536):
                heard += received
        except (ConnectionResetError, BrokenPipeError):
            pass
    return heard


FUZZ = settings(
    deadline=None, max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(data=st.binary(min_size=1, max_size=200) | mutated() | st.lists(mutated(), min_size=2, max_size=3).map(b"".join))
def test_nothing_on_the_wire_is_a_failure_of_the_server(target: Cumulet, data: bytes) -> None:
    heard = say(target, data)

    statuses = {int(status) for status in STATUS.findall(heard)}
    assert heard.startswith(b"HTTP/1.1 ") or not heard
    assert not any(status >= 500 and status != 501 for status in statuses)
    assert exchange(target.url, form(LIST_QUEUES)).status == 200
