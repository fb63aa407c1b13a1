"""Function URLs: their configuration, and what comes of requests to them."""

from __future__ import annotations

import base64
import http.client
import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from lambda_functions import create

from cumulet.testing import Cumulet

ECHO = "def handler(event, context):\n    return event\n"
SAYS = "import json\ndef handler(event, context):\n    return json.loads(event['body'])\n"


class Answer:
    """An HTTP answer, read whole."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self) -> Any:
        return json.loads(self.body)


class Address:
    """A function's URL."""

    def __init__(self, cumulet: Cumulet, source: str = ECHO, **config: Any) -> None:
        self.cumulet = cumulet
        self.client = cumulet.client("lambda")
        self.function = create(cumulet, source=source)["FunctionName"]
        self.config = self.client.create_function_url_config(
            FunctionName=self.function, **{"AuthType": "NONE", **config}
        )
        self.url: str = self.config["FunctionUrl"]
        self.id = self.url.rstrip("/").rpartition("/")[2]

    def ask(
        self,
        method: str = "GET",
        path: str = "",
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request to the URL as it was given."""
        return self._send(method, urlsplit(self.url).path + path, body, headers or {})

    def ask_host(self, method: str = "GET", path: str = "/", region: str = "us-east-1") -> Answer:
        """Send a request to a host as AWS gives one."""
        return self._send(method, path, None, {"Host": f"{self.id}.lambda-url.{region}.localhost:4566"})

    def say(self, answer: Any) -> Answer:
        """Let a function that returns its request's body answer."""
        return self.ask("POST", body=json.dumps(answer))

    def _send(self, method: str, path: str, body: bytes | str | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()


# What the function is given


def test_a_request_becomes_an_event_of_format_2_0(cumulet: Cumulet) -> None:
    address = Address(cumulet)

    event = address.ask(
        "POST",
        "my/path%20x?a=1&b=2&a=3&c=",
        body='{"hello": "wörld"}'.encode(),
        headers={
            "Content-Type": "application/json",
            "Cookie": "one=1; two=2",
            "User-Agent": "test/1",
            "X-Custom": "Yes",
        },
    ).json()

    context = event.pop("requestContext")
    headers = event.pop("headers")
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/path%20x",
        "rawQueryString": "a=1&b=2&a=3&c=",
        "cookies": ["one=1", "two=2"],
        "queryStringParameters": {"a": "1,3", "b": "2", "c": ""},
        "body": '{"hello": "wörld"}',
        "isBase64Encoded": False,
    }
    domain = f"{address.id}.lambda-url.us-east-1.on.aws"
    assert (headers["x-custom"], headers["host"], headers["x-forwarded-for"]) == ("Yes", domain, "127.0.0.1")
    assert "cookie" not in headers
    assert context.pop("requestId")
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context.pop("time"))
    assert context.pop("timeEpoch") > 1_700_000_000_000
    assert context == {
        "accountId": "anonymous",
        "apiId": address.id,
        "domainName": domain,
        "domainPrefix": address.id,
        "http": {
            "method": "POST",
            "path": "/my/path%20x",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "test/1",
        },
        "routeKey": "$default",
        "stage": "$default",
    }


@pytest.mark.parametrize("path", ["a%2Fb", "100%25", "%C3%A9", "a+b", "a%3Fb%23c", "/a//b"])
def test_the_path_comes_as_it_was_sent(cumulet: Cumulet, path: str) -> None:
    event = Address(cumulet).ask(path=path).json()

    assert event["rawPath"] == event["requestContext"]["http"]["path"] == f"/{path}"


def test_a_request_without_body_query_and_cookies_has_no_such_members(cumulet: Cumulet) -> None:
    event = Address(cumulet).ask().json()

    assert event["rawPath"] == "/"
    assert event["rawQueryString"] == ""
    assert event.keys().isdisjoint({"body", "queryStringParameters", "cookies"})


