"""Functions that are invoked asynchronously, as tests speak of them: what they were given, and what was told of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from lambda_functions import create
from sqs_queues import Queue, Queues

from cumulet.testing import Cumulet

# Tells the queue RESULTS what it was given, then does what the event says.
SOURCE = """
import json, os, time
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    report = {"event": event, "request_id": context.aws_request_id, "trace": os.environ["_X_AMZN_TRACE_ID"],
              "arn": context.invoked_function_arn,
              "custom": context.client_context.custom if context.client_context else None}
    sqs.send_message(QueueUrl=os.environ["RESULTS"], MessageBody=json.dumps(report))
    time.sleep(event.get("sleep", 0))
    if event.get("fail"):
        raise ValueError(event["fail"])
    return {"seen": event}
"""


class Measured:
    """A function by its name."""

    def __init__(self, cumulet: Cumulet, name: str) -> None:
        self.cumulet = cumulet
        self.name = name

    def metric(self, name: str) -> float:
        """Return the sum of one of the function's metrics."""
        now = datetime.fromtimestamp(self.cumulet.now_ms() / 1000, UTC)
        points = self.cumulet.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": self.name}],
            StartTime=now - timedelta(days=1),
            EndTime=now + timedelta(minutes=1),
            Period=86_400,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)


class Asynchronous(Measured):
    """A function, the queue that it tells what it has done, and queues for what is told of it."""

    def __init__(self, cumulet: Cumulet, **settings: Any) -> None:
        self.client = cumulet.client("lambda")
        self.queues = Queues(cumulet)
        self.results = self.queues.standard("results")
        self.successes, self.failures, self.dead = (
            self.queues.standard(name) for name in ("successes", "failures", "dead")
        )
        answer = create(
            cumulet, source=SOURCE, Timeout=10, Environment={"Variables": {"RESULTS": self.results.url}}, **settings
        )
        super().__init__(cumulet, answer["FunctionName"])
        self.arn = answer["FunctionArn"]

    def configure(self, *, success: str | None = None, failure: str | None = None, **settings: Any) -> dict[str, Any]:
        """Put the function's event invoke config; without destinations, records go to the two queues."""
        destinations = {
            "OnSuccess": {"Destination": success or self.successes.arn},
            "OnFailure": {"Destination": failure or self.failures.arn},
        }
        answer: dict[str, Any] = self.client.put_function_event_invoke_config(
            FunctionName=self.name, DestinationConfig=destinations, **settings
        )
        return answer

    def use_dead_letters(self, arn: str | None = None) -> None:
        """Send what has failed to the queue `dead`, or somewhere else."""
        self.client.update_function_configuration(
            FunctionName=self.name, DeadLetterConfig={"TargetArn": arn or self.dead.arn}
        )

    def invoke(self, event: Any, **members: Any) -> str:
        """Invoke the function asynchronously and let all happen that can happen now; return the request's id."""
        payload = event if isinstance(event, bytes) else orjson.dumps(event)
        answer = self.client.invoke(
            **{"FunctionName": self.name, "InvocationType": "Event", "Payload": payload, **members}
        )
        assert answer["StatusCode"] == 202
        assert answer["Payload"].read() == b""
        self.cumulet.advance(seconds=0)
        request_id: str = answer["ResponseMetadata"]["RequestId"]
        return request_id

    def runs(self) -> list[dict[str, Any]]:
        """Return what the function has told since the last call."""
        return taken(self.results)


def taken(queue: Queue) -> list[dict[str, Any]]:
    """Receive and delete all that is in a queue, and return the bodies."""
    found: list[dict[str, Any]] = []
    while messages := queue.receive():
        queue.delete(*messages)
        found += [orjson.loads(message["Body"]) for message in messages]
    return found
