"""Lambda: every operation on functions refuses bad input with AWS's code, status and text, and changes nothing."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from lambda_functions import ROLE, create, zip_of
from lambda_refusals import CASES, CREATE, IDS, KNOWN, bomb
from lambda_table import filled

from cumulet.testing import Cumulet

ENVIRONMENT = {"Environment": {"Variables": {"PLACE": "here"}}}


@pytest.fixture
def known(cumulet: Cumulet) -> dict[str, Any]:
    """Return CreateFunction's answer about a function that has something of everything."""
    answer = create(cumulet, KNOWN, Tags={"team": "blue"}, Description="first", **ENVIRONMENT)
    cumulet.client("lambda").put_function_concurrency(FunctionName=KNOWN, ReservedConcurrentExecutions=7)
    return answer


def state(cumulet: Cumulet) -> Any:
    """Return all that a client can see of an account's functions without changing it."""
    client = cumulet.client("lambda")
    functions = client.list_functions()["Functions"]
    details = [client.get_function(FunctionName=function["FunctionName"]) for function in functions]
    return (
        [(detail["Configuration"], detail.get("Tags"), detail.get("Concurrency")) for detail in details],
        client.get_account_settings()["AccountUsage"],
    )


def refusal(client: Any, operation: str, members: dict[str, Any]) -> tuple[int, str, str, str | None]:
    """Return status, code, message and Type of the error that an operation answers."""
    with pytest.raises(ClientError) as refused:
        getattr(client, xform_name(operation))(**members)
    response: Any = refused.value.response
    error = response["Error"]
    return response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"], response.get("Type")


@pytest.mark.parametrize(("operation", "members", "status", "code", "message"), CASES, ids=IDS)
@pytest.mark.usefixtures("known")
def test_bad_input_is_refused(
    cumulet: Cumulet, operation: str, members: dict[str, Any], status: int, code: str, message: str
) -> None:
    client = cumulet.client("lambda", parameter_validation=False)
    given, expected = filled(members, cumulet.account), filled(message, cumulet.account)
    before = state(cumulet)

    answers = [refusal(client, operation, given) for _ in range(2)]

    is_modeled = hasattr(client.exceptions, code)
    assert answers == 2 * [(status, code, expected, "User" if is_modeled else None)]
    assert state(cumulet) == before


TYPES = [
    ({"Code": {"ZipFile": "no base64!"}}, "Invalid base64 encoded value"),
    ({"Code": {"ZipFile": 7}}, "NUMBER_VALUE can not be converted to a ByteBuffer"),
    ({"Code": "code"}, "Expected start of structure or map"),
    ({"Code": []}, "Expected start of structure or map"),
    ({"FunctionName": ["name"]}, "Start of list found where not expected"),
    ({"Role": {"Arn": ROLE}}, "Start of structure or map found where not expected."),
    ({"Timeout": True}, "TRUE_VALUE can not be converted to an Integer"),
    ({"Timeout": 2**31}, "Number 2147483648 is out of the range of an Integer"),
    ({"Publish": "yes"}, "STRING_VALUE can not be converted to a Boolean"),
    ({"Environment": {"Variables": ["A"]}}, "Start of list found where not expected"),
    ({"Environment": "A=1"}, "Expected start of structure or map"),
    ({"Layers": "layer"}, "Expected list or null"),
    ({"Tags": ["key"]}, "Start of list found where not expected"),
    ({"Architectures": "arm64"}, "Expected list or null"),
]


def post(cumulet: Cumulet, body: bytes) -> tuple[int, str | None, Any]:
    """Send the body of a CreateFunction and return status, code and body of the answer."""
    connection = HTTPConnection(urlsplit(cumulet.url).netloc, timeout=30)
    scope = f"{cumulet.account}/20260101/us-east-1/lambda/aws4_request"
    signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"
    headers = {"Content-Type": "application/json", "Authorization": signature}
    connection.request("POST", "/2015-03-31/functions", body, headers)
    response = connection.getresponse()
    answer = orjson.loads(response.read())
    connection.close()
    return response.status, response.getheader("x-amzn-errortype"), answer


@pytest.mark.parametrize(("members", "message"), TYPES)
def test_a_member_of_another_type_is_refused(cumulet: Cumulet, members: dict[str, Any], message: str) -> None:
    body = orjson.dumps({**CREATE, "Code": {}, **members})

    answers = [post(cumulet, body) for _ in range(2)]

    assert answers == 2 * [(400, "SerializationException", {"message": message})]
    assert cumulet.client("lambda").list_functions()["Functions"] == []


@pytest.mark.parametrize("body", [b"{", b"nothing", b'"text"', b"[1]", b"\xff\xfe", b'{"FunctionName": "a"'])
def test_a_body_that_is_no_json_object_is_refused(cumulet: Cumulet, body: bytes) -> None:
    status, code, _ = post(cumulet, body)

    assert (status, code) == (400, "SerializationException")


def test_an_unknown_runtime_is_told_which_ones_there_are(cumulet: Cumulet) -> None:
    runtimes = cumulet.client("lambda").meta.service_model.shape_for("Runtime").enum

    answer = refusal(cumulet.client("lambda"), "CreateFunction", {**CREATE, "Runtime": "cobol85"})

    message = (
        "Value cobol85 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
        f"[{', '.join(runtimes)}] or be a valid ARN"
    )
    assert answer == (400, "InvalidParameterValueException", message, "User")


def test_a_package_that_unpacks_to_more_than_262144000_bytes_is_refused(cumulet: Cumulet) -> None:
    answer = refusal(cumulet.client("lambda"), "CreateFunction", {**CREATE, "Code": {"ZipFile": bomb()}})

    message = "Unzipped size must be smaller than 262144000 bytes"
    assert answer == (400, "InvalidParameterValueException", message, "User")


@pytest.mark.parametrize("size_bytes", [52_428_801, 53_000_000])
def test_a_package_of_more_than_50_mb_is_refused(cumulet: Cumulet, size_bytes: int) -> None:
    """The first is refused when it is decoded, the second as soon as its length is known."""
    package = bytes(size_bytes)
    client = cumulet.client("lambda")
    create(cumulet, KNOWN)

    refusals = [
        refusal(client, "CreateFunction", {**CREATE, "Code": {"ZipFile": package}}),
        refusal(client, "UpdateFunctionCode", {"FunctionName": KNOWN, "ZipFile": package}),
    ]

    assert refusals == [
        (
            413,
            "RequestEntityTooLargeException",
            f"Request must be smaller than 70167211 bytes for the {operation} operation",
            None,
        )
        for operation in ("CreateFunction", "UpdateFunctionCode")
    ]


def test_a_name_that_was_refused_can_be_used_rightly(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    refusal(client, "CreateFunction", {**CREATE, "Code": {"ZipFile": b"broken"}})
    refusal(client, "CreateFunction", {**CREATE, "Role": "r1"})

    client.create_function(**CREATE)

    assert client.get_function(FunctionName=CREATE["FunctionName"])["Configuration"]["State"] == "Active"


def test_a_refused_update_leaves_code_and_settings(cumulet: Cumulet, known: dict[str, Any]) -> None:
    client = cumulet.client("lambda")
    package = zip_of({"app.py": "changed = True\n"})
    refusal(client, "UpdateFunctionCode", {"FunctionName": KNOWN, "ZipFile": package, "RevisionId": "other"})

    found = client.get_function_configuration(FunctionName=KNOWN)

    assert (found["CodeSha256"], found["RevisionId"]) == (known["CodeSha256"], known["RevisionId"])
