"""SQS: how many messages may be in flight, on a server whose quota a test can reach."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from quotas import with_quotas
from sqs_queues import Queue, Queues

from cumulet.testing import Cumulet

LIMIT = 20


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    """A server where at most twenty messages of a queue may be in flight."""
    with with_quotas(tmp_path_factory.mktemp("strict"), {"sqs:messages-in-flight": LIMIT}) as server:
        yield server


@pytest.fixture
def strict(strict_server: Cumulet, request: pytest.FixtureRequest) -> Cumulet:
    """The strict server as an account of the test's own sees it."""
    return strict_server.as_account(f"{abs(hash(request.node.name)) % 10**12:012}")


def filled(queue: Queue, count: int) -> Queue:
    for number in range(count):
        if queue.url.endswith(".fifo"):
            queue.send_to(f"g{number}", str(number))
        else:
            queue.send(str(number))
    return queue


def test_standard_queue_refuses_to_have_more_in_flight(strict: Cumulet) -> None:
    queue = filled(Queues(strict).standard(), LIMIT + 5)
    messages = queue.receive() + queue.receive()

    with pytest.raises(ClientError) as refused:
        queue.receive()

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert refused.value.response["Error"]["Code"] == "OverLimit"
    assert refused.value.response["Error"]["Message"] == (
        "Too many messages have been received without being deleted.\n"
        "Please delete your received messages or let them timeout before receiving more."
    )
    assert queue.counts() == (5, LIMIT, 0)
    queue.delete(messages[0])
    assert len(queue.receive()) == 1


def test_fifo_queue_returns_nothing_more(strict: Cumulet) -> None:
    fifo = filled(Queues(strict).fifo(), LIMIT + 5)
    messages = fifo.receive() + fifo.receive()

    assert fifo.receive() == []
    assert fifo.counts() == (5, LIMIT, 0)
    fifo.delete(messages[0])
    assert len(fifo.receive()) == 1


def test_timeouts_make_room_again(strict: Cumulet) -> None:
    queue = filled(Queues(strict).standard(), LIMIT + 5)
    assert len(queue.receive() + queue.receive()) == LIMIT

    strict.advance(seconds=30)

    assert len(queue.receive() + queue.receive()) == LIMIT


def test_receive_stops_at_the_limit(strict: Cumulet) -> None:
    queue = filled(Queues(strict).standard(), LIMIT + 5)
    assert len(queue.receive(7) + queue.receive(7)) == 14

    assert len(queue.receive()) == LIMIT - 14


@pytest.mark.parametrize("kind", ["standard", "fifo"])
def test_many_consumers_together_keep_the_limit(strict: Cumulet, kind: str) -> None:
    queue = filled(getattr(Queues(strict), kind)(), LIMIT + 15)

    def receive_some(_: int) -> int:
        taken = 0
        for _ in range(10):
            try:
                taken += len(queue.receive(1))
            except ClientError as error:
                assert error.response["Error"]["Code"] == "OverLimit"
        return taken

    with ThreadPoolExecutor(8) as consumers:
        taken = sum(consumers.map(receive_some, range(8)))

    assert taken == LIMIT
    assert queue.counts() == (15, LIMIT, 0)
