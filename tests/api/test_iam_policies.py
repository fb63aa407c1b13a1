"""IAM: managed policies of the account and of AWS, their versions and tags."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

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

TEMPLATES_NAME = [
    "service-role/AWSLambdaBasicExecutionRole",
    "service-role/AWSLambdaVPCAccessExecutionRole",
    "service-role/AWSLambdaSQSQueueExecutionRole",
    "service-role/AWSLambdaDynamoDBExecutionRole",
    "service-role/AWSLambdaKinesisExecutionRole",
    "service-role/AWSLambdaRole",
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    "AWSLambda_FullAccess",
    "AWSLambda_ReadOnlyAccess",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
    "AmazonSQSFullAccess",
    "AmazonSNSFullAccess",
    "AmazonDynamoDBFullAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "CloudWatchLogsFullAccess",
    "CloudWatchFullAccess",
    "AmazonEventBridgeFullAccess",
    "AWSStepFunctionsFullAccess",
    "CloudWatchLambdaInsightsExecutionRolePolicy",
    "AdministratorAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
]


@pytest.fixture
def iam(cumulet: Cumulet) -> Iam:
    return Iam(cumulet)


def tags(**pairs: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def names(answer: dict[str, Any]) -> list[str]:
    return [policy["PolicyName"] for policy in answer["Policies"]]


def add_version(iam: Iam, arn: str, document: dict[str, Any] = PERMISSIONS, **members: Any) -> dict[str, Any]:
    added: dict[str, Any] = iam.client.create_policy_version(
        PolicyArn=arn, PolicyDocument=json.dumps(document), **members
    )["PolicyVersion"]
    return added


def versions(iam: Iam, arn: str) -> list[tuple[str, bool]]:
    """Return ids, and whether each is the default."""
    listed = iam.client.list_policy_versions(PolicyArn=arn)["Versions"]
    return [(version["VersionId"], version["IsDefaultVersion"]) for version in listed]


def test_policy_is_answered_as_it_was_created(cumulet: Cumulet, iam: Iam) -> None:
    made = iam.client.create_policy(
        PolicyName="Access",
        Path="/team/",
        PolicyDocument=json.dumps(PERMISSIONS),
        Description="what for",
        Tags=tags(b="1", a=""),
    )["Policy"]
    found = iam.client.get_policy(PolicyArn=made["Arn"])["Policy"]

    now = datetime.fromtimestamp(cumulet.now_ms() // 1000, UTC)
    assert made == {
        "PolicyName": "Access",
        "PolicyId": made["PolicyId"],
        "Arn": f"arn:aws:iam::{cumulet.account}:policy/team/Access",
        "Path": "/team/",
        "DefaultVersionId": "v1",
        "AttachmentCount": 0,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": now,
        "UpdateDate": now,
        "Tags": tags(b="1", a=""),
    }
    assert found == {**made, "Description": "what for"}
    assert re.fullmatch(r"ANPA[A-Z2-7]{17}", made["PolicyId"])


def test_names_are_not_distinguished_by_case_or_path(iam: Iam) -> None:
    iam.policy("Access", Path="/a/")

    assert refusal(iam.policy, name="access", Path="/b/") == (
        "EntityAlreadyExists",
        409,
        "A policy called access already exists. Duplicate names are not allowed.",
    )


def test_arn_is_distinguished_by_case_and_path(iam: Iam) -> None:
    iam.policy("Access", Path="/a/")

    for policy in ("a/access", "Access", "A/Access"):
        assert refusal(iam.client.get_policy, PolicyArn=iam.arn(policy)) == (
            "NoSuchEntity",
            404,
            f"Policy {iam.arn(policy)} was not found.",
        )


def test_deleted_policy_is_gone_with_its_document(iam: Iam) -> None:
    arn = iam.policy("access")
    iam.client.delete_policy(PolicyArn=arn)
    gone = refusal(iam.client.delete_policy, PolicyArn=arn)
    iam.policy("access", PolicyDocument=json.dumps(permissions(Effect="Deny")))

    assert gone == ("NoSuchEntity", 404, f"Policy {arn} was not found.")
    document = iam.client.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    assert document == permissions(Effect="Deny")


@pytest.mark.parametrize("use", ["attached", "boundary"])
def test_policy_in_use_is_not_deleted(iam: Iam, use: str) -> None:
    arn = iam.policy("access")
    iam.role("worker", **({"PermissionsBoundary": arn} if use == "boundary" else {}))
    if use == "attached":
        iam.client.attach_role_policy(RoleName="worker", PolicyArn=arn)

    assert refusal(iam.client.delete_policy, PolicyArn=arn) == (
        "DeleteConflict",
        409,
        "Cannot delete a policy attached to entities.",
    )
    assert iam.client.get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn


def test_policy_with_other_versions_is_not_deleted(iam: Iam) -> None:
    arn = iam.policy("access")
    add_version(iam, arn)

    refused = refusal(iam.client.delete_policy, PolicyArn=arn)
    iam.client.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.client.delete_policy(PolicyArn=arn)

    assert refused == (
        "DeleteConflict",
        409,
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
        "The default version is deleted with the policy.",
    )
    assert names(iam.client.list_policies(Scope="Local")) == []


def test_versions_are_added_and_one_is_the_default(cumulet: Cumulet, iam: Iam) -> None:
    arn = iam.policy("access")
    cumulet.advance(hours=1)
    second = add_version(iam, arn, permissions(Effect="Deny"), SetAsDefault=True)
    third = add_version(iam, arn)

    found = iam.client.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]
    policy = iam.client.get_policy(PolicyArn=arn)["Policy"]

    now = datetime.fromtimestamp(cumulet.now_ms() // 1000, UTC)
    assert second == {"VersionId": "v2", "IsDefaultVersion": True, "CreateDate": now}
    assert third == {"VersionId": "v3", "IsDefaultVersion": False, "CreateDate": now}
    assert found == {**second, "Document": permissions(Effect="Deny")}
    assert versions(iam, arn) == [("v3", False), ("v2", True), ("v1", False)]
    assert (policy["DefaultVersionId"], policy["UpdateDate"]) == ("v2", now)
    assert (policy["UpdateDate"] - policy["CreateDate"]).total_seconds() == 3600


def test_default_version_is_chosen_and_kept(iam: Iam) -> None:
    arn = iam.policy("access")
    add_version(iam, arn, SetAsDefault=True)

    for _ in range(2):
        iam.client.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    refused = refusal(iam.client.delete_policy_version, PolicyArn=arn, VersionId="v1")

    assert refused == ("DeleteConflict", 409, "Cannot delete the default version of a policy.")
    assert versions(iam, arn) == [("v2", False), ("v1", True)]


def test_policy_has_at_most_five_versions_and_numbers_are_not_used_again(iam: Iam) -> None:
    arn = iam.policy("access")
    for _ in range(4):
        add_version(iam, arn)

    refused = refusal(add_version, iam=iam, arn=arn)
    iam.client.delete_policy_version(PolicyArn=arn, VersionId="v5")
    sixth = add_version(iam, arn)

    assert refused == (
        "LimitExceeded",
        409,
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
        "version.",
    )
    assert sixth["VersionId"] == "v6"
    assert [version for version, _ in versions(iam, arn)] == ["v6", "v4", "v3", "v2", "v1"]
    paged = pages(iam.client.list_policy_versions, "Versions", PolicyArn=arn, MaxItems=3)
    assert [[version["VersionId"] for version in page] for page in paged] == [["v6", "v4", "v3"], ["v2", "v1"]]


def test_document_has_at_most_6144_characters_without_white_space(iam: Iam) -> None:
    arn = iam.policy("access", PolicyDocument=permissions_of_size(6_144))

    too_long = permissions_of_size(6_145)
    message = ("LimitExceeded", 409, "Cannot exceed quota for PolicySize: 6144")
    assert refusal(iam.policy, name="other", PolicyDocument=too_long) == message
    assert refusal(iam.client.create_policy_version, PolicyArn=arn, PolicyDocument=too_long) == message
    assert names(iam.client.list_policies(Scope="Local")) == ["access"]
    assert versions(iam, arn) == [("v1", True)]


@pytest.mark.parametrize("policy", TEMPLATES_NAME)
def test_policies_of_aws_that_templates_name_exist(iam: Iam, policy: str) -> None:
    arn = f"arn:aws:iam::aws:policy/{policy}"
    iam.role("worker")

    found = iam.client.get_policy(PolicyArn=arn)["Policy"]
    version = iam.client.get_policy_version(PolicyArn=arn, VersionId=found["DefaultVersionId"])["PolicyVersion"]
    iam.client.attach_role_policy(RoleName="worker", PolicyArn=arn)

    path, _, name = f"/{policy}".rpartition("/")
    assert (found["Arn"], found["PolicyName"], found["Path"]) == (arn, name, f"{path}/")
    assert re.fullmatch(r"ANPA[A-Z2-7]{17}", found["PolicyId"])
    assert (found["AttachmentCount"], found["Tags"]) == (0, [])
    assert version["Document"]["Version"] == "2012-10-17"
    assert all(statement["Effect"] in ("Allow", "Deny") for statement in version["Document"]["Statement"])
    assert versions(iam, arn) == [(found["DefaultVersionId"], True)]


def test_basic_execution_role_allows_logging(iam: Iam) -> None:
    version = iam.client.get_policy_version(PolicyArn=LAMBDA_LOGS, VersionId="v1")["PolicyVersion"]

    [statement] = version["Document"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "*",
    }


def test_policies_of_aws_have_the_partition_of_the_client(cumulet: Cumulet) -> None:
    china = cumulet.client("iam", region="cn-north-1")

    found = china.get_policy(PolicyArn=LAMBDA_LOGS.replace("arn:aws:", "arn:aws-cn:"))["Policy"]

    assert found["Arn"].startswith("arn:aws-cn:iam::aws:policy/service-role/")


def test_policies_of_aws_are_not_to_be_changed(cumulet: Cumulet, iam: Iam) -> None:
    document = json.dumps(PERMISSIONS)
    arn = {"PolicyArn": LAMBDA_LOGS}

    for operation, members in {
        "DeletePolicy": {},
        "CreatePolicyVersion": {"PolicyDocument": document},
        "DeletePolicyVersion": {"VersionId": "v1"},
        "SetDefaultPolicyVersion": {"VersionId": "v1"},
        "TagPolicy": {"Tags": tags(a="1")},
        "UntagPolicy": {"TagKeys": ["a"]},
    }.items():
        call = getattr(iam.client, re.sub(r"(?<!^)([A-Z])", r"_\1", operation).lower())
        assert refusal(call, **arn, **members) == (
            "AccessDenied",
            403,
            f"User: arn:aws:iam::{cumulet.account}:root is not authorized to perform: iam:{operation} on resource: "
            f"policy {LAMBDA_LOGS}",
        )


def test_list_shows_the_accounts_policies_before_those_of_aws(iam: Iam) -> None:
    for name in ("b", "A"):
        iam.policy(name, Description=name, Tags=tags(a="1"))

    every = names(iam.client.list_policies(MaxItems=1000))
    local = iam.client.list_policies(Scope="Local")
    of_aws = iam.client.list_policies(Scope="AWS", MaxItems=1000)

    assert every == ["A", "b", *names(of_aws)]
    assert names(local) == ["A", "b"]
    assert not {"Description", "Tags"} & local["Policies"][0].keys()
    assert names(of_aws)[:3] == ["AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess"]
    assert {arn.rpartition("policy/")[2] for arn in [policy["Arn"] for policy in of_aws["Policies"]]} > {
        *TEMPLATES_NAME
    }


def test_list_comes_in_pages_across_the_border(iam: Iam) -> None:
    for number in range(5):
        iam.policy(f"p{number}")
    every = names(iam.client.list_policies(MaxItems=1000))

    paged = pages(iam.client.list_policies, "Policies", MaxItems=4)

    assert [policy["PolicyName"] for page in paged for policy in page] == every
    assert {len(page) for page in paged[:-1]} == {4}
    assert len(pages(iam.client.list_policies, "Policies", MaxItems=5)[0]) == 5


def test_list_is_filtered_by_path(iam: Iam) -> None:
    iam.policy("root")
    iam.policy("inside", Path="/service-role/sub/")

    found = names(iam.client.list_policies(PathPrefix="/service-role/"))

    assert found[0] == "inside"
    assert "AWSLambdaBasicExecutionRole" in found
    assert not {"root", "AdministratorAccess"} & {*found}


def test_list_is_filtered_by_use(iam: Iam) -> None:
    attached, bounding, _unused = (iam.policy(name) for name in ("attached", "bounding", "unused"))
    iam.role("worker", PermissionsBoundary=bounding)
    for arn in (attached, LAMBDA_LOGS):
        iam.client.attach_role_policy(RoleName="worker", PolicyArn=arn)

    used = iam.client.list_policies(OnlyAttached=True)

    assert names(used) == ["attached", "bounding", "AWSLambdaBasicExecutionRole"]
    assert [(policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]) for policy in used["Policies"]] == [
        (1, 0),
        (0, 1),
        (1, 0),
    ]
    assert names(iam.client.list_policies(PolicyUsageFilter="PermissionsBoundary")) == ["bounding"]
    assert names(iam.client.list_policies(OnlyAttached=True, PolicyUsageFilter="PermissionsPolicy")) == [
        "attached",
        "AWSLambdaBasicExecutionRole",
    ]
    assert names(iam.client.list_policies(OnlyAttached=True, Scope="AWS")) == ["AWSLambdaBasicExecutionRole"]


def test_tags_of_policies_are_distinguished_by_case(iam: Iam) -> None:
    arn = iam.policy("access", Tags=tags(A="upper"))

    iam.client.tag_policy(PolicyArn=arn, Tags=tags(a="lower", abc="x"))
    iam.client.tag_policy(PolicyArn=arn, Tags=tags(abc=""))
    found = iam.client.list_policy_tags(PolicyArn=arn)["Tags"]
    paged = pages(iam.client.list_policy_tags, "Tags", PolicyArn=arn, MaxItems=2)
    for _ in range(2):
        iam.client.untag_policy(PolicyArn=arn, TagKeys=["a", "unknown"])

    assert found == tags(A="upper", a="lower", abc="")
    assert paged == [found[:2], found[2:]]
    assert iam.client.get_policy(PolicyArn=arn)["Policy"]["Tags"] == tags(A="upper", abc="")


def test_answers_do_not_repeat_documents_in_lists(iam: Iam) -> None:
    arn = iam.policy("access")

    assert without_metadata(iam.client.list_policy_versions(PolicyArn=arn)).keys() == {"Versions", "IsTruncated"}
    assert "Document" not in iam.client.list_policy_versions(PolicyArn=arn)["Versions"][0]
