"""The versions of layers as they are on disk: published, listed, deleted, and never changed.

Numbers are never used again. What functions use of a version, they have copied (`configuration.Layer`): a version that
is deleted goes on in them.
"""

from __future__ import annotations

import msgspec

from cumulet.services.lambda_.functions import Package
from cumulet.services.lambda_.layer_names import LayerKey, layer_arn, version_arn
from cumulet.store import Row, Tx

_COLUMNS = "name, number, description, license_info, runtimes, architectures, package, package_bytes, created_at"
_SELECT = f"SELECT {_COLUMNS} FROM lambda_layer_versions WHERE account = ? AND region = ?"
SELECT_VERSION = f"{_SELECT} AND name = ? AND number = ?"
SELECT_VERSIONS_BEFORE = f"""
{_SELECT} AND name = ? AND number < ? AND runtimes LIKE ? AND architectures LIKE ? ORDER BY number DESC LIMIT ?"""
SELECT_NEWEST_AFTER = """
SELECT name, MAX(number) FROM lambda_layer_versions
WHERE account = ? AND region = ? AND name > ? AND runtimes LIKE ? AND architectures LIKE ?
GROUP BY name ORDER BY name LIMIT ?"""
COUNT_VERSION = """
INSERT INTO lambda_layers (account, region, name, last_version) VALUES (?, ?, ?, 1)
ON CONFLICT (account, region, name) DO UPDATE SET last_version = lambda_layers.last_version + 1"""
SELECT_LAST_VERSION = "SELECT last_version FROM lambda_layers WHERE account = ? AND region = ? AND name = ?"
INSERT_VERSION = f"""
INSERT INTO lambda_layer_versions (account, region, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
DELETE_VERSION = """
DELETE FROM lambda_layer_versions WHERE account = ? AND region = ? AND name = ? AND number = ?"""


class LayerVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version; None in place of a member that was not given when it was published."""

    key: LayerKey
    number: int
    description: str
    license_info: str | None
    runtimes: list[str] | None
    architectures: list[str] | None
    package: Package
    created_ms: int

    @property
    def layer_arn(self) -> str:
        """The ARN of its layer."""
        return layer_arn(self.key)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return version_arn(self.key, self.number)


class Compatibility(msgspec.Struct, frozen=True):
    """Which versions a list shall have: those that say they work with a runtime, an architecture or both."""

    runtime: str | None
    architecture: str | None

    def patterns(self) -> tuple[str, str]:
        """Return what LIKE compares the two columns with."""
        return _like(self.runtime), _like(self.architecture)


def publish(tx: Tx, version: LayerVersion) -> LayerVersion:
    """Write a new version and return it with its number."""
    tx.run(COUNT_VERSION, *version.key)
    row = tx.one(SELECT_LAST_VERSION, *version.key)
    assert row is not None
    published = msgspec.structs.replace(version, number=row[0])
    tx.run(
        INSERT_VERSION,
        *published.key,
        published.number,
        published.description,
        published.license_info,
        msgspec.json.encode(published.runtimes).decode(),
        msgspec.json.encode(published.architectures).decode(),
        published.package.digest,
        published.package.size_bytes,
        published.created_ms,
    )
    return published


def find(tx: Tx, key: LayerKey, number: int) -> LayerVersion | None:
    """Return a version, or None."""
    row = tx.one(SELECT_VERSION, *key, number)
    return _from_row(key, row) if row else None


def before(tx: Tx, key: LayerKey, number: int, compatibility: Compatibility, limit: int) -> list[LayerVersion]:
    """Return up to `limit` versions of a layer with lower numbers, the newest first."""
    rows = tx.all(SELECT_VERSIONS_BEFORE, *key, number, *compatibility.patterns(), limit)
    return [_from_row(key, row) for row in rows]


def newest_after(
    tx: Tx, account: str, region: str, name: str, compatibility: Compatibility, limit: int
) -> list[LayerVersion]:
    """Return the newest version of each of up to `limit` layers that sort behind `name`."""
    rows = tx.all(SELECT_NEWEST_AFTER, account, region, name, *compatibility.patterns(), limit)
    found = [find(tx, LayerKey(account, region, row[0]), row[1]) for row in rows]
    return [version for version in found if version is not None]


def delete(tx: Tx, key: LayerKey, number: int) -> None:
    """Delete a version, if it is there."""
    tx.run(DELETE_VERSION, *key, number)


def _like(value: str | None) -> str:
    return "%" if value is None else f'%"{value}"%'


def _from_row(key: LayerKey, row: Row) -> LayerVersion:
    _, number, description, license_info, runtimes, architectures, digest, size_bytes, created_ms = row
    return LayerVersion(
        key=key,
        number=number,
        description=description,
        license_info=license_info,
        runtimes=msgspec.json.decode(runtimes),
        architectures=msgspec.json.decode(architectures),
        package=Package(digest, size_bytes),
        created_ms=created_ms,
    )
