"""IAM: how much an account may have, on a server whose quotas a test can reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from iam_entities import LAMBDA_LOGS, Iam, refusal
from quotas import with_quotas

from cumulet.testing import Cumulet


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    """A server where accounts may have two roles, two policies, and a role one policy."""
    quotas = {"iam:roles-per-account": 2, "iam:policies-per-account": 2, "iam:policies-per-role": 1}
    with with_quotas(tmp_path_factory.mktemp("strict"), quotas) as server:
        yield server


def test_account_has_so_many_roles(strict_server: Cumulet) -> None:
    iam = Iam(strict_server.as_account("111111111111"))
    iam.role("a")
    iam.role("b")

    refused = refusal(iam.role, name="c")
    iam.client.delete_role(RoleName="a")
    iam.role("c")

    assert refused == ("LimitExceeded", 409, "Cannot exceed quota for RolesPerAccount: 2")
    assert [role["RoleName"] for role in iam.client.list_roles()["Roles"]] == ["b", "c"]


def test_account_has_so_many_policies(strict_server: Cumulet) -> None:
    iam = Iam(strict_server.as_account("222222222222"))
    iam.policy("a")
    iam.policy("b")

    assert refusal(iam.policy, name="c") == ("LimitExceeded", 409, "Cannot exceed quota for PoliciesPerAccount: 2")


def test_role_has_so_many_attached_policies(strict_server: Cumulet) -> None:
    iam = Iam(strict_server.as_account("333333333333"))
    iam.role("a")
    iam.client.attach_role_policy(RoleName="a", PolicyArn=iam.policy("own"))

    refused = refusal(iam.client.attach_role_policy, RoleName="a", PolicyArn=LAMBDA_LOGS)

    assert refused == ("LimitExceeded", 409, "Cannot exceed quota for PoliciesPerRole: 1")
