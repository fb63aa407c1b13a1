"""Execution roles: any will do in open mode; in enforce mode they must exist and trust Lambda."""

from __future__ import annotations

import configparser
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from lambda_functions import SOURCE, create, zip_of

from cumulet.testing import Cumulet

REFUSAL = "The role defined for the function cannot be assumed by Lambda."


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[boto3.Session]:
    """A session with the root key of a server that checks signatures; its clients need `endpoint_url`."""
    folder: Path = tmp_path_factory.mktemp("enforcing") / "data"
    with Cumulet(folder, auth="enforce") as server:
        credentials = configparser.ConfigParser()
        credentials.read(folder / "root-credentials")
        session = boto3.Session(**credentials["default"], region_name="us-east-1")
        session.url = server.url
        yield session


def role(session: Any, name: str, service: str, effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = session.client("iam", endpoint_url=session.url)
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    return arn


def make(session: Any, name: str, role_arn: str) -> Any:
    client = session.client("lambda", endpoint_url=session.url)
    return client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="app.handler",
        Role=role_arn,
        Code={"ZipFile": zip_of({"app.py": SOURCE})},
    )


def test_in_open_mode_a_role_need_not_exist(cumulet: Cumulet) -> None:
    made = create(cumulet, Role="arn:aws:iam::123456789012:role/nobodys")

    assert made["Role"] == "arn:aws:iam::123456789012:role/nobodys"


def test_a_role_that_trusts_lambda_will_do(enforcing: boto3.Session) -> None:
    arn = role(enforcing, "trusting", "lambda.amazonaws.com")

    assert make(enforcing, "works", arn)["Role"] == arn
    client = enforcing.client("lambda", endpoint_url=enforcing.url)
    assert client.invoke(FunctionName="works", Payload=b"1")["Payload"].read() == b"1"


@pytest.mark.parametrize("kind", ["missing", "of another service", "denying", "of another path"])
def test_a_role_that_lambda_can_not_assume_is_refused(enforcing: boto3.Session, kind: str) -> None:
    name = kind.replace(" ", "-")
    arn = "arn:aws:iam::000000000000:role/nobodys"
    if kind == "of another service":
        arn = role(enforcing, name, "ec2.amazonaws.com")
    elif kind == "denying":
        arn = role(enforcing, name, "lambda.amazonaws.com", effect="Deny")
    elif kind == "of another path":
        arn = role(enforcing, name, "lambda.amazonaws.com").replace("role/", "role/path/")

    with pytest.raises(ClientError) as caught:
        make(enforcing, name, arn)

    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("InvalidParameterValueException", REFUSAL)
    client = enforcing.client("lambda", endpoint_url=enforcing.url)
    assert name not in [function["FunctionName"] for function in client.list_functions()["Functions"]]


def test_a_function_keeps_its_role_when_another_is_refused(enforcing: boto3.Session) -> None:
    arn = role(enforcing, "first", "lambda.amazonaws.com")
    make(enforcing, "keeps", arn)
    client = enforcing.client("lambda", endpoint_url=enforcing.url)

    with pytest.raises(ClientError) as caught:
        client.update_function_configuration(FunctionName="keeps", Role="arn:aws:iam::000000000000:role/nobodys")

    assert caught.value.response["Error"]["Message"] == REFUSAL
    assert client.get_function_configuration(FunctionName="keeps")["Role"] == arn
