"""Resource policies of functions: which statements AddPermission makes, and what they let whom do."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cumulet.kernel.errors import AwsError
from cumulet.policies import Asker, Decision
from cumulet.services.lambda_ import policies, policy_documents
from cumulet.services.lambda_.policies import Statement

RESOURCE = "arn:aws:lambda:us-east-1:111111111111:function:hello"
TOPIC = "arn:aws:sns:us-east-1:222222222222:orders"
SNS_FOR_TOPIC = Asker(service="sns.amazonaws.com", facts={"aws:sourcearn": TOPIC, "aws:sourceaccount": "222222222222"})


def allows(policy: policies.Policy, action: str, asker: Asker) -> bool:
    return policies.compiled(policy).decision(action, RESOURCE, asker) is Decision.ALLOWED


def statement(region: str = "us-east-1", **members: Any) -> Statement:
    given = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com", **members}
    return policies.statement(given, region, RESOURCE)


@pytest.mark.parametrize(
    ("principal", "region", "written"),
    [
        ("*", "us-east-1", "*"),
        ("sns.amazonaws.com", "us-east-1", {"Service": "sns.amazonaws.com"}),
        ("alexa-appkit.amazon.com", "us-east-1", {"Service": "alexa-appkit.amazon.com"}),
        ("logs.eu-west-1.amazonaws.com", "us-east-1", {"Service": "logs.eu-west-1.amazonaws.com"}),
        ("222222222222", "us-east-1", {"AWS": "arn:aws:iam::222222222222:root"}),
        ("222222222222", "cn-north-1", {"AWS": "arn:aws-cn:iam::222222222222:root"}),
        ("arn:aws:iam::222222222222:role/r", "us-east-1", {"AWS": "arn:aws:iam::222222222222:role/r"}),
    ],
)
def test_a_principal_is_written_by_its_kind(principal: str, region: str, written: object) -> None:
    assert statement(region, Principal=principal)["Principal"] == written


@pytest.mark.parametrize(
    "principal", ["sns", "22222222222", "arn:aws:s3:::bucket", "arn:aws:iam::2:root", "evil.com", ".amazonaws.com"]
)
def test_no_other_principal_is_taken(principal: str) -> None:
    with pytest.raises(AwsError, match="The provided principal was invalid"):
        statement(Principal=principal)


def test_conditions_are_written_as_lambda_does() -> None:
    made = statement(
        Action="lambda:InvokeFunctionUrl",
        SourceArn=TOPIC,
        SourceAccount="222222222222",
        EventSourceToken="token",
        PrincipalOrgID="o-1234567890",
        FunctionUrlAuthType="NONE",
        InvokedViaFunctionUrl=True,
    )

    assert list(made) == ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"]
    assert made["Condition"] == {
        "StringEquals": {
            "AWS:SourceAccount": "222222222222",
            "lambda:FunctionUrlAuthType": "NONE",
            "lambda:EventSourceToken": "token",
            "aws:PrincipalOrgID": "o-1234567890",
        },
        "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
        "ArnLike": {"AWS:SourceArn": TOPIC},
    }
    assert "Condition" not in statement()


@pytest.mark.parametrize(
    ("members", "is_allowed"),
    [
        ({}, True),
        ({"Principal": "*"}, True),
        ({"Principal": "s3.amazonaws.com"}, False),
        ({"Principal": "222222222222"}, False),
        ({"Action": "lambda:*"}, True),
        ({"Action": "*"}, True),
        ({"Action": "lambda:GetFunction"}, False),
        ({"SourceArn": TOPIC}, True),
        ({"SourceArn": "arn:aws:sns:us-east-1:222222222222:*"}, True),
        ({"SourceArn": "arn:aws:sns:*:*:ord?rs"}, True),
        ({"SourceArn": "arn:aws:sns:us-east-1:222222222222:order"}, False),
        ({"SourceArn": "arn:aws:*:orders"}, False),
        ({"SourceArn": "arn:aws:sns:us-east-1:222222222222:[o]rders"}, False),
        ({"SourceAccount": "222222222222"}, True),
        ({"SourceAccount": "333333333333"}, False),
        ({"SourceArn": TOPIC, "SourceAccount": "333333333333"}, False),
        ({"PrincipalOrgID": "o-1234567890"}, False),
        ({"EventSourceToken": "token"}, False),
    ],
)
def test_a_service_may_invoke_for_its_resource_if_a_statement_fits(members: dict[str, Any], is_allowed: bool) -> None:
    assert allows([statement(**members)], "lambda:InvokeFunction", SNS_FOR_TOPIC) is is_allowed


def test_conditions_on_what_is_not_known_do_not_hold() -> None:
    policy = [statement(SourceArn="*:*:*:*:*:*"), statement(SourceAccount="222222222222")]

    assert not allows(policy, "lambda:InvokeFunction", Asker(service="sns.amazonaws.com"))
    assert not allows([], "lambda:InvokeFunction", SNS_FOR_TOPIC)


ROLE = "arn:aws:iam::222222222222:role/path/reader"


@pytest.mark.parametrize(
    ("principal", "account", "arn", "is_allowed"),
    [
        ("222222222222", "222222222222", "arn:aws:iam::222222222222:root", True),
        ("222222222222", "222222222222", "arn:aws:sts::222222222222:assumed-role/reader/me", True),
        ("222222222222", "333333333333", "arn:aws:iam::333333333333:root", False),
        (ROLE, "222222222222", "arn:aws:sts::222222222222:assumed-role/reader/me", True),
        (ROLE, "222222222222", "arn:aws:sts::222222222222:assumed-role/writer/me", False),
        (ROLE, "222222222222", ROLE, True),
        (ROLE, "222222222222", "arn:aws:iam::222222222222:root", False),
        ("*", "333333333333", "arn:aws:iam::333333333333:root", True),
        ("sns.amazonaws.com", "222222222222", "arn:aws:iam::222222222222:root", False),
    ],
)
def test_a_principal_of_an_account_is_allowed_what_is_said_of_it(
    principal: str, account: str, arn: str, is_allowed: bool
) -> None:
    policy = [statement(Principal=principal)]

    assert allows(policy, "lambda:InvokeFunction", Asker(account=account, arn=arn)) is is_allowed


@pytest.mark.parametrize(
    ("elements", "is_allowed"),
    [
        ({}, True),
        ({"Principal": {"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]}}, True),
        ({"Principal": {"Service": ["s3.amazonaws.com"], "AWS": "222222222222"}}, False),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Action": ["lambda:GetFunction", "lambda:invoke*"]}, True),
        ({"Action": "lambda:Invoke"}, False),
        ({"Action": "Lambda:InvokeFunctio?"}, True),
        ({"Resource": "*"}, True),
        ({"Condition": {"StringEquals": {"AWS:SourceAccount": ["333333333333", "222222222222"]}}}, True),
        ({"Condition": {"StringEquals": {"AWS:SourceAccount": ["333333333333"]}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": []}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "2*"}}}, False),
        ({"Condition": {"StringLike": {"aws:SourceAccount": "2*"}}}, True),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:*:orders"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": TOPIC}, "Bool": {"aws:SecureTransport": True}}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "333333333333"}}}, True),
        ({"Condition": {"ForAnyValue:StringLike": {"aws:SourceAccount": "2*"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:${aws:SourceAccount}:*"}}}, True),
    ],
)
def test_a_whole_policy_lets_a_service_do_what_a_statement_of_it_says(
    elements: dict[str, Any], *, is_allowed: bool
) -> None:
    given = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": RESOURCE, **elements}
    text = orjson.dumps({"Statement": [given]}).decode()
    policy = policy_documents.statements(text, "us-east-1", RESOURCE)

    assert allows(policy, "lambda:InvokeFunction", SNS_FOR_TOPIC) is is_allowed
