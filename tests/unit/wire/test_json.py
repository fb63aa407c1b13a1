"""The JSON protocol: what servers accept beyond the model, what they refuse, and how errors look."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from cumulet.kernel.errors import AwsError, InternalFailure, SerializationException, UnknownOperationException
from cumulet.wire.errors import modeled
from cumulet.wire.http import HttpRequest
from cumulet.wire.service import encode_error, load


def decode(service: str, operation: str, body: bytes | dict[str, Any]) -> dict[str, Any]:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return load(service).operation(operation).decode("json", HttpRequest("POST", b"/", b"", {}, data))


def encode(service: str, operation: str, result: dict[str, Any] | None) -> Any:
    response = load(service).operation(operation).encode("json", result, "the-id")
    assert response.status == 200
    return orjson.loads(response.body)


SENT = {"QueueUrl": "u", "MessageBody": "b"}


@pytest.mark.parametrize(
    ("body", "members"),
    [
        (orjson.dumps(SENT), SENT),
        (b"\xef\xbb\xbf" + orjson.dumps(SENT), SENT),
        (orjson.dumps({**SENT, "DelaySeconds": None}), SENT),
        (orjson.dumps({**SENT, "DelaySeconds": 5.0}), {**SENT, "DelaySeconds": 5}),
        (orjson.dumps({**SENT, "Unknown": {"a": [1]}}), SENT),
        (orjson.dumps({**SENT, "DelaySeconds": None, "Unknown": 1}), SENT),
        (
            orjson.dumps({**SENT, "MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "AAE="}}}),
            {**SENT, "MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": b"\0\1"}}},
        ),
    ],
)
def test_accepted_bodies(body: bytes, members: dict[str, Any]) -> None:
    assert decode("sqs", "SendMessage", body) == members


def test_an_empty_body_is_an_empty_object() -> None:
    assert decode("sqs", "ListQueues", b"") == {}


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ({"DelaySeconds": "5"}, "STRING_VALUE can not be converted to an Integer"),
        ({"DelaySeconds": True}, "TRUE_VALUE can not be converted to an Integer"),
        ({"DelaySeconds": 1.5}, "DECIMAL_VALUE can not be converted to an Integer"),
        ({"DelaySeconds": 2**40}, f"Number {2**40} is out of the range of an Integer"),
        ({"DelaySeconds": {}}, "Start of structure or map found where not expected."),
        ({"DelaySeconds": []}, "Start of list found where not expected"),
        ({"MessageBody": 5}, "NUMBER_VALUE can not be converted to a String"),
        ({"MessageAttributes": []}, "Start of list found where not expected"),
        ({"MessageAttributes": "x"}, "Expected start of structure or map"),
        ({"MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "!"}}}, "Invalid base64 encoded value"),
    ],
)
def test_wrong_types(member: dict[str, Any], message: str) -> None:
    with pytest.raises(SerializationException) as refused:
        decode("sqs", "SendMessage", {**SENT, **member})
    assert refused.value.message == message


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b"nul", b"\xff", b'{"QueueUrl": "\\ud800"}', b'{"a":1}}'])
def test_malformed_bodies(body: bytes) -> None:
    with pytest.raises(SerializationException):
        decode("sqs", "ListQueues", body)


@pytest.mark.parametrize("bomb", [b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000])
def test_a_bomb_is_refused(bomb: bytes) -> None:
    for service, operation in (("sqs", "SendMessage"), ("dynamodb", "PutItem")):
        with pytest.raises(SerializationException):
            decode(service, operation, bomb)


@pytest.mark.parametrize("depth", [200, 240, 300, 900, 5_000])
def test_a_deep_value_of_a_recursive_shape_is_read_or_refused(depth: int) -> None:
    body = b'{"TableName":"tab","Item":{"a":' + b'{"L":[' * depth + b'{"S":"x"}' + b"]}" * depth + b"}}"
    if depth <= 100:
        decode("dynamodb", "PutItem", body)
    else:
        with pytest.raises(SerializationException):
            decode("dynamodb", "PutItem", body)


def test_timestamps_come_as_numbers_or_text() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    for given in (1767323045, 1767323045.0, "2026-01-02T03:04:05Z", "Fri, 02 Jan 2026 03:04:05 GMT", "1767323045"):
        members = decode("events", "PutEvents", {"Entries": [{"Time": given}]})
        assert members == {"Entries": [{"Time": moment}]}


@pytest.mark.parametrize("given", ["yesterday", 1e30, True, [], "2026-13-01T00:00:00Z"])
def test_what_is_no_timestamp(given: Any) -> None:
    with pytest.raises(SerializationException):
        decode("events", "PutEvents", {"Entries": [{"Time": given}]})


def test_special_numbers() -> None:
    assert encode("sagemaker", "DescribeTrainingJob", {"FinalMetricDataList": [{"Value": math.inf}]}) == {
        "FinalMetricDataList": [{"Value": "Infinity"}]
    }


def test_members_that_are_none_are_left_out() -> None:
    result = {"MessageId": "1", "SequenceNumber": None, "MD5OfMessageBody": "null"}
    assert encode("sqs", "SendMessage", result) == {"MessageId": "1", "MD5OfMessageBody": "null"}
    nested = {"Messages": [{"Body": "b", "Attributes": None}]}
    assert encode("sqs", "ReceiveMessage", nested) == {"Messages": [{"Body": "b"}]}


def test_timestamps_and_blobs_are_written() -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert encode("events", "DescribeReplay", {"EventStartTime": moment}) == {"EventStartTime": 1767312000}
    assert encode("events", "DescribeReplay", {"EventStartTime": 5.5}) == {"EventStartTime": 5.5}
    assert encode("dynamodb", "GetItem", {"Item": {"a": {"B": b"\0\1"}}}) == {"Item": {"a": {"B": "AAE="}}}


def test_an_operation_without_output_answers_nothing() -> None:
    response = load("sqs").operation("DeleteMessage").encode("json", None, "the-id")
    assert response.body == b""
    assert (b"content-type", b"application/x-amz-json-1.0") in response.headers


def test_json_version_1_1() -> None:
    response = load("events").operation("ListRules").encode("json", {"Rules": []}, "the-id")
    assert (b"content-type", b"application/x-amz-json-1.1") in response.headers


def error_of(service: str | None, error: AwsError, **options: Any) -> tuple[int, Any, dict[bytes, bytes]]:
    response = encode_error(load(service) if service else None, "json", error, "the-id", **options)
    return response.status, orjson.loads(response.body), dict(response.headers)


def test_a_modeled_error_of_a_service_that_once_spoke_query() -> None:
    status, body, headers = error_of("sqs", modeled("sqs", "ReceiptHandleIsInvalid")("Which?"))
    assert (status, body) == (404, {"__type": "com.amazonaws.sqs#ReceiptHandleIsInvalid", "message": "Which?"})
    assert headers[b"x-amzn-query-error"] == b"ReceiptHandleIsInvalid;Sender"
    assert headers[b"x-amzn-requestid"] == b"the-id"
    _, _, plain = error_of("sqs", modeled("sqs", "ReceiptHandleIsInvalid")("Which?"), query_compatible=False)
    assert b"x-amzn-query-error" not in plain


def test_errors_that_a_service_does_not_model() -> None:
    coral = "com.amazon.coral.service#"
    invalid = modeled("sqs", "InvalidParameterValueException")("Bad.")
    status, body, headers = error_of("sqs", invalid)
    assert (status, body["__type"]) == (400, f"{coral}InvalidParameterValueException")
    assert headers[b"x-amzn-query-error"] == b"InvalidParameterValue;Sender"
    status, body, _ = error_of("events", UnknownOperationException())
    assert (status, body) == (404, {"__type": f"{coral}UnknownOperationException"})
    status, body, headers = error_of("sqs", InternalFailure("Oh."))
    assert (status, headers[b"x-amzn-query-error"]) == (500, b"InternalFailure;Receiver")
    assert error_of(None, InternalFailure("Oh."))[1] == {"__type": f"{coral}InternalFailure", "message": "Oh."}


def test_members_of_an_error() -> None:
    error = modeled("dynamodb", "ConditionalCheckFailedException")("No.", Item={"a": {"B": b"\0"}})
    _, body, _ = error_of("dynamodb", error)
    assert body == {"__type": "ConditionalCheckFailedException", "message": "No.", "Item": {"a": {"B": "AA=="}}}
