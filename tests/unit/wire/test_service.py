"""Services, operations and error classes as the rest of Cumulet sees them."""

from __future__ import annotations

import sys

import pytest

from cumulet.kernel.errors import AwsError, NotImplementedFailure
from cumulet.wire.errors import modeled, trait_of
from cumulet.wire.http import HttpRequest
from cumulet.wire.service import encode_error, load


def test_sqs() -> None:
    sqs = load("sqs")
    assert sqs is load("sqs")
    assert sqs.protocols == ("json", "query")
    assert (sqs.api_version, sqs.target_prefix) == ("2012-11-05", "AmazonSQS")
    assert sqs.xmlns == "http://queue.amazonaws.com/doc/2012-11-05/"
    assert len(sqs.operation_names) == 23
    assert sqs.operation("SendMessage") is sqs.operation("SendMessage")


def test_other_services() -> None:
    assert load("sts").protocols == ("query",)
    assert load("lambda").protocols == ("rest-json",)
    assert load("events").xmlns == ""


def test_unknown_services() -> None:
    with pytest.raises(KeyError):
        load("nothing")


def test_unknown_operations() -> None:
    with pytest.raises(KeyError):
        load("sqs").operation("Sing")


def test_a_protocol_that_is_not_built() -> None:
    with pytest.raises(NotImplementedFailure, match="rest-xml"):
        load("s3").operation("ListBuckets").decode("rest-xml", HttpRequest("GET", b"/", b"", {}))
    with pytest.raises(NotImplementedFailure):
        encode_error(None, "ec2", AwsError(), "the-id")


def test_error_classes() -> None:
    error = modeled("sqs", "OverLimit")
    assert error is modeled("sqs", "OverLimit")
    assert (error.__name__, error.code, error.status, error.sender_fault) == ("OverLimit", "OverLimit", 403, True)
    assert modeled("stepfunctions", "ExecutionDoesNotExist") is not error
    assert trait_of(load("sqs").model, error()).query_code == "OverLimit"
    assert modeled("dynamodb", "InternalServerError").status == 500
    assert not modeled("dynamodb", "InternalServerError").sender_fault


@pytest.mark.parametrize("shape", ["NoSuchError", "Message", "SendMessageRequest"])
def test_what_is_no_error(shape: str) -> None:
    with pytest.raises(KeyError):
        modeled("sqs", shape)


def test_types_live_in_a_module_of_their_own() -> None:
    load("dynamodb").operation("PutItem").decode(
        "json", HttpRequest("POST", b"/", b"", {}, b'{"TableName":"tab","Item":{"a":{"L":[{"M":{}}]}}}')
    )
    assert any(name.startswith("cumulet.wire.typed.dynamodb") for name in sys.modules)
