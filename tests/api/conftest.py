"""What the tests of the API share: clients of a fresh account on the session's server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from logs_groups import Group, LogsWire
from sqs_queues import Queue, Queues
from sqs_wire import Wire

from cumulet.testing import Cumulet


@pytest.fixture
def queues(cumulet: Cumulet) -> Queues:
    """Return a maker of queues."""
    return Queues(cumulet)


@pytest.fixture
def queue(queues: Queues) -> Queue:
    """Return a standard queue with AWS's defaults."""
    return queues.standard()


@pytest.fixture
def fifo(queues: Queues) -> Queue:
    """Return a FIFO queue with AWS's defaults."""
    return queues.fifo()


@pytest.fixture
def wire(cumulet: Cumulet) -> Iterator[Wire]:
    """Return a client of the json protocol that sends anything."""
    client = Wire(cumulet)
    yield client
    client.close()


@pytest.fixture
def query_wire(cumulet: Cumulet) -> Iterator[Wire]:
    """Return a client of the query protocol that sends anything."""
    client = Wire(cumulet, "query")
    yield client
    client.close()


@pytest.fixture(params=["json", "query"])
def either_wire(cumulet: Cumulet, request: pytest.FixtureRequest) -> Iterator[Wire]:
    """Return a client that sends anything, in each protocol."""
    client = Wire(cumulet, request.param)
    yield client
    client.close()


@pytest.fixture
def group(cumulet: Cumulet) -> Group:
    """Return a log group with AWS's defaults."""
    return Group(cumulet).create()


@pytest.fixture
def logs_wire(cumulet: Cumulet) -> Iterator[LogsWire]:
    """Return a client of CloudWatch Logs that sends anything."""
    client = LogsWire(cumulet)
    yield client
    client.close()