@pytest.mark.parametrize(
    "content_type",
    ["application/octet-stream", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"],
)
def test_a_body_that_is_no_text_comes_in_base64(cumulet: Cumulet, content_type: str) -> None:
    event = Address(cumulet).ask("POST", body=b"\xff\x00a=b", headers={"Content-Type": content_type}).json()

    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff\x00a=b"


def test_the_host_form_reaches_the_same_function(cumulet: Cumulet) -> None:
    event = Address(cumulet).ask_host(path="/deep/er?x=1").json()

    assert (event["rawPath"], event["queryStringParameters"]) == ("/deep/er", {"x": "1"})


# What it answers


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ({"hello": "world"}, b'{"hello": "world"}'),
        (["hello", 3, True], b'["hello", 3, true]'),
        ("hello", b"hello"),
        (3, b"3"),
        (3.5, b"3.5"),
        (True, b"true"),
        (None, b"null"),
    ],
)
def test_a_result_without_a_status_code_is_the_body(cumulet: Cumulet, result: Any, body: bytes) -> None:
    answer = Address(cumulet, SAYS).say(result)

    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "application/json", body)


def test_a_result_with_a_status_code_is_the_whole_answer(cumulet: Cumulet) -> None:
    answer = Address(cumulet, SAYS).say(
        {
            "statusCode": "418",
            "headers": {"My-Header": "Value", "X-Number": 5, "Content-Length": "1", "Content-Type": "text/tea"},
            "cookies": ["a=1", "b=2; Secure"],
            "body": "i'm a teapot",
        }
    )

    assert (answer.status, answer.body) == (418, b"i'm a teapot")
    assert (answer.headers["my-header"], answer.headers["x-number"]) == ("Value", "5")
    assert answer.headers["content-type"] == "text/tea"
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2; Secure"]


def test_a_body_in_base64_is_decoded(cumulet: Cumulet) -> None:
    body = base64.b64encode(b"\x00\xff").decode()

    assert Address(cumulet, SAYS).say({"statusCode": 200, "body": body, "isBase64Encoded": True}).body == b"\x00\xff"


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (True, b"hi"),
        ("true", b"hi"),
        ("True", b"hi"),
        (False, b"aGk="),
        ("false", b"aGk="),
        ("False", b"aGk="),
        ("", b"aGk="),
        (None, b"aGk="),
    ],
)
def test_whether_a_body_is_in_base64_may_be_said_in_text(cumulet: Cumulet, said: Any, body: bytes) -> None:
    answer = Address(cumulet, SAYS).say({"statusCode": 200, "body": "aGk=", "isBase64Encoded": said})

    assert (answer.status, answer.body) == (200, body)


def test_a_body_in_base64_may_have_lines(cumulet: Cumulet) -> None:
    body = base64.encodebytes(b"x" * 100).decode()

    assert Address(cumulet, SAYS).say({"statusCode": 200, "body": body, "isBase64Encoded": True}).body == b"x" * 100


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": None},
        {"statusCode": 200, "headers": ["x"]},
        {"statusCode": 200, "headers": {"x": ["y"]}},
        {"statusCode": 200, "body": "x", "isBase64Encoded": True},
        {"statusCode": 200, "body": "!!!", "isBase64Encoded": True},
        {"statusCode": 200, "body": "aG!k=", "isBase64Encoded": "true"},
        {"statusCode": 200, "cookies": 5},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 100},
        {"statusCode": 101, "body": "switched"},
        {"statusCode": 200, "headers": ["ab"]},
        {"statusCode": 200, "headers": {"": "x"}},
        {"statusCode": 200, "headers": {"two words": "x"}},
        {"statusCode": 200, "headers": {"x:y": "z"}},
        {"statusCode": 200, "headers": {"x-€": "y"}},
    ],
)
def test_a_result_that_is_no_http_answer_is_502(cumulet: Cumulet, result: Any) -> None:
    answer = Address(cumulet, SAYS).say(result)

    assert (answer.status, answer.body) == (502, b"Internal Server Error")


