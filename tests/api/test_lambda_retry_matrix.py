"""One function that always fails, behind everything that can invoke it: how often it is tried, when, and what is left.

The table is AWS's of invocation types and retries, for the triggers that there are.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from asynchronous import taken
from lambda_functions import create
from sqs_queues import Queues

from cumulet.testing import Cumulet

SOURCE = """
import json, os
import boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["RESULTS"], MessageBody=json.dumps(event))
    raise RuntimeError("always")
"""
VISIBILITY_SECONDS, MOST_RECEIVES = 30, 3
A_DAY = 86_400


class Failing:
    """The function, and where its events may end."""

    def __init__(self, cumulet: Cumulet) -> None:
        self.cumulet = cumulet
        self.client = cumulet.client("lambda")
        queues = Queues(cumulet)
        self.results, self.failures, self.dead = (queues.standard(name) for name in ("results", "failures", "dead"))
        self.queues = queues
        self.name = create(
            cumulet,
            source=SOURCE,
            Timeout=10,
            Environment={"Variables": {"RESULTS": self.results.url}},
            DeadLetterConfig={"TargetArn": self.dead.arn},
        )["FunctionName"]
        self.client.put_function_event_invoke_config(
            FunctionName=self.name, DestinationConfig={"OnFailure": {"Destination": self.failures.arn}}
        )

    def attempts(self) -> int:
        """Return how often it has run since the last call."""
        return len(taken(self.results))


Ending = Callable[[], Any]
"""What is asked when all is over; true if the event has ended as it should."""


def by_cli(function: Failing) -> Ending:
    command = [sys.executable, "-m", "awscli", "lambda", "invoke", "--function-name", function.name, "/dev/stdout"]
    environment = {**function.cumulet.environment(), "AWS_PAGER": ""}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return lambda: '"FunctionError": "Unhandled"' in said.stdout and function.failures.counts() == (0, 0, 0)


def by_sdk(function: Failing) -> Ending:
    answer = function.client.invoke(FunctionName=function.name)
    return lambda: answer["FunctionError"] == "Unhandled" and function.failures.counts() == (0, 0, 0)


def asynchronously(function: Failing) -> Ending:
    function.client.invoke(FunctionName=function.name, InvocationType="Event")
    return lambda: exhausted(function)


def by_invoke_async(function: Failing) -> Ending:
    function.client.invoke_async(FunctionName=function.name, InvokeArgs=b"{}")
    return lambda: exhausted(function)


def exhausted(function: Failing) -> bool:
    [record] = taken(function.failures)
    context = record["requestContext"]
    said = (context["condition"], context["approximateInvokeCount"], len(taken(function.dead)))
    return said == ("RetriesExhausted", 3, 1)


def by_queue(function: Failing) -> Ending:
    return through(function, "orders", {}, {})


def by_fifo_queue(function: Failing) -> Ending:
    return through(
        function,
        "orders.fifo",
        {"FifoQueue": "true", "ContentBasedDeduplication": "true"},
        {"MessageGroupId": "group"},
    )


def through(function: Failing, name: str, attributes: dict[str, str], members: dict[str, Any]) -> Ending:
    make = function.queues.fifo if attributes else function.queues.standard
    dead = make(f"dead-{name}", **attributes)
    queue = make(name, VisibilityTimeout=str(VISIBILITY_SECONDS), **attributes)
    queue.bury_in(dead, MOST_RECEIVES)
    function.client.create_event_source_mapping(FunctionName=function.name, EventSourceArn=queue.arn)
    queue.send("an order", **members)
    return lambda: dead.bodies() == ["an order"] and queue.counts() == (0, 0, 0)


@dataclass(frozen=True)
class Row:
    """A trigger, and the seconds after its event at which the function is tried."""

    trigger: Callable[[Failing], Ending]
    moments: tuple[int, ...]


MATRIX = {
    "AWS CLI, synchronous": Row(by_cli, (0,)),
    "AWS SDK, synchronous": Row(by_sdk, (0,)),
    "AWS SDK, asynchronous": Row(asynchronously, (0, 60, 180)),
    "InvokeAsync": Row(by_invoke_async, (0, 60, 180)),
    "Amazon SQS": Row(by_queue, (0, VISIBILITY_SECONDS, 2 * VISIBILITY_SECONDS)),
    "Amazon SQS FIFO": Row(by_fifo_queue, (0, VISIBILITY_SECONDS, 2 * VISIBILITY_SECONDS)),
}


@pytest.mark.parametrize("name", MATRIX)
def test_a_failing_function_is_tried_as_often_as_its_trigger_says(cumulet: Cumulet, name: str) -> None:
    function, row = Failing(cumulet), MATRIX[name]

    has_ended = row.trigger(function)
    cumulet.advance(seconds=0)
    now = 0
    for moment in row.moments:
        if moment:
            cumulet.advance(seconds=moment - 1 - now)
            assert function.attempts() == 0, f"too early, before {moment} s"
            cumulet.advance(seconds=1)
            now = moment
        assert function.attempts() == 1, f"not at {moment} s"
    cumulet.advance(seconds=A_DAY)

    assert function.attempts() == 0
    assert has_ended()


def test_the_event_is_the_same_each_time(cumulet: Cumulet) -> None:
    function = Failing(cumulet)
    event = {"order": [1, 2.5, None, "ö"], "when": "now"}

    function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=orjson.dumps(event))
    cumulet.advance(hours=1)

    assert taken(function.results) == [event] * 3
    assert taken(function.dead) == [event]
