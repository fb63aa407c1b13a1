"""Published versions as they are on disk: what `$LATEST` was when it was published, and never changed since.

Only a version's RevisionId changes, with its permissions.
"""

from __future__ import annotations

import base64

import msgspec

from cumulet.services.lambda_ import functions
from cumulet.services.lambda_.configuration import Configuration
from cumulet.services.lambda_.errors import ResourceConflictException, function_not_found, invalid, wrong_revision
from cumulet.services.lambda_.function_names import FunctionKey, qualified_arn
from cumulet.services.lambda_.functions import Function, Package
from cumulet.store import Row, Tx

_COLUMNS = "number, revision, deployment, configuration, description, package, package_bytes, modified_at"
_SELECT = f"SELECT {_COLUMNS} FROM lambda_versions WHERE account = ? AND region = ? AND function_name = ?"
SELECT_VERSION = f"{_SELECT} AND number = ?"
SELECT_VERSIONS_AFTER = f"{_SELECT} AND number > ? ORDER BY number LIMIT ?"
SELECT_NUMBERS = "SELECT number FROM lambda_versions WHERE account = ? AND region = ? AND function_name = ?"
INSERT_VERSION = f"""
INSERT INTO lambda_versions (account, region, function_name, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
UPDATE_REVISION = """
UPDATE lambda_versions SET revision = ? WHERE account = ? AND region = ? AND function_name = ? AND number = ?"""
DELETE_VERSION = """
DELETE FROM lambda_versions WHERE account = ? AND region = ? AND function_name = ? AND number = ?"""
DELETE_VERSIONS = "DELETE FROM lambda_versions WHERE account = ? AND region = ? AND function_name = ?"
SELECT_POINTING = """
SELECT name FROM lambda_aliases WHERE account = ? AND region = ? AND function_name = ? AND version = ?
ORDER BY name LIMIT ?"""
SELECT_POINTING_TOO = """
SELECT name FROM lambda_aliases WHERE account = ? AND region = ? AND function_name = ? AND additional_version = ?
ORDER BY name LIMIT ?"""
MOST_NAMED_ALIASES = 50
"""So many aliases are named where they keep a version from being deleted."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One published version."""

    number: int
    revision: str
    deployment: str
    source: Configuration
    """What was published."""
    description: str
    package: Package
    modified_ms: int

    def of(self, latest: Function) -> Function:
        """Return the version as a function; `latest` is the function that it is a version of."""
        return msgspec.structs.replace(
            latest,
            version=str(self.number),
            revision=self.revision,
            deployment=self.deployment,
            configuration=msgspec.structs.replace(self.source, description=self.description),
            package=self.package,
            modified_ms=self.modified_ms,
        )

    def is_of(self, latest: Function) -> bool:
        """Whether it is what publishing `latest` would make."""
        return self.source == latest.configuration and self.package == latest.package


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be published: on which conditions, and how the version is called."""

    code_sha256: str | None = None
    revision: str | None = None
    description: str | None = None
    """None for that of the function."""


class Published(msgspec.Struct, frozen=True):
    """What publishing has come to."""

    latest: Function
    version: Function
    is_new: bool


def find(tx: Tx, key: FunctionKey, number: int) -> Version | None:
    """Return a version of a function, or None."""
    row = tx.one(SELECT_VERSION, *key, number)
    return _from_row(row) if row else None


def after(tx: Tx, key: FunctionKey, number: int, limit: int) -> list[Version]:
    """Return up to `limit` versions of a function with higher numbers."""
    return [_from_row(row) for row in tx.all(SELECT_VERSIONS_AFTER, *key, number, limit)]


def publish(tx: Tx, key: FunctionKey, wanted: Wanted, *, revisions: tuple[str, str], now_ms: int) -> Published:
    """Make a version of `$LATEST`, or return the newest one where nothing has changed since.

    `revisions` are the new ones of the version and of the function. Numbers are never used again.
    Raises ResourceNotFoundException, PreconditionFailedException, InvalidParameterValueException.
    """
    latest = functions.load(tx, key)
    if wanted.revision not in (None, latest.revision):
        raise wrong_revision()
    digest = code_sha256(latest.package)
    if wanted.code_sha256 not in (None, "", digest):
        raise invalid(
            f"CodeSHA256 ({wanted.code_sha256}) is different from current CodeSHA256 in $LATEST ({digest}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
    newest = find(tx, key, latest.last_version)
    if newest is not None and newest.is_of(latest):
        return Published(latest, newest.of(latest), is_new=False)
    description = latest.configuration.description if wanted.description is None else wanted.description
    version = Version(
        number=latest.last_version + 1,
        revision=revisions[0],
        deployment=latest.deployment,
        source=latest.configuration,
        description=description,
        package=latest.package,
        modified_ms=now_ms,
    )
    tx.run(
        INSERT_VERSION,
        *key,
        version.number,
        version.revision,
        version.deployment,
        msgspec.json.encode(version.source).decode(),
        version.description,
        version.package.digest,
        version.package.size_bytes,
        version.modified_ms,
    )
    latest = msgspec.structs.replace(latest, revision=revisions[1], last_version=version.number)
    functions.save(tx, latest)
    return Published(latest, version.of(latest), is_new=True)


def delete(tx: Tx, key: FunctionKey, number: int) -> None:
    """Delete a version, if it is there; raises ResourceConflictException while aliases point to it."""
    pointing = {
        row[0]
        for query in (SELECT_POINTING, SELECT_POINTING_TOO)
        for row in tx.all(query, *key, str(number), MOST_NAMED_ALIASES)
    }
    if pointing:
        raise ResourceConflictException(
            f"Unable to delete version because the following aliases reference it: [{', '.join(sorted(pointing))}]",
            Type="User",
        )
    tx.run(DELETE_VERSION, *key, number)


def delete_all(tx: Tx, key: FunctionKey) -> list[int]:
    """Delete all versions of a function and return their numbers."""
    numbers = [row[0] for row in tx.all(SELECT_NUMBERS, *key)]
    tx.run(DELETE_VERSIONS, *key)
    return numbers


def change_revision(tx: Tx, key: FunctionKey, number: int, revision: str) -> None:
    """Give a version a new RevisionId."""
    tx.run(UPDATE_REVISION, revision, *key, number)


def code_sha256(package: Package) -> str:
    """Return a package's digest as Lambda shows it."""
    return base64.b64encode(bytes.fromhex(package.digest)).decode()


def load(tx: Tx, key: FunctionKey, number: int) -> Version:
    """Return a version; raises ResourceNotFoundException."""
    version = find(tx, key, number)
    if version is None:
        raise function_not_found(qualified_arn(key, str(number)))
    return version


def _from_row(row: Row) -> Version:
    number, revision, deployment, source, description, digest, size_bytes, modified_ms = row
    return Version(
        number=number,
        revision=revision,
        deployment=deployment,
        source=msgspec.json.decode(source, type=Configuration),
        description=description,
        package=Package(digest, size_bytes),
        modified_ms=modified_ms,
    )
