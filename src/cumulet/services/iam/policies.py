"""Managed policies: find, list, create, tag, delete; those of AWS are found among an account's own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from cumulet.services.iam import aws_policies, tags
from cumulet.services.iam.errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from cumulet.services.iam.names import AWS, PolicyArn, policy_name
from cumulet.services.iam.paging import END_OF_TEXT, Page
from cumulet.services.iam.policy import Policy, Usage, Uses
from cumulet.services.iam.tags import Tags
from cumulet.store import Row, Tx

SELECT_POLICY = """
SELECT policy_key, account, path, policy_id, created_at, updated_at, description, default_version, newest_version, tags
FROM iam_policies WHERE policy_key = ?"""
SELECT_POLICIES = """
SELECT p.policy_key, p.account, p.path, p.policy_id, p.created_at, p.updated_at, p.description, p.default_version,
       p.newest_version, p.tags
FROM iam_policies p
WHERE p.account = ? AND p.name_key > ? AND p.path >= ? AND p.path < ?
  AND (? = 0
       OR (? = 1 AND EXISTS (SELECT 1 FROM iam_attachments a
                           WHERE a.account = p.account AND a.policy_key = p.policy_key))
       OR (? = 1 AND EXISTS (SELECT 1 FROM iam_roles r
                           WHERE r.account = p.account AND r.boundary = p.policy_key)))
ORDER BY p.name_key LIMIT ?"""
SELECT_NAME = "SELECT 1 FROM iam_policies WHERE account = ? AND name_key = ?"
COUNT_POLICIES = "SELECT count(*) FROM iam_policies WHERE account = ?"
COUNT_ATTACHED = "SELECT count(*) FROM iam_attachments WHERE account = ? AND policy_key = ?"
COUNT_BOUNDING = "SELECT count(*) FROM iam_roles WHERE account = ? AND boundary = ?"
COUNT_VERSIONS = "SELECT count(*) FROM iam_policy_versions WHERE policy_key = ?"
INSERT_POLICY = """
INSERT INTO iam_policies (policy_key, account, name_key, path, policy_id, created_at, updated_at, description,
                          default_version, newest_version, tags)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
INSERT_VERSION = "INSERT INTO iam_policy_versions (policy_key, number, created_at, document) VALUES (?, ?, ?, ?)"
UPDATE_POLICY = """
UPDATE iam_policies SET updated_at = ?, default_version = ?, newest_version = ?, tags = ? WHERE policy_key = ?"""
DELETE_POLICY = "DELETE FROM iam_policies WHERE policy_key = ?"
DELETE_VERSIONS = "DELETE FROM iam_policy_versions WHERE policy_key = ?"

AWS_MARKER = f"{AWS}:"
"""How markers behind AWS's policies begin; a name can't."""


class Listing(msgspec.Struct, frozen=True):
    """Which managed policies a list shows; `uses` None: whether they are used or not."""

    scope: str
    """`AWS`, `Local` or `All`."""
    path_prefix: str
    uses: Uses | None


def find(tx: Tx, account: str, arn: PolicyArn) -> Policy | None:
    """Return a policy that an account may use, its own or one of AWS, or None."""
    if arn.owner == AWS:
        found = aws_policies.every().get(arn.key)
        return found.policy if found else None
    row = tx.one(SELECT_POLICY, arn.key) if arn.owner == account else None
    return _from_row(row) if row else None


def load(tx: Tx, account: str, arn: PolicyArn) -> Policy:
    """Return a policy that an account may use; raises NoSuchEntity."""
    policy = find(tx, account, arn)
    if policy is None:
        raise NoSuchEntity(f"Policy {arn} was not found.")
    return policy


def load_with_usage(tx: Tx, account: str, arn: PolicyArn) -> tuple[Policy, Usage]:
    """Return a policy and how an account uses it; raises NoSuchEntity."""
    policy = load(tx, account, arn)
    return policy, usage(tx, account, policy.key)


def usage(tx: Tx, account: str, policy_key: str) -> Usage:
    """Return how an account uses a policy."""
    [[attached]] = tx.all(COUNT_ATTACHED, account, policy_key)
    [[bounding]] = tx.all(COUNT_BOUNDING, account, policy_key)
    return Usage(attached, bounding)


