"""IAM: every operation refuses bad input with AWS's code, status and text, twice, and nothing has changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from iam_entities import LAMBDA_LOGS, PERMISSIONS, Iam, refusal
from iam_refusals import CASES, STATUSES

from cumulet.testing import Cumulet


@pytest.fixture
def iam(cumulet: Cumulet) -> Iam:
    """Return an account with a role that has policies, and a policy with two versions, asked without any checks."""
    iam = Iam(cumulet, parameter_validation=False)
    iam.role("worker", Tags=[{"Key": "a", "Value": "1"}])
    iam.client.put_role_policy(RoleName="worker", PolicyName="inline", PolicyDocument=json.dumps(PERMISSIONS))
    iam.client.attach_role_policy(RoleName="worker", PolicyArn=LAMBDA_LOGS)
    own = iam.policy("own", Tags=[{"Key": "a", "Value": "1"}])
    iam.client.create_policy_version(PolicyArn=own, PolicyDocument=json.dumps(PERMISSIONS))
    return iam


def state(iam: Iam) -> list[Any]:
    """Return all that a client can see."""
    client, own = iam.client, iam.arn("own")
    answers = [
        client.list_roles(),
        client.get_role(RoleName="worker"),
        client.list_role_policies(RoleName="worker"),
        client.list_attached_role_policies(RoleName="worker"),
        client.list_policies(Scope="Local"),
        client.get_policy(PolicyArn=own),
        client.list_policy_versions(PolicyArn=own),
    ]
    return [{name: value for name, value in answer.items() if name != "ResponseMetadata"} for answer in answers]


def filled(value: Any, iam: Iam) -> Any:
    """Return members with the world's ARNs put in."""
    if isinstance(value, dict):
        return {name: filled(item, iam) for name, item in value.items()}
    if isinstance(value, str):
        return value.replace("{own}", iam.arn("own")).replace("{gone}", iam.arn("team/gone"))
    return value


@pytest.mark.parametrize(
    ("operation", "members", "code", "message"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)]
)
def test_bad_input_is_refused(iam: Iam, operation: str, members: dict[str, Any], code: str, message: str) -> None:
    before = state(iam)

    found = refusal(getattr(iam.client, operation), **filled(members, iam))

    assert found == (code, STATUSES[code], filled(message, iam))
    assert state(iam) == before


def test_several_broken_constraints_are_told_at_once(iam: Iam) -> None:
    found = refusal(iam.client.create_role, RoleName="a b", AssumeRolePolicyDocument="{}", MaxSessionDuration=1)

    assert found[2] == (
        "2 validation errors detected: Value at 'roleName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\w+=,.@-]+; "
        "Value at 'maxSessionDuration' failed to satisfy constraint: "
        "Member must have value greater than or equal to 3600"
    )


def test_operation_that_is_missing_is_named(iam: Iam) -> None:
    code, status, message = refusal(iam.client.create_user, UserName="u")

    assert (code, status) == ("InternalFailure", 501)
    assert "CreateUser" in message
