"""The permissions of layer versions: which other accounts may use one. A version without statements has no policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from cumulet.kernel.arns import partition_of
from cumulet.policies import Asker, Decision
from cumulet.services.lambda_ import policies
from cumulet.services.lambda_.errors import (
    PolicyLengthExceededException,
    PreconditionFailedException,
    ResourceConflictException,
    not_found,
)
from cumulet.services.lambda_.layer_names import LayerKey, version_arn
from cumulet.services.lambda_.policies import Policy, Statement
from cumulet.store import Tx

GET_LAYER_VERSION = "lambda:GetLayerVersion"
SELECT_POLICY = """
SELECT revision, statements FROM lambda_layer_policies WHERE account = ? AND region = ? AND name = ? AND number = ?"""
PUT_POLICY = """
INSERT INTO lambda_layer_policies (account, region, name, number, revision, statements) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (account, region, name, number)
DO UPDATE SET revision = excluded.revision, statements = excluded.statements"""
DELETE_POLICY = """
DELETE FROM lambda_layer_policies WHERE account = ? AND region = ? AND name = ? AND number = ?"""


class LayerPolicy(msgspec.Struct, frozen=True):
    """What is allowed, and the RevisionId."""

    statements: Policy
    revision: str | None = None
    """None where there is no policy."""


def statement(request: Mapping[str, Any], resource: str, region: str) -> Statement:
    """Return the statement that AddLayerVersionPermission asks for."""
    principal = request["Principal"]
    if principal.isdecimal():
        principal = f"arn:{partition_of(region)}:iam::{principal}:root"
    made: dict[str, Any] = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {"AWS": principal},
        "Action": request["Action"],
        "Resource": resource,
    }
    if organization := request.get("OrganizationId"):
        made["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": organization}}
    return made


def find(tx: Tx, key: LayerKey, number: int) -> LayerPolicy:
    """Return the policy of a version; it is empty where there is none."""
    row = tx.one(SELECT_POLICY, *key, number)
    return LayerPolicy(orjson.loads(row[1]), row[0]) if row else LayerPolicy([])


def lets_use(tx: Tx, key: LayerKey, number: int, *, account: str, principal: str) -> bool:
    """Return whether a version's policy lets a principal of another account use it."""
    policy, asker = policies.compiled(find(tx, key, number).statements), Asker(account=account, arn=principal)
    return policy.decision(GET_LAYER_VERSION, version_arn(key, number), asker) is Decision.ALLOWED


def add(tx: Tx, key: LayerKey, number: int, new: Statement, *, revision: str | None, new_revision: str) -> None:
    """Add a statement; `revision` is the one that must be present, if any.

    Raises ResourceConflictException for a taken Sid, PreconditionFailedException, PolicyLengthExceededException.
    """
    policy = find(tx, key, number)
    if any(old["Sid"] == new["Sid"] for old in policy.statements):
        raise ResourceConflictException(
            f"The statement id ({new['Sid']}) provided already exists. Please provide a new statement id, or remove "
            "the existing statement.",
            Type="User",
        )
    _check_revision(policy, revision)
    after = [*policy.statements, new]
    size_bytes = len(policies.text(after).encode())
    if size_bytes > policies.MOST_POLICY_BYTES:
        raise PolicyLengthExceededException(
            f"The final policy size ({size_bytes}) is bigger than the limit ({policies.MOST_POLICY_BYTES}).",
            Type="User",
        )
    tx.run(PUT_POLICY, *key, number, new_revision, orjson.dumps(after).decode())


def remove(tx: Tx, key: LayerKey, number: int, sid: str, *, revision: str | None, new_revision: str) -> None:
    """Remove a statement; raises ResourceNotFoundException, PreconditionFailedException."""
    policy = find(tx, key, number)
    after = [old for old in policy.statements if old["Sid"] != sid]
    if len(after) == len(policy.statements):
        raise not_found(f"Statement {sid} is not found in resource policy.")
    _check_revision(policy, revision)
    if after:
        tx.run(PUT_POLICY, *key, number, new_revision, orjson.dumps(after).decode())
    else:
        delete(tx, key, number)


def delete(tx: Tx, key: LayerKey, number: int) -> None:
    """Delete the policy of a version."""
    tx.run(DELETE_POLICY, *key, number)


def _check_revision(policy: LayerPolicy, revision: str | None) -> None:
    if revision is not None and revision != policy.revision:
        raise PreconditionFailedException(
            "The Revision Id provided does not match the latest Revision Id. "
            "Call the GetLayerPolicy API to retrieve the latest Revision Id",
            Type="User",
        )
