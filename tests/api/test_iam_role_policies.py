"""IAM: what roles have: inline policies and attached ones."""

from __future__ import annotations

import json

import pytest
from iam_entities import (
    LAMBDA_LOGS,
    PERMISSIONS,
    Iam,
    pages,
    permissions,
    permissions_of_size,
    refusal,
    without_metadata,
)

from cumulet.testing import Cumulet

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture
def iam(cumulet: Cumulet) -> Iam:
    iam = Iam(cumulet)
    iam.role("Worker")
    return iam


def put(iam: Iam, name: str, document: str) -> None:
    iam.client.put_role_policy(RoleName="worker", PolicyName=name, PolicyDocument=document)


def attached(iam: Iam, role: str = "Worker") -> list[str]:
    answer = iam.client.list_attached_role_policies(RoleName=role)
    return [policy["PolicyArn"] for policy in answer["AttachedPolicies"]]


def test_inline_policy_is_put_replaced_and_deleted(iam: Iam) -> None:
    put(iam, "access", json.dumps(PERMISSIONS))
    put(iam, "access", json.dumps(permissions(Effect="Deny")))
    found = without_metadata(iam.client.get_role_policy(RoleName="worker", PolicyName="access"))
    listed = without_metadata(iam.client.list_role_policies(RoleName="worker"))
    iam.client.delete_role_policy(RoleName="worker", PolicyName="access")

    assert found == {"RoleName": "Worker", "PolicyName": "access", "PolicyDocument": permissions(Effect="Deny")}
    assert listed == {"PolicyNames": ["access"], "IsTruncated": False}
    for call in (iam.client.get_role_policy, iam.client.delete_role_policy):
        assert refusal(call, RoleName="worker", PolicyName="access") == (
            "NoSuchEntity",
            404,
            "The role policy with name access cannot be found.",
        )


def test_inline_policies_come_in_pages(iam: Iam) -> None:
    for name in ("c", "a", "b"):
        put(iam, name, json.dumps(PERMISSIONS))

    assert pages(iam.client.list_role_policies, "PolicyNames", RoleName="Worker", MaxItems=2) == [["a", "b"], ["c"]]


def test_inline_policies_of_a_role_share_10240_characters(iam: Iam) -> None:
    put(iam, "big", permissions_of_size(10_000))
    put(iam, "small", permissions_of_size(240))

    refused = refusal(put, iam=iam, name="small", document=permissions_of_size(241))
    put(iam, "big", permissions_of_size(9_999))
    put(iam, "small", permissions_of_size(241))

    assert refused == ("LimitExceeded", 409, "Maximum policy size of 10240 bytes exceeded for role Worker")
    found = iam.client.get_role_policy(RoleName="worker", PolicyName="small")["PolicyDocument"]
    assert found == json.loads(permissions_of_size(241))


def test_policies_of_the_account_and_of_aws_are_attached(iam: Iam) -> None:
    own = iam.policy("own", Path="/team/")

    for arn in (LAMBDA_LOGS, own, LAMBDA_LOGS):
        iam.client.attach_role_policy(RoleName="worker", PolicyArn=arn)

    assert without_metadata(iam.client.list_attached_role_policies(RoleName="Worker")) == {
        "AttachedPolicies": [
            {"PolicyName": "own", "PolicyArn": own},
            {"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": LAMBDA_LOGS},
        ],
        "IsTruncated": False,
    }
    assert iam.client.get_policy(PolicyArn=own)["Policy"]["AttachmentCount"] == 1
    assert iam.client.get_policy(PolicyArn=LAMBDA_LOGS)["Policy"]["AttachmentCount"] == 1


def test_attached_policies_are_filtered_by_path_and_paged(iam: Iam) -> None:
    own = iam.policy("own", Path="/team/")
    for arn in (ADMINISTRATOR, LAMBDA_LOGS, own):
        iam.client.attach_role_policy(RoleName="worker", PolicyArn=arn)

    filtered = iam.client.list_attached_role_policies(RoleName="worker", PathPrefix="/service-role/")
    paged = pages(iam.client.list_attached_role_policies, "AttachedPolicies", RoleName="worker", MaxItems=2)

    assert [policy["PolicyArn"] for policy in filtered["AttachedPolicies"]] == [LAMBDA_LOGS]
    assert [[policy["PolicyArn"] for policy in page] for page in paged] == [[own, ADMINISTRATOR], [LAMBDA_LOGS]]


def test_policy_is_detached_once(iam: Iam) -> None:
    iam.client.attach_role_policy(RoleName="worker", PolicyArn=LAMBDA_LOGS)

    iam.client.detach_role_policy(RoleName="worker", PolicyArn=LAMBDA_LOGS)

    assert attached(iam) == []
    assert refusal(iam.client.detach_role_policy, RoleName="worker", PolicyArn=LAMBDA_LOGS) == (
        "NoSuchEntity",
        404,
        f"Policy {LAMBDA_LOGS} was not found.",
    )


def test_role_has_at_most_ten_managed_policies(iam: Iam) -> None:
    arns = [iam.policy(f"p{number}") for number in range(11)]
    for arn in arns[:10]:
        iam.client.attach_role_policy(RoleName="worker", PolicyArn=arn)

    refused = refusal(iam.client.attach_role_policy, RoleName="worker", PolicyArn=arns[10])
    iam.client.attach_role_policy(RoleName="worker", PolicyArn=arns[0])

    assert refused == ("LimitExceeded", 409, "Cannot exceed quota for PoliciesPerRole: 10")
    assert attached(iam) == sorted(arns[:10])


def test_policy_of_another_account_is_not_attachable(cumulet: Cumulet, iam: Iam) -> None:
    other = Iam(cumulet.as_account("888888888888"))
    arn = other.policy(f"of-{cumulet.account}")

    refused = refusal(iam.client.attach_role_policy, RoleName="worker", PolicyArn=arn)

    assert refused == ("NoSuchEntity", 404, f"Policy {arn} does not exist or is not attachable.")
    assert attached(iam) == []


def test_entities_are_the_roles_that_use_a_policy(iam: Iam) -> None:
    arn = iam.policy("shared")
    bound = iam.role("bound", Path="/limits/", PermissionsBoundary=arn)
    iam.client.attach_role_policy(RoleName="worker", PolicyArn=arn)
    worker = iam.client.get_role(RoleName="worker")["Role"]
    iam.role("unrelated")

    def entities(**members: str) -> list[tuple[str, str]]:
        answer = iam.client.list_entities_for_policy(PolicyArn=arn, **members)
        assert (answer["PolicyGroups"], answer["PolicyUsers"], answer["IsTruncated"]) == ([], [], False)
        return [(role["RoleName"], role["RoleId"]) for role in answer["PolicyRoles"]]

    both = [("bound", bound["RoleId"]), ("Worker", worker["RoleId"])]
    assert entities() == entities(EntityFilter="Role") == both
    assert entities(PolicyUsageFilter="PermissionsPolicy") == both[1:]
    assert entities(PolicyUsageFilter="PermissionsBoundary") == entities(PathPrefix="/limits/") == both[:1]
    assert entities(EntityFilter="User") == entities(EntityFilter="LocalManagedPolicy") == []
    paged = pages(iam.client.list_entities_for_policy, "PolicyRoles", PolicyArn=arn, MaxItems=1)
    assert [[role["RoleName"] for role in page] for page in paged] == [["bound"], ["Worker"]]
