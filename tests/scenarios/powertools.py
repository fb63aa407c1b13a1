"""Functions with Powertools for AWS Lambda in their packages, as `pip install --target` would put it there."""

from __future__ import annotations

import importlib.metadata
import io
import json
import zipfile
from functools import cache
from typing import Any

from cumulet.testing import Cumulet

DISTRIBUTIONS = ("aws-lambda-powertools", "jmespath", "typing-extensions", "aws-xray-sdk", "wrapt")
"""Powertools and what it and its Tracer need."""
VISIBILITY_SECONDS = 30


@cache
def libraries(folder: str = "") -> bytes:
    """Return a zip file with the distributions as they are installed, below `folder`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in DISTRIBUTIONS:
            for file in importlib.metadata.files(name) or ():
                if file.suffix != ".pyc" and ".." not in file.parts:
                    archive.writestr(folder + str(file), file.read_binary())
    return buffer.getvalue()


def package(source: str, has_libraries: bool) -> bytes:
    """Return a function's package: its source, and the libraries where they aren't in a layer."""
    buffer = io.BytesIO(libraries() if has_libraries else b"")
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", source)
    return buffer.getvalue()


class App:
    """A function with Powertools, `app.handler` of `source`."""

    def __init__(self, cumulet: Cumulet, source: str, *, is_in_layer: bool = False, **variables: str) -> None:
        self.cumulet = cumulet
        self.client = cumulet.client("lambda")
        layers = []
        if is_in_layer:
            published = self.client.publish_layer_version(
                LayerName="powertools", Content={"ZipFile": libraries("python/")}
            )
            layers.append(published["LayerVersionArn"])
        self.arn = self.client.create_function(
            FunctionName="shop",
            Runtime="python3.11",
            Role=f"arn:aws:iam::{cumulet.account}:role/shop",
            Handler="app.handler",
            Code={"ZipFile": package(source, not is_in_layer)},
            Layers=layers,
            Timeout=20,
            Environment={"Variables": {"POWERTOOLS_SERVICE_NAME": "orders", **variables}},
        )["FunctionArn"]

    def invoke(self, event: Any) -> tuple[Any, str]:
        """Return the answer and the request's id."""
        answer = self.client.invoke(FunctionName="shop", Payload=json.dumps(event))
        return json.loads(answer["Payload"].read()), answer["ResponseMetadata"]["RequestId"]

    def logged(self, pattern: str) -> list[dict[str, Any]]:
        """Return what a filter pattern finds among the JSON lines of the log, once there is nothing left to do."""
        self.cumulet.advance(seconds=0)
        pages = self.cumulet.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName="/aws/lambda/shop", filterPattern=pattern)
        return [json.loads(event["message"]) for page in found for event in page["events"]]


class QueueApp(App):
    """Such a function that a queue's messages run, up to ten at a time; those it reports as failed come back."""

    def __init__(self, cumulet: Cumulet, source: str, *, most_receives: int = 3, is_fifo: bool = False) -> None:
        super().__init__(cumulet, source)
        self._sqs = cumulet.client("sqs")
        self._is_fifo = is_fifo
        self._dead = self._made("dead", {})
        policy = {"deadLetterTargetArn": self._arn(self._dead), "maxReceiveCount": most_receives}
        attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS), "RedrivePolicy": json.dumps(policy)}
        self._orders = self._made("orders", attributes)
        self._mapping = self.client.create_event_source_mapping(
            EventSourceArn=self._arn(self._orders),
            FunctionName="shop",
            BatchSize=10,
            Enabled=False,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )["UUID"]

    def process(self, *orders: dict[str, Any], rounds: int = 1, **members: Any) -> None:
        """Send orders and let them come in one batch; then in `rounds` - 1 more what has failed comes back."""
        entries = [self._entry(number, order) | members for number, order in enumerate(orders)]
        self._sqs.send_message_batch(QueueUrl=self._orders, Entries=entries)
        self.client.update_event_source_mapping(UUID=self._mapping, Enabled=True)
        self.cumulet.advance(seconds=0)
        for _ in range(rounds - 1):
            self.cumulet.advance(seconds=VISIBILITY_SECONDS)

    def dead(self) -> list[Any]:
        """Return the bodies of the dead letters."""
        return [json.loads(message["Body"]) for message in self._received(self._dead)]

    def left(self) -> int:
        """Return how many orders the queue still has, in flight or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._orders, AttributeNames=names)
        return sum(map(int, answer["Attributes"].values()))

    def _made(self, name: str, attributes: dict[str, str]) -> str:
        if self._is_fifo:
            name, attributes = name + ".fifo", attributes | {"FifoQueue": "true"}
        url: str = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def _entry(self, number: int, order: dict[str, Any]) -> dict[str, Any]:
        entry: dict[str, Any] = {"Id": str(number), "MessageBody": json.dumps(order)}
        if self._is_fifo:
            entry |= {"MessageGroupId": order["customer"], "MessageDeduplicationId": str(number)}
        return entry

    def _arn(self, url: str) -> str:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn: str = answer["Attributes"]["QueueArn"]
        return arn

    def _received(self, url: str) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages
