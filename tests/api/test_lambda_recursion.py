"""Recursive loops: a function that invokes itself, directly or through a queue, is stopped after 16 invocations."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from asynchronous import Measured, taken
from botocore.exceptions import ClientError
from lambda_functions import create
from sqs_queues import Queue, Queues

from cumulet.testing import Cumulet

SOURCE = """
import json, os
import boto3

sqs, functions = boto3.client("sqs"), boto3.client("lambda")

def handler(event, context):
    sqs.send_message(QueueUrl=os.environ["RESULTS"], MessageBody=json.dumps(os.environ["_X_AMZN_TRACE_ID"]))
    if os.environ.get("QUEUE"):
        sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody="again")
    if event.get("again"):
        name = os.environ.get("NEXT", context.function_name)
        answer = functions.invoke(FunctionName=name, InvocationType=event["again"], Payload=json.dumps(event))
        return json.loads(answer["Payload"].read() or b"null")
"""
VISIBILITY_SECONDS = 30


@pytest.fixture
def results(queues: Queues) -> Queue:
    return queues.standard("results")


def looping(cumulet: Cumulet, results: Queue, *, queue: Queue | None = None, **settings: Any) -> str:
    """Return the name of a function that tells of its runs, then does it again."""
    variables = {"RESULTS": results.url, **({"QUEUE": queue.url} if queue else {}), **settings.pop("variables", {})}
    name: str = create(cumulet, source=SOURCE, Timeout=20, Environment={"Variables": variables}, **settings)[
        "FunctionName"
    ]
    if queue is not None:
        cumulet.client("lambda").create_event_source_mapping(FunctionName=name, EventSourceArn=queue.arn)
    return name


def test_a_function_that_sends_to_its_own_queue_runs_sixteen_times_and_the_message_is_a_dead_letter(
    cumulet: Cumulet, queues: Queues, results: Queue
) -> None:
    queue, dead = (
        queues.standard("orders", VisibilityTimeout=str(VISIBILITY_SECONDS)),
        queues.standard("dead"),
    )
    queue.bury_in(dead, 2)
    name = looping(cumulet, results, queue=queue)

    queue.send("once")
    cumulet.advance(seconds=3 * VISIBILITY_SECONDS)

    assert len(taken(results)) == 16
    assert Measured(cumulet, name).metric("RecursiveInvocationsDropped") >= 1
    assert dead.bodies() == ["again"]
    assert queue.counts() == (0, 0, 0)


def test_with_recursion_allowed_it_goes_on(cumulet: Cumulet, queues: Queues, results: Queue) -> None:
    queue = queues.standard("orders", VisibilityTimeout=str(VISIBILITY_SECONDS))
    name = looping(cumulet, results)
    client = cumulet.client("lambda")
    client.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"RESULTS": results.url, "QUEUE": queue.url}}
    )
    mapping = client.create_event_source_mapping(FunctionName=name, EventSourceArn=queue.arn)["UUID"]

    queue.send("once")
    runs = 0
    while runs < 20:
        runs += len(taken(results))
    client.update_event_source_mapping(UUID=mapping, Enabled=False)

    assert runs >= 20


def test_a_function_that_invokes_itself_asynchronously_is_stopped(
    cumulet: Cumulet, queues: Queues, results: Queue
) -> None:
    failures, dead = queues.standard("failures"), queues.standard("dead")
    name = looping(cumulet, results, DeadLetterConfig={"TargetArn": dead.arn})
    client = cumulet.client("lambda")
    client.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": failures.arn}}
    )

    client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"again": "Event"}')
    cumulet.advance(seconds=0)

    assert len(taken(results)) == 16
    [record] = taken(failures)
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert record["responsePayload"]["errorType"] == "RecursiveInvocationException"
    message = dead.receive_one()
    assert orjson.loads(message["Body"]) == {"again": "Event"}
    assert message["MessageAttributes"]["ErrorCode"]["StringValue"] == "400"
    assert "has invoked itself 16 times" in cumulet.log.read_text()
    measured = Measured(cumulet, name)
    assert measured.metric("RecursiveInvocationsDropped") == 1
    assert measured.metric("Invocations") == 16


def test_a_function_that_waits_for_itself_is_answered_with_an_error_the_seventeenth_time(
    cumulet: Cumulet, results: Queue
) -> None:
    name = looping(cumulet, results)

    answer = cumulet.client("lambda", read_timeout=60).invoke(
        FunctionName=name, Payload=b'{"again": "RequestResponse"}'
    )

    innermost = orjson.loads(answer["Payload"].read())
    assert innermost["errorType"] == "RecursiveInvocationException"
    assert len(taken(results)) == 16


def test_two_functions_that_invoke_each_other_are_stopped(cumulet: Cumulet, results: Queue) -> None:
    second = looping(cumulet, results)
    first = looping(cumulet, results, variables={"NEXT": second})
    cumulet.client("lambda").update_function_configuration(
        FunctionName=second, Environment={"Variables": {"RESULTS": results.url, "NEXT": first}}
    )

    cumulet.client("lambda").invoke(FunctionName=first, InvocationType="Event", Payload=b'{"again": "Event"}')
    cumulet.advance(seconds=0)

    assert len(taken(results)) == 32


def test_a_client_may_invoke_a_function_as_often_as_it_likes(cumulet: Cumulet, results: Queue) -> None:
    name = looping(cumulet, results)

    for _ in range(20):
        assert "FunctionError" not in cumulet.client("lambda").invoke(FunctionName=name, Payload=b"{}")


def test_a_request_that_says_it_is_the_seventeenth_is_refused(cumulet: Cumulet, results: Queue) -> None:
    name = looping(cumulet, results)
    client = cumulet.client("lambda")
    client.invoke(FunctionName=name, Payload=b"{}")
    [trace_header] = taken(results)
    assert trace_header.endswith(":0")  # type: ignore[attr-defined]
    last = f"{str(trace_header)[:-1]}15"
    client.meta.events.register(
        "before-call.lambda.Invoke", lambda params, **_: params["headers"].update({"X-Amzn-Trace-Id": last})
    )

    with pytest.raises(ClientError) as refusal:
        client.invoke(FunctionName=name, Payload=b"{}")

    assert refusal.value.response["Error"]["Code"] == "RecursiveInvocationException"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert taken(results) == []
