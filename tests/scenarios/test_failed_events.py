"""Orders that fail: they are tried again, end where somebody looks, and are processed once the code is right."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from cumulet.testing import Cumulet

BROKEN = """
import os, boto3
def handler(event, context):
    for order in [json.loads(record["body"]) for record in event["Records"]] if "Records" in event else [event]:
        ship(order)
    return {"shipped": 1}
def ship(order):
    raise KeyError(order["number"])
import json
"""
FIXED = BROKEN.replace(
    'raise KeyError(order["number"])',
    "boto3.client('sqs').send_message(QueueUrl=os.environ['SHIPPED'], MessageBody=str(order['number']))",
)


class Shop:
    """A function that ships orders, which come asynchronously or through a queue."""

    def __init__(self, cumulet: Cumulet) -> None:
        self.cumulet = cumulet
        self.sqs, self.functions = cumulet.client("sqs"), cumulet.client("lambda")
        self.shipped, self.failures, self.successes, self.dead = map(
            self.queue, ("shipped", "failures", "successes", "dead")
        )
        redrive = {"deadLetterTargetArn": self.arn(self.dead), "maxReceiveCount": 2}
        self.orders = self.queue("orders", VisibilityTimeout="60", RedrivePolicy=json.dumps(redrive))
        self.functions.create_function(
            FunctionName="ship",
            Runtime="python3.13",
            Handler="app.handler",
            Role="arn:aws:iam::000000000000:role/any",
            Code={"ZipFile": package(BROKEN)},
            Timeout=10,
            Environment={"Variables": {"SHIPPED": self.shipped}},
        )

    def queue(self, name: str, **attributes: str) -> str:
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def arn(self, queue: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        arn: str = answer["Attributes"]["QueueArn"]
        return arn

    def fix(self) -> None:
        self.functions.update_function_code(FunctionName="ship", ZipFile=package(FIXED))

    def taken(self, queue: str) -> list[Any]:
        """Receive and delete what is in a queue."""
        bodies = []
        while messages := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                bodies.append(json.loads(message["Body"]))
        return bodies


def package(source: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", source)
    return content.getvalue()


@pytest.fixture
def shop(cumulet: Cumulet) -> Shop:
    return Shop(cumulet)


def test_an_asynchronous_order_ends_in_the_destination_that_its_fate_decides(cumulet: Cumulet, shop: Shop) -> None:
    shop.functions.put_function_event_invoke_config(
        FunctionName="ship",
        DestinationConfig={
            "OnSuccess": {"Destination": shop.arn(shop.successes)},
            "OnFailure": {"Destination": shop.arn(shop.failures)},
        },
    )

    shop.functions.invoke(FunctionName="ship", InvocationType="Event", Payload=b'{"number": 1}')
    cumulet.advance(minutes=3)
    [failed] = shop.taken(shop.failures)
    shop.fix()
    shop.functions.invoke(FunctionName="ship", InvocationType="Event", Payload=json.dumps(failed["requestPayload"]))
    cumulet.advance(seconds=0)
    [succeeded] = shop.taken(shop.successes)

    assert failed["requestContext"]["condition"] == "RetriesExhausted"
    assert failed["requestContext"]["approximateInvokeCount"] == 3
    assert succeeded["requestContext"]["condition"] == "Success"
    assert succeeded["responsePayload"] == {"shipped": 1}
    assert shop.taken(shop.shipped) == [1]


def test_an_order_with_a_minute_to_live_is_dropped_after_it(cumulet: Cumulet, shop: Shop) -> None:
    shop.functions.put_function_event_invoke_config(
        FunctionName="ship",
        MaximumEventAgeInSeconds=60,
        DestinationConfig={"OnFailure": {"Destination": shop.arn(shop.failures)}},
    )

    shop.functions.invoke(FunctionName="ship", InvocationType="Event", Payload=b'{"number": 1}')
    cumulet.advance(minutes=1)

    [record] = shop.taken(shop.failures)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"


def test_dead_letters_are_processed_after_a_fix_and_a_redrive(cumulet: Cumulet, shop: Shop) -> None:
    shop.functions.create_event_source_mapping(FunctionName="ship", EventSourceArn=shop.arn(shop.orders), BatchSize=1)
    for number in range(5):
        shop.sqs.send_message(QueueUrl=shop.orders, MessageBody=json.dumps({"number": number}))
    cumulet.advance(minutes=3)
    assert shop.taken(shop.shipped) == []

    shop.fix()
    shop.sqs.start_message_move_task(SourceArn=shop.arn(shop.dead))
    cumulet.advance(seconds=1)

    assert sorted(shop.taken(shop.shipped)) == [0, 1, 2, 3, 4]
    assert shop.taken(shop.dead) == shop.taken(shop.orders) == []
