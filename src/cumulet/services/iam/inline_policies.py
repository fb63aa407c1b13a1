"""Policies that are part of a role."""

from __future__ import annotations

from cumulet.kernel.errors import AwsError
from cumulet.services.iam import documents, roles
from cumulet.services.iam.errors import LimitExceeded, NoSuchEntity
from cumulet.services.iam.paging import Page
from cumulet.store import Tx

MOST_CHARACTERS = 10_240
"""IAM: all inline policies of a role together, white space not counted."""

SELECT_DOCUMENT = "SELECT document FROM iam_inline_policies WHERE account = ? AND role_key = ? AND name = ?"
SELECT_NAMES = """
SELECT name FROM iam_inline_policies WHERE account = ? AND role_key = ? AND name > ? ORDER BY name LIMIT ?"""
SELECT_SIZE_OF_OTHERS = """
SELECT coalesce(sum(size), 0) FROM iam_inline_policies WHERE account = ? AND role_key = ? AND name <> ?"""
UPSERT = """
INSERT INTO iam_inline_policies (account, role_key, name, document, size) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account, role_key, name) DO UPDATE SET document = excluded.document, size = excluded.size"""
DELETE = "DELETE FROM iam_inline_policies WHERE account = ? AND role_key = ? AND name = ?"


def put(tx: Tx, account: str, role_name: str, name: str, document: str) -> None:
    """Set an inline policy of a role; LimitExceeded when all of them become too long."""
    role = roles.load(tx, account, role_name)
    size = documents.size(document)
    [[others]] = tx.all(SELECT_SIZE_OF_OTHERS, *role.key, name)
    if others + size > MOST_CHARACTERS:
        raise LimitExceeded(f"Maximum policy size of {MOST_CHARACTERS} bytes exceeded for role {role.name}")
    tx.run(UPSERT, *role.key, name, document, size)


def get(tx: Tx, account: str, role_name: str, name: str) -> tuple[str, str]:
    """Return the role's name as it is spelled and the document of an inline policy; raises NoSuchEntity."""
    role = roles.load(tx, account, role_name)
    row = tx.one(SELECT_DOCUMENT, *role.key, name)
    if row is None:
        raise _no_such_policy(name)
    return role.name, row[0]


def names(tx: Tx, account: str, role_name: str, page: Page) -> list[str]:
    """Return the names of a role's inline policies, as many as the page needs."""
    role = roles.load(tx, account, role_name)
    return [row[0] for row in tx.all(SELECT_NAMES, *role.key, page.after, page.limit)]


def delete(tx: Tx, account: str, role_name: str, name: str) -> None:
    """Delete an inline policy of a role; raises NoSuchEntity."""
    role = roles.load(tx, account, role_name)
    if not tx.run(DELETE, *role.key, name):
        raise _no_such_policy(name)


def _no_such_policy(name: str) -> AwsError:
    return NoSuchEntity(f"The role policy with name {name} cannot be found.")
