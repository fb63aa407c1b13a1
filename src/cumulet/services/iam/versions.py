"""The versions of managed policies."""

from __future__ import annotations

import re

import msgspec

from cumulet.kernel.errors import AwsError
from cumulet.services.iam import aws_policies, policies
from cumulet.services.iam.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from cumulet.services.iam.names import AWS, PolicyArn
from cumulet.services.iam.policy import Policy, Version
from cumulet.store import Tx

MOST_VERSIONS = 5
"""IAM: of one managed policy."""

SELECT_VERSIONS = """
SELECT number, created_at, document FROM iam_policy_versions WHERE policy_key = ? ORDER BY number DESC"""
SELECT_VERSION = "SELECT number, created_at, document FROM iam_policy_versions WHERE policy_key = ? AND number = ?"
DELETE_VERSION = "DELETE FROM iam_policy_versions WHERE policy_key = ? AND number = ?"

_ID = re.compile(r"v([1-9][0-9]{0,17})")


def every(tx: Tx, account: str, arn: PolicyArn) -> tuple[Policy, list[Version]]:
    """Return a policy and its versions, the newest first; raises NoSuchEntity."""
    policy = policies.load(tx, account, arn)
    if policy.account == AWS:
        return policy, [aws_policies.every()[policy.key].only_version]
    return policy, [Version(*row) for row in tx.all(SELECT_VERSIONS, policy.key)]


def load(tx: Tx, account: str, arn: PolicyArn, version_id: str) -> tuple[Policy, Version]:
    """Return a policy and one of its versions; raises NoSuchEntity."""
    policy = policies.find(tx, account, arn)
    number = _ID.fullmatch(version_id)
    if policy is None or number is None:
        raise _no_such_version(arn, version_id)
    if policy.account == AWS:
        version = aws_policies.every()[policy.key].only_version
        found = version if version.number == int(number[1]) else None
    else:
        row = tx.one(SELECT_VERSION, policy.key, int(number[1]))
        found = Version(*row) if row else None
    if found is None:
        raise _no_such_version(arn, version_id)
    return policy, found


def create(
    tx: Tx, account: str, arn: PolicyArn, document: str, now_ms: int, *, is_default: bool
) -> tuple[Policy, Version]:
    """Add a version to a policy; LimitExceeded when it has five."""
    policy = policies.load(tx, account, arn)
    [[count]] = tx.all(policies.COUNT_VERSIONS, policy.key)
    if count >= MOST_VERSIONS:
        raise LimitExceeded(
            f"A managed policy can have up to {MOST_VERSIONS} versions. Before you create a new version, you must "
            "delete an existing version."
        )
    version = Version(policy.newest_version + 1, now_ms, document)
    tx.run(policies.INSERT_VERSION, policy.key, *version)
    policy = msgspec.structs.replace(policy, newest_version=version.number)
    if is_default:
        policy = msgspec.structs.replace(policy, default_version=version.number, updated_ms=now_ms)
    policies.save(tx, policy)
    return policy, version


def set_default(tx: Tx, account: str, arn: PolicyArn, version_id: str, now_ms: int) -> None:
    """Let one version of a policy be the one in force."""
    policy, version = load(tx, account, arn, version_id)
    policies.save(tx, msgspec.structs.replace(policy, default_version=version.number, updated_ms=now_ms))


def delete(tx: Tx, account: str, arn: PolicyArn, version_id: str) -> None:
    """Delete a version; IAM: DeleteConflict for the default one."""
    policy, version = load(tx, account, arn, version_id)
    if version.number == policy.default_version:
        raise DeleteConflict("Cannot delete the default version of a policy.")
    tx.run(DELETE_VERSION, policy.key, version.number)


def _no_such_version(arn: PolicyArn, version_id: str) -> AwsError:
    return NoSuchEntity(f"Policy {arn} version {version_id} does not exist or is not attachable.")
