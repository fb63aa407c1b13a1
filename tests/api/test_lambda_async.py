"""Asynchronous invocation: what is accepted is run, tried again, and told of at its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from asynchronous import Asynchronous, taken
from botocore.exceptions import ClientError
from lambda_functions import create
from quotas import with_quotas
from sqs_queues import Queues

from cumulet.testing import Cumulet

MINUTE, HOUR = 60, 3600


@pytest.fixture
def function(cumulet: Cumulet) -> Asynchronous:
    return Asynchronous(cumulet)


def test_an_event_is_accepted_with_202_and_run_with_its_requests_id(function: Asynchronous) -> None:
    request_id = function.invoke({"order": 1})

    [run] = function.runs()
    assert run["event"] == {"order": 1}
    assert run["request_id"] == request_id
    assert run["arn"] == function.arn


def test_the_client_context_is_for_synchronous_invocations_only(function: Asynchronous) -> None:
    function.invoke({}, ClientContext="eyJjdXN0b20iOiB7ImEiOiAxfX0=")

    assert function.runs()[0]["custom"] is None


def test_without_a_payload_the_event_is_empty(function: Asynchronous) -> None:
    function.invoke(b"")

    assert function.runs()[0]["event"] == {}


def test_invoke_async_does_the_same(function: Asynchronous) -> None:
    answer = function.client.invoke_async(FunctionName=function.name, InvokeArgs=b'{"order": 2}')
    function.cumulet.advance(seconds=0)

    assert answer["Status"] == 202
    assert [run["event"] for run in function.runs()] == [{"order": 2}]


def test_many_events_are_all_run_once(function: Asynchronous) -> None:
    for number in range(30):
        function.client.invoke(
            FunctionName=function.name, InvocationType="Event", Payload=orjson.dumps({"number": number})
        )
    function.cumulet.advance(seconds=0)

    assert sorted(run["event"]["number"] for run in function.runs()) == list(range(30))


def test_a_function_that_fails_is_tried_again_after_one_and_two_minutes_with_the_same_request_id(
    function: Asynchronous,
) -> None:
    request_id = function.invoke({"fail": "no"})
    assert len(function.runs()) == 1

    function.cumulet.advance(seconds=59)
    assert function.runs() == []
    function.cumulet.advance(seconds=1)
    assert len(function.runs()) == 1
    function.cumulet.advance(seconds=119)
    assert function.runs() == []
    function.cumulet.advance(seconds=1)
    [run] = function.runs()
    assert run["request_id"] == request_id
    function.cumulet.advance(hours=7)
    assert function.runs() == []


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_the_number_of_retries_can_be_set(function: Asynchronous, retries: int) -> None:
    function.configure(MaximumRetryAttempts=retries)

    function.invoke({"fail": "no"})
    function.cumulet.advance(hours=1)

    assert len(function.runs()) == 1 + retries
    [record] = taken(function.failures)
    assert record["requestContext"]["approximateInvokeCount"] == 1 + retries


def test_the_record_of_a_success_says_what_was_asked_and_answered(function: Asynchronous) -> None:
    function.configure()

    request_id = function.invoke({"order": 1})

    [record] = taken(function.successes)
    assert len(record.pop("timestamp")) == len("2024-01-01T00:00:00.000Z")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{function.arn}:$LATEST",
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"order": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"seen": {"order": 1}},
    }
    assert taken(function.failures) == []


def test_the_record_of_a_failure_has_the_error(function: Asynchronous) -> None:
    function.configure()

    request_id = function.invoke({"fail": "out of pigeons"})
    function.cumulet.advance(minutes=3)

    [record] = taken(function.failures)
    response = record.pop("responsePayload")
    del record["timestamp"]
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{function.arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"fail": "out of pigeons"},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    }
    assert (response["errorMessage"], response["errorType"]) == ("out of pigeons", "ValueError")
    assert taken(function.successes) == []


@pytest.mark.parametrize(("most_age_seconds", "invocations"), [(60, 1), (120, 2), (180, 2)])
def test_a_retry_that_would_come_after_the_events_time_ends_it_at_once(
    function: Asynchronous, most_age_seconds: int, invocations: int
) -> None:
    """Recorded: the wait before a retry that comes too late is not waited for."""
    function.configure(MaximumEventAgeInSeconds=most_age_seconds)

    function.invoke({"fail": "no"})
    function.cumulet.advance(seconds=60 * (invocations - 1))

    [record] = taken(function.failures)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == invocations
    assert record["responsePayload"]["errorMessage"] == "no"


def test_a_dead_letter_is_the_event_with_the_error_in_its_attributes(function: Asynchronous) -> None:
    function.use_dead_letters()

    request_id = function.invoke({"fail": "é" * 1000})
    function.cumulet.advance(minutes=3)

    message = function.dead.receive_one()
    assert orjson.loads(message["Body"]) == {"fail": "é" * 1000}
    assert message["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "é" * 512},
    }


@pytest.mark.parametrize("text", ["\uffff", "\ufffe", "\x00", "\x1b[31mred"])
def test_what_queues_do_not_take_reaches_them_escaped(function: Asynchronous, text: str) -> None:
    function.use_dead_letters()
    function.configure(MaximumRetryAttempts=0)
    event = {"fail": text}

    function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=orjson.dumps(event))
    function.cumulet.advance(seconds=1)

    letter = function.dead.receive_one()
    [record] = taken(function.failures)
    assert orjson.loads(letter["Body"]) == record["requestPayload"] == event
    assert record["responsePayload"]["errorMessage"] == text
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "\ufffd" + text[1:]


def test_what_has_succeeded_is_no_dead_letter(function: Asynchronous) -> None:
    function.use_dead_letters()

    function.invoke({})
    function.cumulet.advance(hours=7)

    assert taken(function.dead) == []


def test_a_function_can_have_a_dead_letter_queue_and_a_destination(function: Asynchronous) -> None:
    function.configure(MaximumRetryAttempts=0)
    function.use_dead_letters()

    function.invoke({"fail": "no"})

    assert len(taken(function.failures)) == len(taken(function.dead)) == 1


def test_a_function_can_be_a_destination(cumulet: Cumulet, function: Asynchronous) -> None:
    next_one = Asynchronous.__new__(Asynchronous)
    next_one.__dict__.update(function.__dict__)
    answer = create(
        cumulet,
        source="import json, os, boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('sqs').send_message(QueueUrl=os.environ['RESULTS'], MessageBody=json.dumps(event))\n",
        Timeout=10,
        Environment={"Variables": {"RESULTS": function.dead.url}},
    )
    function.configure(success=answer["FunctionArn"])

    request_id = function.invoke({"order": 1})

    [record] = taken(function.dead)
    assert record["requestContext"]["requestId"] == request_id
    assert record["responsePayload"] == {"seen": {"order": 1}}


def test_reserved_concurrency_of_zero_sends_events_away_without_running_or_waiting(function: Asynchronous) -> None:
    function.configure()
    function.use_dead_letters()
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)

    request_id = function.invoke({"order": 1})

    [record] = taken(function.failures)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert record["responseContext"]["statusCode"] == 429
    message = function.dead.receive_one()
    assert message["MessageAttributes"]["RequestID"]["StringValue"] == request_id
    assert message["MessageAttributes"]["ErrorCode"]["StringValue"] == "429"
    assert function.runs() == []


def test_what_waits_for_a_slot_runs_when_there_is_one(function: Asynchronous) -> None:
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)

    for number in range(5):
        function.client.invoke(
            FunctionName=function.name,
            InvocationType="Event",
            Payload=orjson.dumps({"number": number, "sleep": 0.05}),
        )
    function.cumulet.advance(seconds=0)

    assert [run["event"]["number"] for run in function.runs()] == list(range(5))


def test_what_has_no_slot_holds_up_no_alias_that_has_its_own(function: Asynchronous) -> None:
    client, name = function.client, function.name
    version = client.publish_version(FunctionName=name)["Version"]
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1)
    function.cumulet.advance(seconds=1)

    function.invoke({"to": "latest"})
    function.invoke({"to": "live"}, Qualifier="live")

    assert [run["event"]["to"] for run in function.runs()] == ["live"]
    client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    function.cumulet.advance(minutes=5)
    assert [run["event"]["to"] for run in function.runs()] == ["latest"]


def test_what_waits_for_a_slot_longer_than_an_event_may_is_dropped(busy: Cumulet) -> None:
    function = Asynchronous(busy)
    function.configure(MaximumEventAgeInSeconds=60)

    request_id = function.invoke({"order": 1})
    busy.advance(seconds=59)
    assert taken(function.failures) == []
    busy.advance(seconds=1)

    [record] = taken(function.failures)
    assert record["requestContext"]["requestId"] == request_id
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responsePayload" not in record


def test_by_default_an_event_waits_for_six_hours(busy: Cumulet) -> None:
    function = Asynchronous(busy)
    function.use_dead_letters()

    function.invoke({"order": 1})
    busy.advance(hours=5, minutes=59)
    assert taken(function.dead) == []
    busy.advance(minutes=1)

    assert taken(function.dead) == [{"order": 1}]


def test_a_record_too_large_for_its_destination_leaves_out_the_payloads(function: Asynchronous) -> None:
    """AWS documents it of topics; a queue here takes 1 MB, as there."""
    function.configure(MaximumRetryAttempts=0)
    function.failures.set(MaximumMessageSize="2048")

    function.invoke({"fail": "no", "padding": "x" * 4000})

    [record] = taken(function.failures)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert "requestPayload" not in record
    assert "responsePayload" not in record


def test_a_record_too_large_for_an_event_leaves_out_the_payloads(cumulet: Cumulet, function: Asynchronous) -> None:
    other = Asynchronous(cumulet)
    function.configure(failure=other.arn, MaximumRetryAttempts=0)

    function.invoke({"fail": "no", "filling": "x" * 1_048_500})

    [run] = other.runs()
    assert run["event"]["requestContext"]["condition"] == "RetriesExhausted"
    assert run["event"].keys().isdisjoint({"requestPayload", "responsePayload"})


def test_what_can_not_be_sent_is_counted_and_holds_up_nothing(function: Asynchronous) -> None:
    topic = function.queues.standard("x").arn.replace(":sqs:", ":sns:")
    function.configure(failure=topic, MaximumRetryAttempts=0)
    function.use_dead_letters(topic)

    function.invoke({"fail": "no"})
    function.invoke({"order": 1})

    assert len(function.runs()) == 2
    assert len(taken(function.successes)) == 1
    log = function.cumulet.log.read_text()
    assert f"there is no topic {topic}" in log


def test_what_became_of_events_is_measured(function: Asynchronous) -> None:
    topic = function.queues.standard("x").arn.replace(":sqs:", ":sns:")
    function.configure(failure=topic, MaximumRetryAttempts=1)
    function.use_dead_letters(topic)

    function.invoke({})
    function.invoke({"fail": "no"})
    function.cumulet.advance(minutes=1)

    names = ("AsyncEventsReceived", "AsyncEventsDropped", "DestinationDeliveryFailures", "DeadLetterErrors")
    assert [function.metric(name) for name in names] == [2, 1, 1, 1]
    assert function.metric("AsyncEventAge") == 60_000
    assert [function.metric(name) for name in ("Invocations", "Errors")] == [3, 2]


def test_a_destination_that_is_deleted_later_loses_the_record_alone(function: Asynchronous) -> None:
    function.configure()
    function.cumulet.client("sqs").delete_queue(QueueUrl=function.successes.url)

    function.invoke({"order": 1})
    function.cumulet.advance(hours=1)

    assert len(function.runs()) == 1
    assert "there is no queue" in function.cumulet.log.read_text()


def test_events_of_a_function_that_was_deleted_are_dropped(function: Asynchronous) -> None:
    function.invoke({"fail": "no"})
    function.client.delete_function(FunctionName=function.name)

    function.cumulet.advance(hours=7)

    assert len(function.runs()) == 1
    assert function.cumulet.health()["status"] == "ok"


@pytest.mark.parametrize("is_alias", [True, False])
def test_the_event_of_an_alias_or_version_that_was_deleted_ends_by_the_functions_settings(
    function: Asynchronous, *, is_alias: bool
) -> None:
    function.use_dead_letters()
    function.configure()
    qualifier = function.client.publish_version(FunctionName=function.name)["Version"]
    if is_alias:
        function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=qualifier)
        qualifier = "live"
    event = {"fail": "no"}
    request_id = function.invoke(event, Qualifier=qualifier)
    if is_alias:
        function.client.delete_alias(FunctionName=function.name, Name="live")
    else:
        function.client.delete_function(FunctionName=function.name, Qualifier=qualifier)

    function.cumulet.advance(hours=1)

    arn = f"{function.arn}:{qualifier}"
    message = f"Function not found: {arn}"
    assert [run["arn"] for run in function.runs()] == [arn]
    [record] = taken(function.failures)
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": arn,
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 1,
    }
    assert record["requestPayload"] == event
    assert record["responseContext"]["statusCode"] == 404
    assert record["responsePayload"] == {"errorMessage": message, "errorType": "ResourceNotFoundException"}
    [letter] = function.dead.receive(MessageAttributeNames=["All"])
    assert letter["Body"] == '{"fail":"no"}'
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == message
    assert taken(function.successes) == []


def test_a_version_has_settings_of_its_own(function: Asynchronous) -> None:
    function.configure()
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    function.client.put_function_event_invoke_config(
        FunctionName=function.name,
        Qualifier=version,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": function.dead.arn}},
    )

    function.invoke({"fail": "no"}, Qualifier=version)
    function.cumulet.advance(hours=1)

    assert [run["arn"] for run in function.runs()] == [f"{function.arn}:{version}"] * 2
    [record] = taken(function.dead)
    assert record["requestContext"]["functionArn"] == f"{function.arn}:{version}"
    assert record["responseContext"]["executedVersion"] == version
    assert taken(function.failures) == []


@pytest.mark.parametrize("size", [1_048_577, 2_000_000])
def test_an_event_of_more_than_1_mb_is_refused(function: Asynchronous, size: int) -> None:
    payload = b'"' + b"x" * (size - 2) + b'"'

    with pytest.raises(ClientError) as refusal:
        function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=payload)

    assert refusal.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert refusal.value.response["Error"]["Message"] == (
        f"{size} byte payload is too large for the Event invocation type (limit 1048576 bytes)"
    )
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_an_event_of_1_mb_is_run(cumulet: Cumulet, queues: Queues) -> None:
    results = queues.standard()
    name = create(
        cumulet,
        source="import os, boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('sqs').send_message(QueueUrl=os.environ['RESULTS'], MessageBody=str(len(event)))\n",
        Timeout=10,
        Environment={"Variables": {"RESULTS": results.url}},
    )["FunctionName"]
    payload = b'"' + b"x" * (1_048_576 - 2) + b'"'

    cumulet.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=payload)
    cumulet.advance(seconds=0)

    assert results.bodies() == ["1048574"]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"Payload": b"{"}, "InvalidRequestContentException"),
        ({"FunctionName": "unknown"}, "ResourceNotFoundException"),
        ({"Qualifier": "7"}, "ResourceNotFoundException"),
        ({"ClientContext": "%"}, "InvalidRequestContentException"),
        ({"ClientContext": "e30=" * 896}, "InvalidRequestContentException"),
        ({"InvocationType": "Never"}, "ValidationException"),
    ],
)
def test_what_is_refused_is_not_run(function: Asynchronous, members: dict[str, Any], code: str) -> None:
    request = {"FunctionName": function.name, "InvocationType": "Event", "Payload": b"{}", **members}

    with pytest.raises(ClientError) as refusal:
        function.client.invoke(**request)
    function.cumulet.advance(seconds=0)

    assert refusal.value.response["Error"]["Code"] == code
    assert function.runs() == []


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"InvokeArgs": b"{"}, "InvalidRequestContentException"),
        ({"InvokeArgs": b""}, "InvalidRequestContentException"),
        ({"FunctionName": "unknown"}, "ResourceNotFoundException"),
        ({"FunctionName": "what is this"}, "ValidationException"),
        ({"InvokeArgs": b'"' + b"x" * 1_048_576 + b'"'}, "RequestEntityTooLargeException"),
    ],
)
def test_what_invoke_async_refuses(function: Asynchronous, members: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refusal:
        function.client.invoke_async(**{"FunctionName": function.name, "InvokeArgs": b"{}", **members})

    assert refusal.value.response["Error"]["Code"] == code


def test_an_alias_with_weights_divides_its_events(function: Asynchronous) -> None:
    first = function.client.publish_version(FunctionName=function.name)["Version"]
    function.client.update_function_configuration(FunctionName=function.name, Description="newer")
    second = function.client.publish_version(FunctionName=function.name)["Version"]
    function.client.create_alias(
        FunctionName=function.name,
        Name="live",
        FunctionVersion=first,
        RoutingConfig={"AdditionalVersionWeights": {second: 0.5}},
    )
    function.client.put_function_event_invoke_config(
        FunctionName=function.name,
        Qualifier="live",
        DestinationConfig={"OnSuccess": {"Destination": function.successes.arn}},
    )

    for _ in range(30):
        function.invoke({}, Qualifier="live")

    records = taken(function.successes)
    assert {record["responseContext"]["executedVersion"] for record in records} == {first, second}
    assert {record["requestContext"]["functionArn"] for record in records} == {f"{function.arn}:live"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Cumulet]:
    """Return a server of the test's own, that may be killed."""
    with Cumulet(tmp_path / "data", durability="full") as server:
        yield server


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Cumulet]:
    """Return a server whose accounts may run nothing at a time."""
    with with_quotas(tmp_path, {"lambda:concurrent-executions": 0}) as server:
        yield server


def test_retries_go_on_after_a_kill(own: Cumulet) -> None:
    function = Asynchronous(own)
    function.configure()
    request_id = function.invoke({"fail": "no"})
    own.advance(seconds=30)

    own.kill()
    own.start()
    function = same(function, own)
    own.advance(seconds=29)
    assert len(function.runs()) == 1
    own.advance(seconds=121)

    assert len(function.runs()) == 2
    [record] = taken(function.failures)
    assert record["requestContext"]["requestId"] == request_id
    assert record["requestContext"]["approximateInvokeCount"] == 3


def test_an_invocation_that_a_kill_cut_off_is_made_again(own: Cumulet) -> None:
    function = Asynchronous(own)
    function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=b'{"sleep": 3}')
    while not function.runs():
        pass

    own.kill()
    own.start()
    function = same(function, own)
    own.advance(seconds=0)

    assert len(function.runs()) == 1


def same(function: Asynchronous, server: Cumulet) -> Asynchronous:
    """Return the function for the clients of a server that was started again."""
    again = Asynchronous.__new__(Asynchronous)
    again.__dict__.update(function.__dict__, client=server.client("lambda"))
    for name in ("results", "successes", "failures", "dead"):
        again.__dict__[name] = Queues(server).standard(name)
    return again
