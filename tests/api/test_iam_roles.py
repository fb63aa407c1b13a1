"""IAM: roles and their tags, trust policies and boundaries."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from iam_entities import LAMBDA_LOGS, TRUST, Iam, pages, refusal, without_metadata

from cumulet.testing import Cumulet


@pytest.fixture
def iam(cumulet: Cumulet) -> Iam:
    return Iam(cumulet)


def tags(**pairs: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def test_role_is_answered_as_it_was_created(cumulet: Cumulet, iam: Iam) -> None:
    made = iam.role("Worker", Path="/team/a/", Description="does", MaxSessionDuration=7200, Tags=tags(b="1", a=""))
    found = iam.client.get_role(RoleName="Worker")["Role"]

    common = {
        "Path": "/team/a/",
        "RoleName": "Worker",
        "RoleId": made["RoleId"],
        "Arn": f"arn:aws:iam::{cumulet.account}:role/team/a/Worker",
        "CreateDate": datetime.fromtimestamp(cumulet.now_ms() // 1000, UTC),
        "AssumeRolePolicyDocument": TRUST,
        "Tags": tags(b="1", a=""),
    }
    assert made == common
    assert found == {**common, "Description": "does", "MaxSessionDuration": 7200, "RoleLastUsed": {}}
    assert re.fullmatch(r"AROA[A-Z2-7]{17}", made["RoleId"])


def test_role_has_defaults(iam: Iam) -> None:
    iam.role("plain")

    role = iam.client.get_role(RoleName="plain")["Role"]

    assert (role["Path"], role["MaxSessionDuration"]) == ("/", 3600)
    assert not {"Description", "Tags", "PermissionsBoundary"} & role.keys()


def test_names_are_not_distinguished_by_case(iam: Iam) -> None:
    iam.role("Worker", Path="/a/")

    assert refusal(iam.role, name="WORKER") == (
        "EntityAlreadyExists",
        409,
        "Role with name WORKER already exists.",
    )
    assert iam.client.get_role(RoleName="worker")["Role"]["RoleName"] == "Worker"


def test_name_is_free_again_after_delete(iam: Iam) -> None:
    first = iam.role("worker", Description="first", Tags=tags(a="1"))
    iam.client.delete_role(RoleName="Worker")
    gone = refusal(iam.client.get_role, RoleName="worker")
    second = iam.role("worker")

    assert gone == ("NoSuchEntity", 404, "The role with name worker cannot be found.")
    assert second["RoleId"] != first["RoleId"]
    assert not {"Description", "Tags"} & iam.client.get_role(RoleName="worker")["Role"].keys()


def test_accounts_do_not_see_each_other(cumulet: Cumulet, iam: Iam) -> None:
    iam.role("mine")
    other = cumulet.client("iam", account="999999999999")

    assert refusal(other.get_role, RoleName="mine")[0] == "NoSuchEntity"


def test_clients_of_all_regions_see_the_same(cumulet: Cumulet, iam: Iam) -> None:
    made = iam.role("everywhere")

    for region in ("eu-central-1", "ap-southeast-2", "us-west-2", "aws-global"):
        role = cumulet.client("iam", region=region).get_role(RoleName="everywhere")["Role"]
        assert (role["Arn"], role["RoleId"]) == (made["Arn"], made["RoleId"])


def test_arn_has_the_partition_of_the_client(cumulet: Cumulet, iam: Iam) -> None:
    iam.role("everywhere")

    role = cumulet.client("iam", region="cn-north-1").get_role(RoleName="everywhere")["Role"]

    assert role["Arn"] == f"arn:aws-cn:iam::{cumulet.account}:role/everywhere"


def test_update_changes_what_is_given(iam: Iam) -> None:
    iam.role("worker", Description="old")

    iam.client.update_role(RoleName="worker", MaxSessionDuration=43200)
    longer = iam.client.get_role(RoleName="worker")["Role"]
    iam.client.update_role(RoleName="worker", Description="new")
    iam.client.update_role(RoleName="worker")
    renewed = iam.client.get_role(RoleName="worker")["Role"]

    assert (longer["Description"], longer["MaxSessionDuration"]) == ("old", 43200)
    assert (renewed["Description"], renewed["MaxSessionDuration"]) == ("new", 43200)


def test_update_of_the_description_answers_the_role(iam: Iam) -> None:
    made = iam.role("worker")

    updated = iam.client.update_role_description(RoleName="worker", Description="ü\nnew")["Role"]

    assert updated == {**made, "Description": "ü\nnew"}
    assert iam.client.get_role(RoleName="worker")["Role"]["Description"] == "ü\nnew"


def test_trust_policy_is_replaced_and_kept_as_it_was_written(iam: Iam) -> None:
    iam.role("worker")
    statement = {"Effect": "Deny", "Principal": {"AWS": ["*"]}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    text = json.dumps({"Version": "2008-10-17", "Id": "a+b%20é", "Statement": statement}, indent=1, ensure_ascii=False)

    iam.client.update_assume_role_policy(RoleName="worker", PolicyDocument=text)

    [role] = iam.client.list_roles()["Roles"]
    assert role["AssumeRolePolicyDocument"] == json.loads(text)


def test_list_shows_roles_by_name_without_their_tags(iam: Iam) -> None:
    for name in ("b", "A", "c"):
        iam.role(name, Description=name, Tags=tags(a="1"), PermissionsBoundary=LAMBDA_LOGS)

    listed = without_metadata(iam.client.list_roles())

    assert [role["RoleName"] for role in listed["Roles"]] == ["A", "b", "c"]
    assert listed["IsTruncated"] is False
    assert listed["Roles"][0].keys() == {
        "Path",
        "RoleName",
        "RoleId",
        "Arn",
        "CreateDate",
        "AssumeRolePolicyDocument",
        "Description",
        "MaxSessionDuration",
    }


def test_list_is_filtered_by_path(iam: Iam) -> None:
    iam.role("root")
    iam.role("a", Path="/team/")
    iam.role("b", Path="/team/sub/")
    iam.role("c", Path="/teams/")

    def listed(prefix: str) -> list[str]:
        return [role["RoleName"] for role in iam.client.list_roles(PathPrefix=prefix)["Roles"]]

    assert [listed("/"), listed("/team"), listed("/team/"), listed("/none/")] == [
        ["a", "b", "c", "root"],
        ["a", "b", "c"],
        ["a", "b"],
        [],
    ]


def test_list_comes_in_pages(iam: Iam) -> None:
    names = [f"role{number:03}" for number in range(105)]
    for name in names:
        iam.role(name)

    by_default = pages(iam.client.list_roles, "Roles")
    by_forty = pages(iam.client.list_roles, "Roles", MaxItems=40, PathPrefix="/")

    assert [len(page) for page in by_default] == [100, 5]
    assert [len(page) for page in by_forty] == [40, 40, 25]
    assert [role["RoleName"] for page in by_forty for role in page] == names


def test_page_goes_on_where_a_deleted_role_was(iam: Iam) -> None:
    for name in ("a", "b", "c"):
        iam.role(name)
    first = iam.client.list_roles(MaxItems=2)
    iam.client.delete_role(RoleName="b")

    second = iam.client.list_roles(MaxItems=2, Marker=first["Marker"])

    assert [role["RoleName"] for role in second["Roles"]] == ["c"]


def test_role_with_attached_policies_is_not_deleted(iam: Iam) -> None:
    iam.role("worker")
    iam.client.attach_role_policy(RoleName="worker", PolicyArn=LAMBDA_LOGS)

    assert refusal(iam.client.delete_role, RoleName="worker") == (
        "DeleteConflict",
        409,
        "Cannot delete entity, must detach all policies first.",
    )
    iam.client.detach_role_policy(RoleName="worker", PolicyArn=LAMBDA_LOGS)
    iam.client.delete_role(RoleName="worker")
    assert iam.client.list_roles()["Roles"] == []


def test_role_with_inline_policies_is_not_deleted(iam: Iam) -> None:
    iam.role("worker")
    document = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
    iam.client.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=document)

    assert refusal(iam.client.delete_role, RoleName="worker") == (
        "DeleteConflict",
        409,
        "Cannot delete entity, must delete policies first.",
    )
    iam.client.delete_role_policy(RoleName="worker", PolicyName="p")
    iam.client.delete_role(RoleName="worker")
    assert iam.client.list_roles()["Roles"] == []


def test_tags_are_listed_with_short_keys_first(iam: Iam) -> None:
    iam.role("worker", Tags=tags(abc="1", b="2"))

    iam.client.tag_role(RoleName="worker", Tags=tags(z="3", a=""))

    assert without_metadata(iam.client.list_role_tags(RoleName="worker")) == {
        "Tags": tags(a="", b="2", z="3", abc="1"),
        "IsTruncated": False,
    }
    assert pages(iam.client.list_role_tags, "Tags", RoleName="worker", MaxItems=3) == [
        tags(a="", b="2", z="3"),
        tags(abc="1"),
    ]


def test_tag_keys_of_roles_are_not_distinguished_by_case(iam: Iam) -> None:
    iam.role("worker", Tags=tags(Team="a", cost="1"))

    iam.client.tag_role(RoleName="worker", Tags=tags(team="b"))
    replaced = iam.client.list_role_tags(RoleName="worker")["Tags"]
    iam.client.untag_role(RoleName="worker", TagKeys=["TEAM", "unknown"])
    iam.client.untag_role(RoleName="worker", TagKeys=["TEAM"])

    assert replaced == tags(cost="1", team="b")
    assert iam.client.get_role(RoleName="worker")["Role"]["Tags"] == tags(cost="1")


def test_role_has_at_most_fifty_tags(iam: Iam) -> None:
    iam.role("worker", Tags=tags(**{f"k{number}": "" for number in range(50)}))

    assert refusal(iam.client.tag_role, RoleName="worker", Tags=tags(k0="changed", more="")) == (
        "LimitExceeded",
        409,
        "Cannot exceed quota for TagsPerRole: 50",
    )
    iam.client.tag_role(RoleName="worker", Tags=tags(K0="changed"))
    found = iam.client.list_role_tags(RoleName="worker")["Tags"]
    assert len(found) == 50
    assert {"Key": "K0", "Value": "changed"} in found


def test_boundary_is_set_and_removed(iam: Iam) -> None:
    own = iam.policy("boundary")
    made = iam.role("worker", PermissionsBoundary=LAMBDA_LOGS)

    iam.client.put_role_permissions_boundary(RoleName="worker", PermissionsBoundary=own)
    changed = iam.client.get_role(RoleName="worker")["Role"]
    for _ in range(2):
        iam.client.delete_role_permissions_boundary(RoleName="worker")

    assert made["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": LAMBDA_LOGS,
    }
    assert changed["PermissionsBoundary"]["PermissionsBoundaryArn"] == own
    assert "PermissionsBoundary" not in iam.client.get_role(RoleName="worker")["Role"]