@pytest.mark.parametrize("status", [299, 419, 520, 599])
def test_a_status_without_a_name_is_passed_on(cumulet: Cumulet, status: int) -> None:
    answer = Address(cumulet, SAYS).say({"statusCode": status, "body": "x"})

    assert (answer.status, answer.body) == (status, b"x")


def test_a_function_that_fails_is_502(cumulet: Cumulet) -> None:
    answer = Address(cumulet, "def handler(event, context): raise ValueError('no')\n").ask()

    assert (answer.status, answer.body) == (502, b"Internal Server Error")


def test_a_function_without_a_free_slot_is_429(cumulet: Cumulet) -> None:
    address = Address(cumulet)
    address.client.put_function_concurrency(FunctionName=address.function, ReservedConcurrentExecutions=0)

    answer = address.ask()

    assert answer.status == 429
    assert answer.headers["x-amzn-ErrorType"] == "TooManyRequestsException"


# Who may


@pytest.mark.parametrize("path", ["lambda-url/abc/", f"lambda-url/{'a' * 32}/x"])
def test_an_address_that_nobody_has_is_403(cumulet: Cumulet, path: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(cumulet.url).netloc, timeout=20)
    connection.request("GET", f"/_cumulet/{path}")
    answer = Answer(connection.getresponse())
    connection.close()

    assert (answer.status, answer.body) == (403, b'{"Message":null}')
    assert answer.headers["x-amzn-ErrorType"] == "AccessDeniedException"
    assert answer.headers["Content-Type"] == "application/json"


def test_a_url_with_iam_wants_a_signature(cumulet: Cumulet) -> None:
    address = Address(cumulet, AuthType="AWS_IAM")
    signed = AWSRequest("POST", address.url, data=b"{}", headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(cumulet.account, "secret"), "lambda", "us-east-1").add_auth(signed)

    refused = address.ask("POST", body=b"{}")
    answer = address.ask("POST", body=b"{}", headers=dict(signed.headers.items()))

    assert refused.status == 403
    assert refused.json()["Message"].startswith("Forbidden. For troubleshooting Function URL authorization issues")
    context = answer.json()["requestContext"]
    assert context["accountId"] == cumulet.account
    assert context["authorizer"]["iam"]["accountId"] == cumulet.account
    assert context["authorizer"]["iam"]["userArn"] == f"arn:aws:iam::{cumulet.account}:root"


def test_browsers_are_told_what_they_may(cumulet: Cumulet) -> None:
    cors = {
        "AllowOrigins": ["https://shop.example"],
        "AllowMethods": ["GET", "PUT"],
        "AllowHeaders": ["x-a", "x-b"],
        "ExposeHeaders": ["x-c"],
        "AllowCredentials": True,
        "MaxAge": 300,
    }
    address = Address(cumulet, Cors=cors)
    origin = {"Origin": "https://shop.example"}

    preflight = address.ask("OPTIONS", headers={**origin, "Access-Control-Request-Method": "PUT"})
    answer = address.ask(headers=origin)
    stranger = address.ask(headers={"Origin": "https://other.example"})

    assert (preflight.status, preflight.body) == (200, b"")
    told = {name.lower(): value for name, value in preflight.headers.items() if name.lower().startswith("access-")}
    assert told == {
        "access-control-allow-origin": "https://shop.example",
        "access-control-allow-methods": "GET,PUT",
        "access-control-allow-headers": "x-a,x-b",
        "access-control-expose-headers": "x-c",
        "access-control-allow-credentials": "true",
        "access-control-max-age": "300",
    }
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.json()["headers"]["origin"] == "https://shop.example"
    assert "access-control-allow-origin" not in stranger.headers


