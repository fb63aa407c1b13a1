"""Roles: find, list, create, change, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.services.iam import tags
from cumulet.services.iam.errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from cumulet.services.iam.names import PolicyArn
from cumulet.services.iam.paging import END_OF_TEXT, Page
from cumulet.services.iam.policies import find as find_policy
from cumulet.services.iam.tags import Tags
from cumulet.store import Row, Tx

SELECT_ROLE = """
SELECT account, name, path, role_id, created_at, trust_policy, description, max_session_seconds, boundary, tags
FROM iam_roles WHERE account = ? AND name_key = ?"""
SELECT_ROLES = """
SELECT account, name, path, role_id, created_at, trust_policy, description, max_session_seconds, boundary, tags
FROM iam_roles WHERE account = ? AND name_key > ? AND path >= ? AND path < ? ORDER BY name_key LIMIT ?"""
COUNT_ROLES = "SELECT count(*) FROM iam_roles WHERE account = ?"
INSERT_ROLE = """
INSERT INTO iam_roles (account, name_key, name, path, role_id, created_at, trust_policy, description,
                       max_session_seconds, boundary, tags)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
UPDATE_ROLE = """
UPDATE iam_roles SET trust_policy = ?, description = ?, max_session_seconds = ?, boundary = ?, tags = ?
WHERE account = ? AND name_key = ?"""
DELETE_ROLE = "DELETE FROM iam_roles WHERE account = ? AND name_key = ?"
SELECT_AN_ATTACHMENT = "SELECT 1 FROM iam_attachments WHERE account = ? AND role_key = ? LIMIT 1"
SELECT_AN_INLINE_POLICY = "SELECT 1 FROM iam_inline_policies WHERE account = ? AND role_key = ? LIMIT 1"


class Role(msgspec.Struct, frozen=True):
    """One role as it is on disk; `boundary` is the key of a managed policy."""

    account: str
    name: str
    path: str
    role_id: str
    created_ms: int
    trust_policy: str
    description: str | None
    max_session_seconds: int
    boundary: str | None
    tags: Tags

    @property
    def key(self) -> tuple[str, str]:
        """What the store knows it by: the account, and the name whatever its case."""
        return self.account, self.name.lower()


def load(tx: Tx, account: str, name: str) -> Role:
    """Return a role by its name, in whatever case; raises NoSuchEntity."""
    row = tx.one(SELECT_ROLE, account, name.lower())
    if row is None:
        raise NoSuchEntity(f"The role with name {name} cannot be found.")
    return _from_row(row)


def behind(tx: Tx, account: str, path_prefix: str, page: Page) -> list[Role]:
    """Return an account's roles whose paths begin with `path_prefix`, by name, as many as the page needs."""
    rows = tx.all(SELECT_ROLES, account, page.after, path_prefix, path_prefix + END_OF_TEXT, page.limit)
    return [_from_row(row) for row in rows]


def create(tx: Tx, role: Role, boundary: PolicyArn | None, most: int) -> None:
    """Store a new role; EntityAlreadyExists unless its name is free, LimitExceeded when the account has `most`."""
    if tx.one(SELECT_ROLE, *role.key):
        raise EntityAlreadyExists(f"Role with name {role.name} already exists.")
    _check_boundary(tx, role.account, boundary)
    [[count]] = tx.all(COUNT_ROLES, role.account)
    if count >= most:
        raise LimitExceeded(f"Cannot exceed quota for RolesPerAccount: {most}")
    tx.run(
        INSERT_ROLE,
        *role.key,
        role.name,
        role.path,
        role.role_id,
        role.created_ms,
        role.trust_policy,
        role.description,
        role.max_session_seconds,
        role.boundary,
        msgspec.json.encode(role.tags).decode(),
    )


def change(tx: Tx, account: str, name: str, changes: Mapping[str, Any]) -> Role:
    """Set members of a role by their names and return it; raises NoSuchEntity."""
    return _save(tx, msgspec.structs.replace(load(tx, account, name), **changes))


def bound(tx: Tx, account: str, name: str, boundary: PolicyArn) -> None:
    """Set a role's permissions boundary; NoSuchEntity without such a policy."""
    role = load(tx, account, name)
    _check_boundary(tx, account, boundary)
    _save(tx, msgspec.structs.replace(role, boundary=boundary.key))


def tag(tx: Tx, account: str, name: str, given: Tags) -> None:
    """Set tags of a role."""
    role = load(tx, account, name)
    _save(tx, msgspec.structs.replace(role, tags=tags.OF_ROLES.merged(role.tags, given)))


def untag(tx: Tx, account: str, name: str, keys: list[str]) -> None:
    """Remove tags of a role; keys that it doesn't have are ignored."""
    role = load(tx, account, name)
    _save(tx, msgspec.structs.replace(role, tags=tags.OF_ROLES.without(role.tags, keys)))


def delete(tx: Tx, account: str, name: str) -> None:
    """Delete a role; IAM: DeleteConflict while it has policies, attached or inline."""
    role = load(tx, account, name)
    if tx.one(SELECT_AN_ATTACHMENT, *role.key):
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if tx.one(SELECT_AN_INLINE_POLICY, *role.key):
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    tx.run(DELETE_ROLE, *role.key)


def _check_boundary(tx: Tx, account: str, boundary: PolicyArn | None) -> None:
    if boundary is not None and find_policy(tx, account, boundary) is None:
        raise NoSuchEntity(f"Scope ARN: {boundary} does not exist or is not attachable.")


def _save(tx: Tx, role: Role) -> Role:
    tx.run(
        UPDATE_ROLE,
        role.trust_policy,
        role.description,
        role.max_session_seconds,
        role.boundary,
        msgspec.json.encode(role.tags).decode(),
        *role.key,
    )
    return role


def _from_row(row: Row) -> Role:
    *members, tags_text = row
    members.append(msgspec.json.decode(tags_text, type=dict[str, str]))
    return Role(*members)