def behind(tx: Tx, account: str, listing: Listing, page: Page) -> list[tuple[Policy, Usage]]:
    """Return as many policies as the page needs: the account's own by name, then AWS's.

    The page goes on behind `marker` of the last policy that was shown.
    """
    found: list[tuple[Policy, Usage]] = []
    if listing.scope != "AWS" and not page.after.startswith(AWS_MARKER):
        found += _own(tx, account, listing, page)
    if listing.scope != "Local":
        found += islice(_of_aws(tx, account, listing, page.after), page.limit - len(found))
    return found


def marker(policy: Policy) -> str:
    """Return what tells where a list stood that ended with this policy."""
    return policy.key if policy.account == AWS else policy_name(policy.key).lower()


def create(tx: Tx, policy: Policy, document: str, most: int) -> None:
    """Store a new policy; EntityAlreadyExists unless its name is free, LimitExceeded when the account has `most`."""
    name = policy_name(policy.key)
    if tx.one(SELECT_NAME, policy.account, name.lower()):
        raise EntityAlreadyExists(f"A policy called {name} already exists. Duplicate names are not allowed.")
    [[count]] = tx.all(COUNT_POLICIES, policy.account)
    if count >= most:
        raise LimitExceeded(f"Cannot exceed quota for PoliciesPerAccount: {most}")
    tx.run(
        INSERT_POLICY,
        policy.key,
        policy.account,
        name.lower(),
        policy.path,
        policy.policy_id,
        policy.created_ms,
        policy.updated_ms,
        policy.description,
        policy.default_version,
        policy.newest_version,
        msgspec.json.encode(policy.tags).decode(),
    )
    tx.run(INSERT_VERSION, policy.key, policy.default_version, policy.created_ms, document)


def save(tx: Tx, policy: Policy) -> None:
    """Write a changed policy."""
    text = msgspec.json.encode(policy.tags).decode()
    tx.run(UPDATE_POLICY, policy.updated_ms, policy.default_version, policy.newest_version, text, policy.key)


def tag(tx: Tx, account: str, arn: PolicyArn, given: Tags) -> None:
    """Set tags of a policy."""
    policy = load(tx, account, arn)
    save(tx, msgspec.structs.replace(policy, tags=tags.OF_POLICIES.merged(policy.tags, given)))


def untag(tx: Tx, account: str, arn: PolicyArn, keys: list[str]) -> None:
    """Remove tags of a policy; keys that it doesn't have are ignored."""
    policy = load(tx, account, arn)
    save(tx, msgspec.structs.replace(policy, tags=tags.OF_POLICIES.without(policy.tags, keys)))


def delete(tx: Tx, account: str, arn: PolicyArn) -> None:
    """Delete a policy; IAM: DeleteConflict while a role uses it or it has other versions than the default one."""
    policy, used = load_with_usage(tx, account, arn)
    if used.attached or used.bounding:
        raise DeleteConflict("Cannot delete a policy attached to entities.")
    [[count]] = tx.all(COUNT_VERSIONS, policy.key)
    if count > 1:
        raise DeleteConflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )
    tx.run(DELETE_VERSIONS, policy.key)
    tx.run(DELETE_POLICY, policy.key)


def _own(tx: Tx, account: str, listing: Listing, page: Page) -> list[tuple[Policy, Usage]]:
    uses = listing.uses or Uses()
    rows = tx.all(
        SELECT_POLICIES,
        account,
        page.after,
        listing.path_prefix,
        listing.path_prefix + END_OF_TEXT,
        int(listing.uses is not None),
        int(uses.as_permissions),
        int(uses.as_boundary),
        page.limit,
    )
    return [(policy, usage(tx, account, policy.key)) for policy in map(_from_row, rows)]


def _of_aws(tx: Tx, account: str, listing: Listing, after: str) -> Iterator[tuple[Policy, Usage]]:
    keys = list(aws_policies.every())
    for key in keys[keys.index(after) + 1 if after in keys else 0 :]:
        policy, used = aws_policies.every()[key].policy, usage(tx, account, key)
        if policy.path.startswith(listing.path_prefix) and (listing.uses is None or listing.uses.count(used)):
            yield policy, used


def _from_row(row: Row) -> Policy:
    *members, tags_text = row
    members.append(msgspec.json.decode(tags_text, type=dict[str, str]))
    return Policy(*members)
