"""Lambda: operations on versions, aliases and policies refuse bad input in AWS's words, and change nothing."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create
from lambda_version_refusals import ALIAS, CASES, IDS, KNOWN, PERMISSION
from test_lambda_functions_bad_input import filled, refusal

from cumulet.testing import Cumulet

OWNERS: list[dict[str, str]] = [{}, {"Qualifier": "1"}, {"Qualifier": "2"}, {"Qualifier": "live"}]
WITHOUT_TYPE = ("$LATEST is not supported for an alias pointing to more than 1 version",)


@pytest.fixture
def sha256(cumulet: Cumulet) -> str:
    """Return the digest of a function that has something of everything."""
    client = cumulet.client("lambda")
    digest: str = create(cumulet, KNOWN, Publish=True)["CodeSha256"]
    client.update_function_configuration(FunctionName=KNOWN, Description="second")
    client.publish_version(FunctionName=KNOWN)
    client.create_alias(FunctionName=KNOWN, Name="live", FunctionVersion="1", Description="now")
    for owner in OWNERS:
        if owner != {"Qualifier": "2"}:
            client.add_permission(**{**PERMISSION, "StatementId": "first"}, **owner)
    return digest


def state(cumulet: Cumulet) -> Any:
    """Return all that a client can see of an account's versions, aliases and policies without changing it."""
    client = cumulet.client("lambda")
    policies = []
    for owner in OWNERS:
        try:
            found = client.get_policy(FunctionName=KNOWN, **owner)
            policies.append((found["Policy"], found["RevisionId"]))
        except ClientError as error:
            policies.append((error.response["Error"]["Code"], ""))
    return (
        client.list_functions(FunctionVersion="ALL")["Functions"],
        client.list_aliases(FunctionName=KNOWN)["Aliases"],
        policies,
        client.get_account_settings()["AccountUsage"],
    )


@pytest.mark.parametrize(("operation", "members", "status", "code", "message"), CASES, ids=IDS)
def test_bad_input_is_refused(
    cumulet: Cumulet, sha256: str, operation: str, members: dict[str, Any], status: int, code: str, message: str
) -> None:
    client = cumulet.client("lambda", parameter_validation=False)
    given = filled(members, cumulet.account)
    expected = filled(message, cumulet.account).replace("{sha256}", sha256)
    before = state(cumulet)

    answers = [refusal(client, operation, given) for _ in range(2)]

    has_type = hasattr(client.exceptions, code) and expected not in WITHOUT_TYPE
    assert answers == 2 * [(status, code, expected, "User" if has_type else None)]
    assert state(cumulet) == before


@pytest.mark.usefixtures("sha256")
def test_what_was_refused_can_be_done_rightly(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    refusal(client, "CreateAlias", {**ALIAS, "FunctionVersion": "7"})
    refusal(client, "AddPermission", {**PERMISSION, "Principal": "nobody"})
    refusal(client, "PublishVersion", {"FunctionName": KNOWN, "RevisionId": "other"})
    refusal(client, "DeleteFunction", {"FunctionName": KNOWN, "Qualifier": "1"})
    client.update_function_configuration(FunctionName=KNOWN, Timeout=7)

    client.create_alias(**ALIAS)
    client.add_permission(**PERMISSION)
    published = client.publish_version(FunctionName=KNOWN)
    client.delete_function(FunctionName=KNOWN, Qualifier="2")

    assert published["Version"] == "3"
    assert [alias["Name"] for alias in client.list_aliases(FunctionName=KNOWN)["Aliases"]] == ["live", "new"]


@pytest.mark.usefixtures("sha256")
def test_what_was_done_already_is_refused_or_the_same(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    client.create_alias(**ALIAS)
    client.add_permission(**PERMISSION)
    client.remove_permission(FunctionName=KNOWN, StatementId="first")
    client.delete_function(FunctionName=KNOWN, Qualifier="2")

    again = [
        refusal(client, "CreateAlias", ALIAS)[1],
        refusal(client, "AddPermission", PERMISSION)[1],
        refusal(client, "RemovePermission", {"FunctionName": KNOWN, "StatementId": "first"})[1],
    ]
    for operation in (client.delete_alias, client.delete_alias):
        operation(FunctionName=KNOWN, Name="new")
    client.delete_function(FunctionName=KNOWN, Qualifier="2")

    assert again == ["ResourceConflictException", "ResourceConflictException", "ResourceNotFoundException"]
