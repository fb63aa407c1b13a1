"""IAM: roles and policies to test with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cumulet.testing import Cumulet

LAMBDA_LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
PERMISSIONS: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:*:*:orders"}],
}


def permissions(**members: Any) -> dict[str, Any]:
    """Return a policy document whose one statement has other members; None removes one."""
    statement = {**PERMISSIONS["Statement"][0], **members}
    kept = {name: value for name, value in statement.items() if value is not None}
    return {"Version": "2012-10-17", "Statement": [kept]}


def permissions_of_size(characters: int) -> str:
    """Return a policy document of that many characters, and white space, which doesn't count."""
    text = json.dumps(permissions(Sid=""), separators=(",", ":"))
    return text.replace('"Sid":""', f'"Sid":"{"x" * (characters - len(text))}"\n\t ')


class Iam:
    """A client of a fresh account, and makers of what most tests need."""

    def __init__(self, cumulet: Cumulet, **config: Any) -> None:
        self.account = cumulet.account
        self.client = cumulet.client("iam", **config)

    def role(self, name: str = "role", **members: Any) -> dict[str, Any]:
        """Make a role."""
        made: dict[str, Any] = self.client.create_role(
            **{"RoleName": name, "AssumeRolePolicyDocument": json.dumps(TRUST), **members}
        )["Role"]
        return made

    def policy(self, name: str = "policy", **members: Any) -> str:
        """Make a managed policy and return its ARN."""
        made: str = self.client.create_policy(
            **{"PolicyName": name, "PolicyDocument": json.dumps(PERMISSIONS), **members}
        )["Policy"]["Arn"]
        return made

    def arn(self, policy: str) -> str:
        """Return the ARN that a policy of the account has or would have."""
        return f"arn:aws:iam::{self.account}:policy/{policy}"


def refusal(call: Callable[..., Any], **members: Any) -> tuple[str, int, str]:
    """Return code, status and message of the error that a call is answered with, the same twice in a row."""
    found = []
    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            call(**members)
        error = refused.value.response["Error"]
        found.append((error["Code"], refused.value.response["ResponseMetadata"]["HTTPStatusCode"], error["Message"]))
    assert found[0] == found[1]
    return found[0]


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer's own members."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def pages(list_page: Callable[..., dict[str, Any]], member: str, **members: Any) -> list[list[Any]]:
    """Return what each page of a list shows, asking with the Marker of the one before."""
    found = []
    answer = list_page(**members)
    while True:
        found.append(answer[member])
        if not answer["IsTruncated"]:
            assert "Marker" not in answer
            return found
        answer = list_page(**members, Marker=answer["Marker"])
