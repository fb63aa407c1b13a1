"""Which managed policy is attached to which role."""

from __future__ import annotations

from cumulet.kernel.errors import AwsError
from cumulet.services.iam import policies, roles
from cumulet.services.iam.errors import LimitExceeded, NoSuchEntity
from cumulet.services.iam.names import PolicyArn
from cumulet.services.iam.paging import END_OF_TEXT, Page
from cumulet.services.iam.policy import Uses
from cumulet.store import Tx

INSERT = "INSERT INTO iam_attachments (account, role_key, policy_key) VALUES (?, ?, ?)"
DELETE = "DELETE FROM iam_attachments WHERE account = ? AND role_key = ? AND policy_key = ?"
SELECT_OF_ROLE = "SELECT policy_key FROM iam_attachments WHERE account = ? AND role_key = ? ORDER BY policy_key"
SELECT_ROLES = """
SELECT r.name, r.role_id FROM iam_roles r
WHERE r.account = ? AND r.name_key > ? AND r.path >= ? AND r.path < ?
  AND ((? = 1 AND EXISTS (SELECT 1 FROM iam_attachments a
                          WHERE a.account = r.account AND a.policy_key = ? AND a.role_key = r.name_key))
       OR (? = 1 AND r.boundary = ?))
ORDER BY r.name_key LIMIT ?"""


def attach(tx: Tx, account: str, role_name: str, arn: PolicyArn, most: int) -> None:
    """Attach a policy to a role, which may have it already; LimitExceeded when the role has `most`."""
    role = roles.load(tx, account, role_name)
    if policies.find(tx, account, arn) is None:
        raise _not_attachable(arn)
    attached = [row[0] for row in tx.all(SELECT_OF_ROLE, *role.key)]
    if arn.key in attached:
        return
    if len(attached) >= most:
        raise LimitExceeded(f"Cannot exceed quota for PoliciesPerRole: {most}")
    tx.run(INSERT, *role.key, arn.key)


def detach(tx: Tx, account: str, role_name: str, arn: PolicyArn) -> None:
    """Detach a policy from a role; raises NoSuchEntity when it isn't attached."""
    role = roles.load(tx, account, role_name)
    if not tx.run(DELETE, *role.key, arn.key):
        raise NoSuchEntity(f"Policy {arn} was not found.")


def of_role(tx: Tx, account: str, role_name: str, path_prefix: str) -> list[str]:
    """Return the keys of the policies that are attached to a role and whose paths begin with `path_prefix`."""
    role = roles.load(tx, account, role_name)
    keys = [str(row[0]) for row in tx.all(SELECT_OF_ROLE, *role.key)]
    return [key for key in keys if key.partition(":policy")[2].startswith(path_prefix)]


def roles_with(tx: Tx, account: str, arn: PolicyArn, path_prefix: str, uses: Uses, page: Page) -> list[tuple[str, str]]:
    """Return (name, id) of the roles under a path that use a policy, by name, as many as the page needs.

    Raises NoSuchEntity when there is no such policy.
    """
    if policies.find(tx, account, arn) is None:
        raise _not_attachable(arn)
    rows = tx.all(
        SELECT_ROLES,
        account,
        page.after,
        path_prefix,
        path_prefix + END_OF_TEXT,
        int(uses.as_permissions),
        arn.key,
        int(uses.as_boundary),
        arn.key,
        page.limit,
    )
    return [(row[0], row[1]) for row in rows]


def _not_attachable(arn: PolicyArn) -> AwsError:
    return NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
