"""Many connections at once."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil
import pytest
from raw_http import LIST_QUEUES, form

from cumulet.gateway.connection import Times
from cumulet.testing import Cumulet

MANY = 10_000


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process, and what it starts, hold more than `MANY` sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < MANY + 500:
        pytest.skip(f"the hard limit of open files is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, MANY + 500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_connection_is_kept_for_a_minute_at_least() -> None:
    assert Times().idle >= 60


def test_10_000_idle_connections_are_held_while_others_work(
    many_files: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sockets: list[socket.socket] = []
    with Cumulet(tmp_path_factory.mktemp("many") / "data") as server:
        address = urlsplit(server.url)
        sqs = server.client("sqs")
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        try:
            for _ in range(MANY):
                sockets.append(socket.create_connection((address.hostname, address.port), 10))
            for number in range(100):
                sqs.send_message(QueueUrl=url, MessageBody=str(number))
            for idle in sockets[:: MANY // 100]:
                idle.sendall(form(LIST_QUEUES))
            answers = [idle.recv(4096) for idle in sockets[:: MANY // 100]]
            assert server.process is not None
            resident_bytes = psutil.Process(server.process.pid).memory_info().rss
        finally:
            for idle in sockets:
                idle.close()
        sqs.send_message(QueueUrl=url, MessageBody="after")

    assert len(answers) == 100
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    assert resident_bytes < 300 * 1024 * 1024
