"""Functions at their limits: throttled consumers, protected downstreams, bursts, environments started ahead."""

from __future__ import annotations

import base64
import io
import json
import os
import zipfile
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cumulet.testing import Cumulet

CONSUMER = """
import json, time

def handler(event, context):
    began = time.monotonic()
    time.sleep(0.01)
    ids = [record["messageId"] for record in event["Records"]]
    print(json.dumps({"began": began, "ended": time.monotonic(), "ids": ids}))
"""
WAITER = """
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    queue = event["queue"]
    sqs.send_message(QueueUrl=event["begun"], MessageBody="begun")
    while not (messages := sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages")):
        pass
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=messages[0]["ReceiptHandle"])
"""
WAIT_SECONDS = 60


def create(cumulet: Cumulet, name: str, source: str) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", source)
    cumulet.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=f"arn:aws:iam::{cumulet.account}:role/any",
        Handler="app.handler",
        Timeout=60,
        Code={"ZipFile": package.getvalue()},
    )


class Consumer:
    """A queue, and a function that works on it with reserved concurrency."""

    def __init__(self, cumulet: Cumulet, name: str, *, reserved: int, batch_size: int) -> None:
        self.cumulet = cumulet
        self.name = name
        self.sqs, self.functions = cumulet.client("sqs"), cumulet.client("lambda")
        self.url = self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
        create(cumulet, name, CONSUMER)
        self.reserve(reserved)
        self.functions.create_event_source_mapping(
            FunctionName=name,
            EventSourceArn=f"arn:aws:sqs:us-east-1:{cumulet.account}:{name}",
            BatchSize=batch_size,
        )

    def reserve(self, count: int) -> None:
        self.functions.put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=count)

    def send(self, count: int) -> set[str]:
        """Send messages and return their ids."""
        sent = set()
        for start in range(0, count, 10):
            entries = [{"Id": str(n), "MessageBody": f"{start + n}"} for n in range(min(10, count - start))]
            answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
            sent |= {each["MessageId"] for each in answer["Successful"]}
        return sent

    def left(self) -> tuple[int, int]:
        """Return how many messages are visible, and how many are in flight."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=list(names))["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def runs(self) -> list[dict[str, Any]]:
        """Return what the function has said of its invocations."""
        pages = self.cumulet.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=f"/aws/lambda/{self.name}", filterPattern="{ $.began = * }")
        return [json.loads(event["message"]) for page in found for event in page["events"]]


def most_at_once(runs: list[dict[str, Any]]) -> int:
    """Return how many invocations ran at the same time at the most."""
    running = most = 0
    for _, step in sorted([(run["began"], 1) for run in runs] + [(run["ended"], -1) for run in runs]):
        running += step
        most = max(most, running)
    return most


def test_a_throttled_consumer_works_evenly_through_its_queue(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, "throttled-consumer", reserved=10, batch_size=10)

    sent = consumer.send(1000)
    cumulet.advance(seconds=1)

    runs = consumer.runs()
    done = [message_id for run in runs for message_id in run["ids"]]
    assert len(sent) == 1000
    assert sorted(done) == sorted(sent)
    assert max(len(run["ids"]) for run in runs) <= 10
    assert most_at_once(runs) <= 10
    assert consumer.left() == (0, 0)
    assert statistic(cumulet, "ConcurrentExecutions", "Maximum", FunctionName=consumer.name) <= 10
    assert statistic(cumulet, "Invocations", "Sum", FunctionName=consumer.name) == len(runs)


def test_a_downstream_is_protected_by_what_its_caller_has_reserved(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, "protector", reserved=5, batch_size=1)

    sent = consumer.send(200)
    cumulet.advance(seconds=1)
    first = consumer.runs()
    consumer.reserve(0)
    later = consumer.send(20)
    cumulet.advance(minutes=10)
    stopped = consumer.left()
    with pytest.raises(ClientError) as throttled:
        consumer.functions.invoke(FunctionName=consumer.name)
    consumer.reserve(5)
    cumulet.advance(seconds=1)

    assert most_at_once(first) <= 5
    assert {message_id for run in first for message_id in run["ids"]} == sent
    assert stopped == (20, 0)
    response: Any = throttled.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert (response["Error"]["Code"], response["Reason"]) == (
        "TooManyRequestsException",
        "ReservedFunctionConcurrentInvocationLimitExceeded",
    )
    assert {message_id for run in consumer.runs() for message_id in run["ids"]} == sent | later
    assert consumer.left() == (0, 0)


def with_quotas(folder: Path, quotas: str) -> Cumulet:
    """Return a server, to be started, with these quotas."""
    config = folder / "cumulet.toml"
    config.write_text(f"[quotas]\n{quotas}")
    return Cumulet(folder / "data", variables={**os.environ, "CUMULET_CONFIG": str(config)})


@pytest.fixture(scope="module")
def bursting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    """Return a server with the scaling rule of 2021: 4 environments at once, 2 more each minute, 12 in all."""
    quotas = (
        '"lambda:burst-concurrency" = 4\n"lambda:burst-concurrency-per-minute" = 2\n'
        '"lambda:concurrent-executions" = 12\n'
    )
    with with_quotas(tmp_path_factory.mktemp("bursting"), quotas) as server:
        yield server


def served(cumulet: Cumulet, name: str, requests: int, throttled: int, qualifier: str = "$LATEST") -> int:
    """Invoke a function that waits so many times at once, see that many throttled, and return how many were served."""
    sqs = cumulet.client("sqs")
    url, begun = (sqs.create_queue(QueueName=f"{kind}-{name}")["QueueUrl"] for kind in ("release", "begun"))
    event = json.dumps({"queue": url, "begun": begun})

    def invoke(_: int) -> bool:
        client = cumulet.client("lambda", read_timeout=WAIT_SECONDS)
        try:
            answer = client.invoke(FunctionName=name, Qualifier=qualifier, Payload=event)
        except client.exceptions.TooManyRequestsException as error:
            response: Any = error.response
            assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
            assert response["Reason"] == "ConcurrentInvocationLimitExceeded"
            assert 1 <= int(response["retryAfterSeconds"]) <= 60
            return False
        assert "FunctionError" not in answer
        return True

    with ThreadPoolExecutor(requests) as pool:
        waiting: set[Future[bool]] = {pool.submit(invoke, number) for number in range(requests)}
        ended: set[Future[bool]] = set()
        while len(ended) < throttled:
            more, waiting = wait(waiting, WAIT_SECONDS, FIRST_COMPLETED)
            assert more
            ended |= more
        assert not any(each.result() for each in ended)
        for _ in waiting:
            [message] = sqs.receive_message(QueueUrl=begun, WaitTimeSeconds=20)["Messages"]
            sqs.delete_message(QueueUrl=begun, ReceiptHandle=message["ReceiptHandle"])
        for _ in waiting:
            sqs.send_message(QueueUrl=url, MessageBody="go on")
        return sum(each.result() for each in waiting)


def statistic(cumulet: Cumulet, name: str, wanted: str, **dimensions: str) -> float:
    """Return a statistic of the hour up to now."""
    now = cumulet.now_ms() / 1000
    found = cumulet.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - 3600,
        EndTime=now + 60,
        Period=60,
        Statistics=[wanted],
    )["Datapoints"]
    return max(point[wanted] for point in found) if wanted == "Maximum" else sum(point[wanted] for point in found)


def test_a_burst_is_served_by_the_rule_of_2021(bursting: Cumulet) -> None:
    account = bursting.as_account("111111111111")
    create(account, "burst", WAITER)

    counts = []
    for throttled in (4, 2, 0):
        counts.append(served(account, "burst", 8, throttled))
        account.advance(minutes=1)

    assert counts == [4, 6, 8]
    assert statistic(account, "ConcurrentExecutions", "Maximum", FunctionName="burst") == 8
    assert statistic(account, "Throttles", "Sum", FunctionName="burst") == 6


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    """Return a server whose functions get 2 environments at once, and no more later."""
    quotas = '"lambda:burst-concurrency" = 2\n"lambda:burst-concurrency-per-minute" = 0\n'
    with with_quotas(tmp_path_factory.mktemp("roomy"), quotas) as server:
        yield server


def test_provisioned_environments_take_more_than_the_burst(roomy: Cumulet) -> None:
    client = roomy.client("lambda")
    create(roomy, "waiter", WAITER)
    client.publish_version(FunctionName="waiter")
    client.put_provisioned_concurrency_config(FunctionName="waiter", Qualifier="1", ProvisionedConcurrentExecutions=4)
    roomy.advance(seconds=1)
    status = client.get_provisioned_concurrency_config(FunctionName="waiter", Qualifier="1")["Status"]

    count = served(roomy, "waiter", 7, 1, qualifier="1")

    resource = {"FunctionName": "waiter", "Resource": "waiter:1"}
    assert status == "READY"
    assert count == 6
    assert statistic(roomy, "ProvisionedConcurrencyInvocations", "Sum", **resource) == 4
    assert statistic(roomy, "ProvisionedConcurrencySpilloverInvocations", "Sum", **resource) == 2
    assert statistic(roomy, "ProvisionedConcurrencyUtilization", "Maximum", **resource) == 1


def test_the_first_event_in_a_provisioned_environment_waits_for_no_init(roomy: Cumulet) -> None:
    client = roomy.client("lambda")
    create(roomy, "ready", CONSUMER)
    client.publish_version(FunctionName="ready")
    client.put_provisioned_concurrency_config(FunctionName="ready", Qualifier="1", ProvisionedConcurrentExecutions=2)
    roomy.advance(seconds=1)

    answer = client.invoke(FunctionName="ready", Qualifier="1", Payload=b'{"Records": []}', LogType="Tail")

    log = base64.b64decode(answer["LogResult"]).decode()
    assert "REPORT" in log
    assert "Init Duration" not in log
