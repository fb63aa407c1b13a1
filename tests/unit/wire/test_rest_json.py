"""REST with JSON: members in paths, queries, headers, the status and the body."""

from __future__ import annotations

import orjson
import pytest

from cumulet.kernel.errors import SerializationException, ValidationException
from cumulet.wire.errors import modeled
from cumulet.wire.http import HttpRequest
from cumulet.wire.rest import header_items
from cumulet.wire.service import encode_error, load

LAMBDA = load("lambda")


def test_a_request_from_all_its_parts() -> None:
    headers = {b"x-amz-invocation-type": b"Event", b"x-amz-client-context": b"e30="}
    request = HttpRequest("POST", b"/", b"Qualifier=%24LATEST", headers, b'{"any": "thing"}')
    assert LAMBDA.operation("Invoke").decode("rest-json", request, {"FunctionName": "f"}) == {
        "FunctionName": "f",
        "Qualifier": "$LATEST",
        "InvocationType": "Event",
        "ClientContext": "e30=",
        "Payload": b'{"any": "thing"}',
    }


def test_constraints_reach_every_part() -> None:
    request = HttpRequest("GET", b"/", b"MaxItems=0", {})
    with pytest.raises(ValidationException, match="Value '0' at 'maxItems'"):
        LAMBDA.operation("ListFunctions").decode("rest-json", request)
    with pytest.raises(SerializationException):
        LAMBDA.operation("ListFunctions").decode("rest-json", HttpRequest("GET", b"/", b"MaxItems=x", {}))


def test_an_answer_in_all_its_parts() -> None:
    result = {"StatusCode": 202, "FunctionError": "Unhandled", "Payload": b"\x00\xff", "LogResult": None}
    response = LAMBDA.operation("Invoke").encode("rest-json", result, "the-id")
    assert (response.status, response.body) == (202, b"\x00\xff")
    assert response.headers == [
        (b"x-amzn-requestid", b"the-id"),
        (b"x-amz-function-error", b"Unhandled"),
        (b"content-type", b"application/json"),
    ]


def test_status_of_the_model() -> None:
    assert LAMBDA.operation("CreateFunction").encode("rest-json", {"FunctionName": "f"}, "i").status == 201
    response = LAMBDA.operation("DeleteAlias").encode("rest-json", None, "i")
    assert (response.status, response.body) == (204, b"")


def test_an_error() -> None:
    error = modeled("lambda", "TooManyRequestsException")("Slow down.", retryAfterSeconds="5", Reason="Rate")
    response = encode_error(LAMBDA, "rest-json", error, "the-id")
    assert response.status == 429
    assert orjson.loads(response.body) == {"message": "Slow down.", "Reason": "Rate"}
    assert dict(response.headers) == {
        b"x-amzn-requestid": b"the-id",
        b"x-amzn-errortype": b"TooManyRequestsException",
        b"content-type": b"application/json",
        b"retry-after": b"5",
    }


def test_a_header_ends_where_its_line_ends() -> None:
    response = LAMBDA.operation("Invoke").encode("rest-json", {"FunctionError": "a\r\nx-evil: 1"}, "i")
    assert (b"x-amz-function-error", b"a x-evil: 1") in response.headers


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a, b,c", ["a", "b", "c"]),
        ('"a,b", "\\"c\\"", d', ["a,b", '"c"', "d"]),
        ('"never closed, x', ['"never closed', "x"]),
        ("", []),
    ],
)
def test_lists_in_headers(text: str, items: list[str]) -> None:
    assert header_items(text) == items
