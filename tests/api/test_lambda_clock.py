"""A moved clock waits for what runs; what runs can't hold it for ever."""

from __future__ import annotations

import json
from collections import Counter

from lambda_functions import create
from sqs_queues import Queues

from cumulet.testing import Cumulet

PACKER = """
def handler(event, context):
    for record in event["Records"]:
        print("packed", record["body"])
"""
IMPATIENT = """
import os
from urllib.request import Request, urlopen

def handler(event, context):
    urlopen(Request(os.environ["AWS_ENDPOINT_URL"] + "/_cumulet/clock/advance", data=b'{"seconds": 5}'))
"""


def test_an_advance_waits_for_a_thousand_messages(cumulet: Cumulet, queues: Queues) -> None:
    queue = queues.standard()
    name = create(cumulet, source=PACKER)["FunctionName"]
    cumulet.client("lambda").create_event_source_mapping(EventSourceArn=queue.arn, FunctionName=name, BatchSize=10)
    for first in range(0, 1000, 10):
        entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(first, first + 10)]
        queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)

    cumulet.advance(seconds=0)

    pages = cumulet.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=f"/aws/lambda/{name}", filterPattern="packed")
    packed = Counter(event["message"] for page in found for event in page["events"])
    assert packed == {f"packed {number}\n": 1 for number in range(1000)}
    assert queue.counts() == (0, 0, 0)


def test_a_function_that_advances_the_clock_waits_for_itself_until_it_times_out(cumulet: Cumulet) -> None:
    """The advance waits for the invocation and the invocation for the advance: the function's own limit ends it."""
    name = create(cumulet, source=IMPATIENT, Timeout=1)["FunctionName"]
    client = cumulet.client("lambda")

    answer = client.invoke(FunctionName=name, Payload=b"{}")

    assert "Task timed out after 1.00 seconds" in json.loads(answer["Payload"].read())["errorMessage"]
    cumulet.advance(seconds=0)
    before_ms = cumulet.now_ms()
    cumulet.advance(seconds=60)
    assert cumulet.now_ms() - before_ms == 60_000
