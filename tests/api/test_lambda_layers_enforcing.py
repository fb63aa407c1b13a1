"""Layers of other accounts where signatures are checked: they can be used as far as their owner permits it."""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from lambda_functions import SOURCE, zip_of
from lambda_layers import publish
from lambda_table import refusal

from cumulet.testing import Cumulet

OWNER = "111122223333"
OWN = "000000000000"
LAYERS = {
    "for-all": {"Principal": "*"},
    "for-us": {"Principal": OWN},
    "for-us-by-arn": {"Principal": f"arn:aws:iam::{OWN}:root"},
    "for-others": {"Principal": "444455556666"},
    "for-an-organization": {"Principal": "*", "OrganizationId": "o-abcdefghij"},
    "for-none": None,
}
PERMITTED = ["for-all", "for-us", "for-us-by-arn"]
FORBIDDEN = [name for name in [*LAYERS, "unknown"] if name not in PERMITTED]
ROLE = f"arn:aws:iam::{OWN}:role/worker"
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, '
    '"Action": "sts:AssumeRole"}]}'
)


def arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:{OWNER}:layer:{name}:1"


def denied(name: str, operation: str = "GetLayerVersion", resource: str | None = None) -> tuple[int, str, str]:
    message = (
        f"User: arn:aws:iam::{OWN}:root is not authorized to perform: lambda:{operation} on resource: "
        f"{resource or arn(name)} because no resource-based policy allows the lambda:{operation} action"
    )
    return 403, "AccessDeniedException", message


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a client of a server that checks signatures, which has layers of another account."""
    data = tmp_path_factory.mktemp("layers") / "data"
    with Cumulet(data) as server:
        owner = server.as_account(OWNER)
        for name, permission in LAYERS.items():
            publish(owner, name)
            if permission is not None:
                owner.client("lambda").add_layer_version_permission(
                    LayerName=name,
                    VersionNumber=1,
                    StatementId="s1",
                    Action="lambda:GetLayerVersion",
                    **permission,
                )
        server.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST)
    with Cumulet(data, auth="enforce") as server:
        credentials = configparser.ConfigParser()
        credentials.read(server.folder / "root-credentials")
        key, secret = credentials["default"].values()
        yield boto3.Session().client(
            "lambda",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 0}),
        )


def creation(name: str, layer: str) -> dict[str, Any]:
    return {
        "FunctionName": name,
        "Runtime": "python3.11",
        "Role": ROLE,
        "Handler": "app.handler",
        "Code": {"ZipFile": zip_of({"app.py": SOURCE})},
        "Layers": [arn(layer)],
    }


@pytest.mark.parametrize("layer", PERMITTED)
def test_what_is_permitted_can_be_used(client: Any, layer: str) -> None:
    created = client.create_function(**creation(f"with-{layer}", layer))

    assert created["Layers"][0]["Arn"] == arn(layer)
    assert client.get_layer_version_by_arn(Arn=arn(layer))["LayerVersionArn"] == arn(layer)
    by_number = client.get_layer_version(LayerName=arn(layer).removesuffix(":1"), VersionNumber=1)
    assert by_number["LayerVersionArn"] == arn(layer)


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_what_is_not_permitted_is_refused_if_it_exists_or_not(client: Any, layer: str) -> None:
    answers = [
        refusal(client, "CreateFunction", creation("new", layer)),
        refusal(client, "GetLayerVersionByArn", {"Arn": arn(layer)}),
        refusal(client, "GetLayerVersion", {"LayerName": arn(layer).removesuffix(":1"), "VersionNumber": 1}),
    ]

    assert answers == 3 * [denied(layer)]
    assert "new" not in [function["FunctionName"] for function in client.list_functions()["Functions"]]


def test_a_permission_to_use_is_none_to_change(client: Any) -> None:
    layer = arn("for-all").removesuffix(":1")
    version = {"LayerName": layer, "VersionNumber": 1}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("PublishLayerVersion", {"LayerName": layer, "Content": {"ZipFile": zip_of({"a": "b"})}}),
        ("ListLayerVersions", {"LayerName": layer}),
        ("DeleteLayerVersion", version),
        ("GetLayerVersionPolicy", version),
        (
            "AddLayerVersionPermission",
            {**version, "StatementId": "s2", "Action": "lambda:GetLayerVersion", "Principal": "*"},
        ),
        ("RemoveLayerVersionPermission", {**version, "StatementId": "s1"}),
    ]

    answers = [refusal(client, operation, members) for operation, members in asked]

    assert answers == [denied("for-all", operation, layer) for operation, _ in asked]
    assert client.get_layer_version_by_arn(Arn=arn("for-all"))["Version"] == 1
