"""IAM: what was acknowledged is there after the server was killed and started again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from iam_entities import LAMBDA_LOGS, PERMISSIONS, Iam, permissions, without_metadata

from cumulet.testing import Cumulet


def everything(server: Cumulet) -> list[dict[str, Any]]:
    """Return all that a client of the server sees."""
    client, own = server.client("iam"), Iam(server).arn("team/own")
    answers = [
        client.get_role(RoleName="worker"),
        client.list_roles(),
        client.get_role_policy(RoleName="worker", PolicyName="inline"),
        client.list_attached_role_policies(RoleName="worker"),
        client.get_policy(PolicyArn=own),
        client.list_policy_versions(PolicyArn=own),
        client.get_policy_version(PolicyArn=own, VersionId="v2"),
        client.list_policies(OnlyAttached=True),
        client.list_entities_for_policy(PolicyArn=own),
    ]
    return [without_metadata(answer) for answer in answers]


def test_everything_survives_a_kill(tmp_path: Path) -> None:
    server = Cumulet(tmp_path / "data", durability="full")
    server.start()
    try:
        iam = Iam(server)
        own = iam.policy("own", Path="/team/", Description="d", Tags=[{"Key": "a", "Value": "1"}])
        iam.client.create_policy_version(
            PolicyArn=own, PolicyDocument=json.dumps(permissions(Effect="Deny")), SetAsDefault=True
        )
        iam.role("worker", Path="/team/", Description="d", PermissionsBoundary=own, Tags=[{"Key": "a", "Value": "1"}])
        iam.client.put_role_policy(RoleName="worker", PolicyName="inline", PolicyDocument=json.dumps(PERMISSIONS))
        for arn in (own, LAMBDA_LOGS):
            iam.client.attach_role_policy(RoleName="worker", PolicyArn=arn)
        iam.role("deleted")
        iam.client.delete_role(RoleName="deleted")
        before = everything(server)

        server.kill()
        server.start()

        assert everything(server) == before
        assert [role["RoleName"] for role in before[1]["Roles"]] == ["worker"]
    finally:
        server.kill()
