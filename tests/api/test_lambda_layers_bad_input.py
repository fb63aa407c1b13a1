"""Lambda: every operation on layers refuses bad input with AWS's code, status and text, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from lambda_functions import ROLE, SOURCE, create, zip_of
from lambda_layer_refusals import CASES, IDS
from lambda_layers import arn_of, publish
from lambda_table import filled, refusal

from cumulet.testing import Cumulet


@pytest.fixture
def layer(cumulet: Cumulet) -> dict[str, Any]:
    """Return PublishLayerVersion's answer about a layer that has something of everything."""
    published = publish(cumulet, CompatibleRuntimes=["python3.11"], LicenseInfo="MIT")
    cumulet.client("lambda").add_layer_version_permission(
        LayerName="tools", VersionNumber=1, StatementId="s1", Action="lambda:GetLayerVersion", Principal="*"
    )
    return published


def state(cumulet: Cumulet) -> Any:
    """Return all that a client can see of an account's layers without changing it."""
    client = cumulet.client("lambda")
    policy = client.get_layer_version_policy(LayerName="tools", VersionNumber=1)
    return (
        client.list_layers()["Layers"],
        client.list_layer_versions(LayerName="tools")["LayerVersions"],
        (policy["Policy"], policy["RevisionId"]),
        client.get_account_settings()["AccountUsage"],
    )


@pytest.mark.parametrize(("operation", "members", "status", "code", "message"), CASES, ids=IDS)
@pytest.mark.usefixtures("layer")
def test_bad_input_is_refused(
    cumulet: Cumulet, operation: str, members: dict[str, Any], status: int, code: str, message: str
) -> None:
    client = cumulet.client("lambda", parameter_validation=False)
    given, expected = filled(members, cumulet.account), filled(message, cumulet.account)
    before = state(cumulet)

    answers = [refusal(client, operation, given) for _ in range(2)]

    assert answers == 2 * [(status, code, expected)]
    assert state(cumulet) == before


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1), (1, 1)])
@pytest.mark.usefixtures("layer")
def test_a_function_has_one_version_of_a_layer(cumulet: Cumulet, numbers: tuple[int, int]) -> None:
    client = cumulet.client("lambda")
    publish(cumulet)
    arns = [arn_of(cumulet, number=number) for number in numbers]
    create(cumulet, "known", Layers=arns[:1])
    new = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler", "Code": {"ZipFile": zip_of({"a": SOURCE})}}

    answers = [
        refusal(client, "CreateFunction", {**new, "FunctionName": "new", "Layers": arns}),
        refusal(client, "UpdateFunctionConfiguration", {"FunctionName": "known", "Layers": arns}),
    ]

    message = (
        "Two different versions of the same layer are not allowed to be referenced in the same function. "
        f"{arns[0]} and {arns[1]} are versions of the same layer."
    )
    assert answers == 2 * [(400, "InvalidParameterValueException", message)]
    assert [function["Layers"][0]["Arn"] for function in client.list_functions()["Functions"]] == arns[:1]


@pytest.mark.usefixtures("layer")
def test_after_refusals_everything_goes_on(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda", parameter_validation=False)
    refusal(client, "PublishLayerVersion", {"LayerName": "tools", "Content": {"ZipFile": b"nothing"}})
    refusal(client, "RemoveLayerVersionPermission", {"LayerName": "tools", "VersionNumber": 1, "StatementId": "s2"})

    published = publish(cumulet)
    client.remove_layer_version_permission(LayerName="tools", VersionNumber=1, StatementId="s1")

    assert published["Version"] == 2
    answer = refusal(client, "GetLayerVersionPolicy", {"LayerName": "tools", "VersionNumber": 1})
    assert answer == (404, "ResourceNotFoundException", "No policy is associated with the given resource.")
