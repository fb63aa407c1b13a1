"""Services, operations and error classes as the rest of Cumulet sees them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cumulet
from cumulet.gateway.hooks import OWN_ERRORS
from cumulet.kernel.errors import AwsError, NotImplementedFailure
from cumulet.wire.errors import modeled, trait_of
from cumulet.wire.facts import Facts, facts
from cumulet.wire.http import HttpRequest
from cumulet.wire.service import encode_error, load


def test_sqs() -> None:
    sqs = load("sqs")
    assert sqs is load("sqs")
    assert sqs.facts == facts("sqs") == Facts("sqs", "2012-11-05", "AmazonSQS", ("json", "query"), True)
    assert sqs.xmlns == "http://queue.amazonaws.com/doc/2012-11-05/"
    assert len(sqs.operation_names) == 23
    assert sqs.operation("SendMessage") is sqs.operation("SendMessage")


def test_other_services() -> None:
    assert load("sts").facts == facts("sts") == Facts("sts", "2011-06-15", "", ("query",), False)
    assert facts("cloudwatch").signing_name == "monitoring"
    assert facts("lambda").protocols == ("rest-json",)
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
        _ = modeled("sqs", shape).status


def test_every_error_that_the_code_names_is_modeled() -> None:
    named = set(errors_named_in_the_code())

    assert len(named) > 50
    assert {(service, shape) for service, shape in named if shape not in load(service).errors} == set()
    assert all(shape in load(service).errors for service, (shape, _, _) in OWN_ERRORS.items())


def errors_named_in_the_code() -> Iterator[tuple[str, str]]:
    """Yield what calls of `modeled` name by literals."""
    for path in Path(cumulet.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name("modeled"), args=[ast.Constant(value=str(service)), ast.Constant(value=str(shape))]
                ):
                    yield service, shape


def test_types_live_in_a_module_of_their_own() -> None:
    load("dynamodb").operation("PutItem").decode(
        "json", HttpRequest("POST", b"/", b"", {}, b'{"TableName":"tab","Item":{"a":{"L":[{"M":{}}]}}}')
    )
    assert any(name.startswith("cumulet.wire.typed.dynamodb") for name in sys.modules)