def test_without_cors_settings_the_function_answers_options(cumulet: Cumulet) -> None:
    answer = Address(cumulet).ask("OPTIONS", headers={"Origin": "https://a", "Access-Control-Request-Method": "PUT"})

    assert answer.json()["requestContext"]["http"]["method"] == "OPTIONS"


# The configuration


def test_a_url_is_shown_as_it_was_made_and_changed(cumulet: Cumulet) -> None:
    address = Address(cumulet)
    arn = address.client.get_function(FunctionName=address.function)["Configuration"]["FunctionArn"]
    made = {key: value for key, value in address.config.items() if key != "ResponseMetadata"}

    assert re.fullmatch(rf"{cumulet.url}/_cumulet/lambda-url/[a-z2-7]{{32}}/", made["FunctionUrl"])
    assert (made["FunctionArn"], made["AuthType"], made["InvokeMode"]) == (arn, "NONE", "BUFFERED")
    assert "LastModifiedTime" not in made
    assert address.config["ResponseMetadata"]["HTTPStatusCode"] == 201

    shown = address.client.get_function_url_config(FunctionName=address.function)
    assert made.items() <= shown.items()
    cumulet.advance(seconds=5)
    cors = {"AllowOrigins": ["*"]}
    changed = address.client.update_function_url_config(FunctionName=address.function, Cors=cors)
    assert (changed["Cors"], changed["AuthType"]) == (cors, "NONE")
    assert changed["LastModifiedTime"] > changed["CreationTime"] == made["CreationTime"]
    again = address.client.update_function_url_config(FunctionName=address.function, InvokeMode="RESPONSE_STREAM")
    assert (again["Cors"], again["InvokeMode"]) == (cors, "RESPONSE_STREAM")
    assert address.client.update_function_url_config(FunctionName=address.function)["InvokeMode"] == "RESPONSE_STREAM"


def test_what_was_changed_holds_for_the_next_request(cumulet: Cumulet) -> None:
    address = Address(cumulet)
    assert address.ask().status == 200

    address.client.update_function_url_config(FunctionName=address.function, AuthType="AWS_IAM")

    assert address.ask().status == 403


def test_urls_of_a_function_and_of_its_aliases_are_listed(cumulet: Cumulet) -> None:
    address = Address(cumulet)
    client = address.client
    client.publish_version(FunctionName=address.function)
    for alias in ("blue", "green"):
        client.create_alias(FunctionName=address.function, Name=alias, FunctionVersion="1")
        client.create_function_url_config(FunctionName=address.function, Qualifier=alias, AuthType="NONE")

    pages = client.get_paginator("list_function_url_configs").paginate(
        FunctionName=address.function, PaginationConfig={"PageSize": 1}
    )

    arns = [config["FunctionArn"] for page in pages for config in page["FunctionUrlConfigs"]]
    own = address.config["FunctionArn"]
    assert arns == [own, f"{own}:blue", f"{own}:green"]


def test_a_deleted_url_answers_no_more(cumulet: Cumulet) -> None:
    address = Address(cumulet)
    assert address.ask().status == 200

    assert (
        address.client.delete_function_url_config(FunctionName=address.function)["ResponseMetadata"]["HTTPStatusCode"]
        == 204
    )

    assert address.ask().status == 403
    assert refusal(address, "delete_function_url_config")[0] == "ResourceNotFoundException"


def test_a_url_ends_with_its_function(cumulet: Cumulet) -> None:
    address = Address(cumulet)
    address.client.delete_function(FunctionName=address.function)

    assert address.ask().status == 403
    create(cumulet, address.function)
    assert address.client.list_function_url_configs(FunctionName=address.function)["FunctionUrlConfigs"] == []


@pytest.mark.parametrize("is_alias", [False, True])
def test_a_url_does_not_come_back_with_a_function_or_alias_of_the_same_name(
    cumulet: Cumulet, *, is_alias: bool
) -> None:
    address = Address(cumulet)
    client, name = address.client, address.function
    if is_alias:
        client.publish_version(FunctionName=name)
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        of_alias = client.create_function_url_config(FunctionName=name, Qualifier="live", AuthType="NONE")
        address.url = of_alias["FunctionUrl"]
    assert address.ask().status == 200

    if is_alias:
        client.delete_alias(FunctionName=name, Name="live")
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    else:
        client.delete_function(FunctionName=name)
        create(cumulet, name)

    assert address.ask().status == 403


