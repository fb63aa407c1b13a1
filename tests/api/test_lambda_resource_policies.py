"""Lambda: whole policies are put, shown and deleted; what can't be evaluated is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create
from test_lambda_versions import refused

from cumulet.testing import Cumulet

OWNERS = [None, "1", "live"]
WRONG_REVISION = "00000000-0000-0000-0000-000000000000"


def statement(arn: str, **elements: Any) -> dict[str, Any]:
    """Return a statement that lets SNS invoke a function; an element that is None is left out."""
    given = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": arn,
        **elements,
    }
    return {name: value for name, value in given.items() if value is not None}


def document(*statements: Any, **elements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **elements})


@pytest.fixture
def arn(cumulet: Cumulet) -> str:
    """Return the ARN of a function with a version and an alias."""
    created: str = create(cumulet, "hello", Publish=True)["FunctionArn"]
    cumulet.client("lambda").create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    return created


def put(cumulet: Cumulet, arn: str, policy: str, **members: Any) -> dict[str, Any]:
    answer: dict[str, Any] = cumulet.client("lambda").put_resource_policy(ResourceArn=arn, Policy=policy, **members)
    return answer


@pytest.mark.parametrize("qualifier", OWNERS)
def test_a_policy_is_put_shown_replaced_and_deleted(cumulet: Cumulet, arn: str, qualifier: str | None) -> None:
    client = cumulet.client("lambda")
    of = f"{arn}:{qualifier}" if qualifier else arn
    qualified = {"FunctionName": "hello", **({"Qualifier": qualifier} if qualifier else {})}
    client.add_permission(StatementId="old", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", **qualified)

    first = put(cumulet, of, document(statement(of, Sid="a"), statement(of)))
    second = put(cumulet, of, document(statement(of, Sid="b")))
    shown = client.get_resource_policy(ResourceArn=of)
    by_name = client.get_policy(**qualified)

    assert [each.get("Sid") for each in json.loads(first["Policy"])["Statement"]] == ["a", None]
    assert json.loads(shown["Policy"])["Statement"] == [statement(of, Sid="b")]
    assert shown["Policy"] == second["Policy"] == by_name["Policy"]
    assert shown["RevisionId"] == second["RevisionId"] == by_name["RevisionId"] != first["RevisionId"]
    deleted = client.delete_resource_policy(ResourceArn=of)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    for again in (client.delete_resource_policy, client.get_resource_policy):
        with pytest.raises(ClientError) as gone:
            again(ResourceArn=of)
        assert refused(gone) == ("ResourceNotFoundException", "The resource you requested does not exist.")


def test_permissions_are_added_to_a_policy_and_taken_from_it(cumulet: Cumulet, arn: str) -> None:
    client = cumulet.client("lambda")
    put(cumulet, arn, document(statement(arn), statement(arn, Sid="a"), statement(arn, Sid="b")))

    client.add_permission(
        FunctionName="hello", StatementId="c", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )
    client.remove_permission(FunctionName="hello", StatementId="a")

    policy = json.loads(client.get_resource_policy(ResourceArn=arn)["Policy"])
    assert [each.get("Sid") for each in policy["Statement"]] == [None, "b", "c"]


def test_principals_and_values_are_written_as_lambda_writes_them(cumulet: Cumulet, arn: str) -> None:
    given = statement(
        arn,
        Principal={"AWS": ["123456789012", "*"], "Service": ["sns.amazonaws.com"]},
        Condition={"Bool": {"lambda:InvokedViaFunctionUrl": True}, "StringLike": {"aws:SourceAccount": ["1*", "2*"]}},
    )

    written = json.loads(put(cumulet, arn, json.dumps({"Statement": given}))["Policy"])["Statement"]

    assert written == [
        statement(
            arn,
            Principal={"AWS": ["arn:aws:iam::123456789012:root", "*"], "Service": "sns.amazonaws.com"},
            Condition={
                "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
                "StringLike": {"aws:SourceAccount": ["1*", "2*"]},
            },
        )
    ]


@pytest.mark.parametrize("qualifier", OWNERS)
def test_a_change_may_ask_for_the_revision_that_the_caller_knows(
    cumulet: Cumulet, arn: str, qualifier: str | None
) -> None:
    client = cumulet.client("lambda")
    of = f"{arn}:{qualifier}" if qualifier else arn
    text = document(statement(of))
    revision = put(cumulet, of, text)["RevisionId"]

    for _ in range(2):
        with pytest.raises(ClientError) as at_put:
            put(cumulet, of, document(statement(of), statement(of)), RevisionId=WRONG_REVISION)
        with pytest.raises(ClientError) as at_delete:
            client.delete_resource_policy(ResourceArn=of, RevisionId=WRONG_REVISION)
        assert refused(at_put)[0] == refused(at_delete)[0] == "PreconditionFailedException"
    assert client.get_resource_policy(ResourceArn=of)["RevisionId"] == revision
    changed = put(cumulet, of, text, RevisionId=revision)
    client.delete_resource_policy(ResourceArn=of, RevisionId=changed["RevisionId"])


RESOURCE_ARN = "arn:aws:lambda:us-east-1:{account}:function:"
MALFORMED = "The provided policy is malformed: {}."


@pytest.mark.parametrize("operation", ["put", "get", "delete"])
@pytest.mark.parametrize(
    ("resource", "status", "code", "message"),
    [
        ("hello", 400, "ValidationException", "1 validation error detected: Value 'hello' at 'resourceArn' .*"),
        (f"{RESOURCE_ARN}nobodys", 404, "ResourceNotFoundException", f"Function not found: {RESOURCE_ARN}nobodys"),
        (f"{RESOURCE_ARN}hello:7", 404, "ResourceNotFoundException", f"Function not found: {RESOURCE_ARN}hello:7"),
        (f"{RESOURCE_ARN}hello:no", 404, "ResourceNotFoundException", f"Cannot find alias arn: {RESOURCE_ARN}hello:no"),
        (
            f"{RESOURCE_ARN}hello:a$LATESTb",
            404,
            "ResourceNotFoundException",
            "The resource you requested does not exist.",
        ),
        (
            "arn:aws:lambda:eu-west-1:{account}:function:hello",
            404,
            "ResourceNotFoundException",
            r"Functions from 'eu-west-1' are not reachable in this region \('us-east-1'\)",
        ),
        (
            "arn:aws:lambda:us-east-1:{account}:runtime/python",
            501,
            "InternalFailure",
            "Cumulet does not implement .*ResourcePolicy of lambda for runtimes yet.",
        ),
    ],
)
@pytest.mark.usefixtures("arn")
def test_a_resource_that_is_none_is_refused(
    cumulet: Cumulet, operation: str, resource: str, status: int, code: str, message: str
) -> None:
    client = cumulet.client("lambda", parameter_validation=False)
    members = {"ResourceArn": resource.format(account=cumulet.account)}
    if operation == "put":
        members["Policy"] = document(statement(members["ResourceArn"], Resource="*"))

    for _ in range(2):
        with pytest.raises(ClientError, match=message.format(account=cumulet.account)) as caught:
            getattr(client, f"{operation}_resource_policy")(**members)
        assert refused(caught)[0] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"Effect": None}, "a statement has no Effect"),
        ({"Principal": None}, "a statement has no Principal"),
        ({"Action": None}, "a statement has no Action"),
        ({"Resource": None}, "a statement has no Resource"),
        ({"Effect": "allow"}, "an Effect must be Allow or Deny"),
        ({"Sid": "a b"}, "a Sid must have letters, digits, - and _ only"),
        ({"Sid": 7}, "a Sid must be a string"),
        ({"Principal": "sns.amazonaws.com"}, r"a Principal must be \* or an object"),
        ({"Principal": {}}, r"a Principal must be \* or an object"),
        ({"Principal": {"Aws": "*"}}, "it has the unknown element Aws"),
        ({"Principal": {"AWS": []}}, "AWS must be a string, or a list of some"),
        ({"Principal": {"AWS": "sns.amazonaws.com"}}, "sns.amazonaws.com is no Principal of the kind AWS"),
        ({"Principal": {"Service": "*"}}, r"\* is no Principal of the kind Service"),
        ({"Action": "s3:GetObject"}, "an Action must be one of lambda"),
        ({"Action": ["lambda:InvokeFunction", 7]}, "Action must be a string, or a list of some"),
        ({"Resource": "arn:aws:lambda:us-east-1:1:function:other"}, "a Resource must be .*"),
        ({"Condition": []}, "a Condition must be .*"),
        ({"Condition": {"StringEquals": {}}}, "a Condition must be .*"),
        ({"Condition": {"Equals": {"a": "b"}}}, "Equals is no operator of a Condition"),
        ({"Condition": {"StringEquals": {"a": {}}}}, "a value of a Condition must be a string, a number or a boolean"),
        ({"Conditions": {}}, "it has the unknown element Conditions"),
    ],
)
def test_a_statement_that_breaks_the_grammar_is_refused(
    cumulet: Cumulet, arn: str, elements: dict[str, Any], reason: str
) -> None:
    kept = put(cumulet, arn, document(statement(arn)))["Policy"]

    for _ in range(2):
        with pytest.raises(ClientError, match=MALFORMED.format(reason)) as caught:
            put(cumulet, arn, document(statement(arn), statement(arn, **elements)))
        assert refused(caught)[0] == "InvalidParameterValueException"
    assert cumulet.client("lambda").get_resource_policy(ResourceArn=arn)["Policy"] == kept


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it is not JSON"),
        ("[]", "it is not an object with Statement"),
        ("{}", "it is not an object with Statement"),
        ('{"Statement": []}', "Statement must be an object, or a list of some"),
        ('{"Statement": [7]}', "Statement must be an object, or a list of some"),
        ('{"Statement": {}, "Version": "2024-01-01"}', "Version must be one of 2012-10-17, 2008-10-17"),
        ('{"Statement": {}, "Author": "me"}', "it has the unknown element Author"),
    ],
)
def test_a_document_that_is_none_is_refused(cumulet: Cumulet, arn: str, text: str, reason: str) -> None:
    with pytest.raises(ClientError) as caught:
        put(cumulet, arn, text)

    assert refused(caught) == ("InvalidParameterValueException", MALFORMED.format(reason))


def test_two_statements_do_not_have_one_sid(cumulet: Cumulet, arn: str) -> None:
    with pytest.raises(ClientError) as caught:
        put(cumulet, arn, document(statement(arn, Sid="a"), statement(arn, Sid="a")))

    assert refused(caught)[1] == MALFORMED.format("statements must have different Sids")


@pytest.mark.parametrize(
    "elements",
    [
        {"Effect": "Deny"},
        {"NotPrincipal": {"AWS": "123456789012"}, "Principal": None},
        {"NotAction": "lambda:InvokeFunction", "Action": None},
        {"NotResource": "*", "Resource": None},
        {"Condition": {"StringNotEquals": {"a": "b"}}},
        {"Condition": {"ForAnyValue:StringLike": {"a": "b"}}},
        {"Condition": {"NumericLessThan": {"a": 7}}},
        {"Condition": {"StringEquals": {"a": "${aws:username}"}}},
    ],
)
def test_all_elements_can_be_used(cumulet: Cumulet, arn: str, elements: dict[str, Any]) -> None:
    policy = put(cumulet, arn, document(statement(arn, **elements)))["Policy"]

    shown = json.loads(policy)["Statement"][0]
    assert {name: value for name, value in elements.items() if value is not None}.keys() <= shown.keys()


@pytest.mark.parametrize("kind", ["Federated", "CanonicalUser"])
def test_principals_that_there_are_none_of_are_refused_by_name(cumulet: Cumulet, arn: str, kind: str) -> None:
    with pytest.raises(ClientError) as caught:
        put(cumulet, arn, document(statement(arn, Principal={kind: "x"})))

    assert refused(caught) == (
        "InternalFailure",
        f"Cumulet does not implement the Principal {kind} of resource policies of lambda yet.",
    )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_latest_has_no_policy_of_its_own(cumulet: Cumulet, arn: str) -> None:
    with pytest.raises(ClientError) as caught:
        put(cumulet, f"{arn}:$LATEST", document(statement(arn)))

    assert refused(caught)[1] == "We currently do not support adding policies for $LATEST."


def test_a_policy_has_20480_bytes_at_the_most_as_it_is_shown(cumulet: Cumulet, arn: str) -> None:
    names = [f"{number:012}" for number in range(1200)]  # each becomes longer

    with pytest.raises(ClientError) as caught:
        put(cumulet, arn, document(statement(arn, Principal={"AWS": names})))

    assert refused(caught)[0] == "PolicyLengthExceededException"


def test_a_policy_does_not_outlive_its_function(cumulet: Cumulet, arn: str) -> None:
    put(cumulet, arn, document(statement(arn)))
    cumulet.client("lambda").delete_function(FunctionName="hello")

    create(cumulet, "hello")

    with pytest.raises(ClientError) as caught:
        cumulet.client("lambda").get_resource_policy(ResourceArn=arn)
    assert refused(caught)[0] == "ResourceNotFoundException"