def refusal(address: Address, operation: str, **members: Any) -> tuple[str, int, str]:
    client = address.cumulet.client("lambda", parameter_validation=False)
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**{"FunctionName": address.function, **members})
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


PATTERN = r"((?!^\d+$)^[0-9a-zA-Z-_]+$)"
BAD = [
    (
        "create_function_url_config",
        {"AuthType": "NONE"},
        "ResourceConflictException",
        409,
        "Failed to create function url config for [functionArn = {arn}]. "
        "Error message:  FunctionUrlConfig exists for this Lambda function",
    ),
    (
        "create_function_url_config",
        {"FunctionName": "missing", "AuthType": "NONE"},
        "ResourceNotFoundException",
        404,
        "Function does not exist",
    ),
    (
        "create_function_url_config",
        {"Qualifier": "missing", "AuthType": "NONE"},
        "ResourceNotFoundException",
        404,
        "Function does not exist",
    ),
    ("create_function_url_config", {}, "ValidationException", 400, "authType"),
    ("create_function_url_config", {"AuthType": "SOME"}, "ValidationException", 400, "authType"),
    ("create_function_url_config", {"AuthType": "NONE", "InvokeMode": "X"}, "ValidationException", 400, "invokeMode"),
    ("create_function_url_config", {"AuthType": "NONE", "Qualifier": "1"}, "ValidationException", 400, PATTERN),
    ("create_function_url_config", {"AuthType": "NONE", "Qualifier": "$LATEST"}, "ValidationException", 400, PATTERN),
    ("create_function_url_config", {"FunctionName": "any:1", "AuthType": "NONE"}, "ValidationException", 400, PATTERN),
    (
        "create_function_url_config",
        {"AuthType": "NONE", "Cors": {"MaxAge": 86401}},
        "ValidationException",
        400,
        "86400",
    ),
    (
        "create_function_url_config",
        {"AuthType": "NONE", "Cors": {"AllowOrigins": ["*"] * 101}},
        "ValidationException",
        400,
        "100",
    ),
    (
        "get_function_url_config",
        {"FunctionName": "missing"},
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    ),
    (
        "get_function_url_config",
        {"Qualifier": "missing"},
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    ),
    (
        "update_function_url_config",
        {"FunctionName": "missing"},
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    ),
    (
        "delete_function_url_config",
        {"Qualifier": "missing"},
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    ),
    (
        "list_function_url_configs",
        {"FunctionName": "missing"},
        "ResourceNotFoundException",
        404,
        "Function does not exist",
    ),
    ("list_function_url_configs", {"MaxItems": 51}, "ValidationException", 400, "50"),
    ("list_function_url_configs", {"Marker": "?"}, "InvalidParameterValueException", 400, "Invalid Marker"),
]


@pytest.mark.parametrize(("operation", "members", "code", "status", "message"), BAD)
def test_bad_input_is_refused(
    cumulet: Cumulet, operation: str, members: dict[str, Any], code: str, status: int, message: str
) -> None:
    address = Address(cumulet)
    before = address.client.list_function_url_configs(FunctionName=address.function)["FunctionUrlConfigs"]

    answers = [refusal(address, operation, **members) for _ in range(2)]

    assert answers[0] == answers[1]
    assert answers[0][:2] == (code, status)
    assert message.format(arn=address.config["FunctionArn"]) in answers[0][2] if "{arn}" in message else True
    assert "{arn}" in message or message in answers[0][2]
    after = address.client.list_function_url_configs(FunctionName=address.function)["FunctionUrlConfigs"]
    assert after == before
