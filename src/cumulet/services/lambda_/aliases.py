"""Aliases: names for a version of a function, or for two of them by weight."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_ import functions
from cumulet.services.lambda_.configuration import Configuration
from cumulet.services.lambda_.errors import (
    ResourceConflictException,
    function_not_found,
    invalid,
    invalid_untyped,
    not_found,
    wrong_revision,
)
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, qualified_arn, version_number
from cumulet.services.lambda_.versions import find as find_version
from cumulet.store import Row, Tx

_COLUMNS = "name, revision, version, additional_version, additional_weight, description"
_SELECT = f"SELECT {_COLUMNS} FROM lambda_aliases WHERE account = ? AND region = ? AND function_name = ?"
SELECT_ALIAS = f"{_SELECT} AND name = ?"
SELECT_ALIASES_AFTER = f"{_SELECT} AND name > ? ORDER BY name LIMIT ?"
SELECT_OF_VERSION_AFTER = f"{_SELECT} AND version = ? AND name > ? ORDER BY name LIMIT ?"
INSERT_ALIAS = f"""
INSERT INTO lambda_aliases (account, region, function_name, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
UPDATE_ALIAS = """
UPDATE lambda_aliases SET revision = ?, version = ?, additional_version = ?, additional_weight = ?, description = ?
WHERE account = ? AND region = ? AND function_name = ? AND name = ?"""
DELETE_ALIAS = "DELETE FROM lambda_aliases WHERE account = ? AND region = ? AND function_name = ? AND name = ?"
DELETE_ALIASES = "DELETE FROM lambda_aliases WHERE account = ? AND region = ? AND function_name = ?"
MOST_ADDITIONAL_VERSIONS = 1


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """One alias."""

    name: str
    revision: str
    version: str
    """A number, or `$LATEST`."""
    additional_version: str | None = None
    additional_weight: float = 0.0
    """Which part of the invocations is the additional version's, 0.0 to 1.0."""
    description: str = ""

    def version_at(self, chance: float) -> str:
        """Return the version for an invocation; `chance` is random and below 1.0, or 1.0 for the main version."""
        if self.additional_version is not None and chance < self.additional_weight:
            return self.additional_version
        return self.version


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of an alias; None leaves things as they are."""

    version: str | None = None
    weights: Mapping[str, float] | None = None
    description: str | None = None

    def of(self, before: Alias) -> Alias:
        """Return the changed alias; raises InvalidParameterValueException for what can't be together."""
        changes: dict[str, object] = {}
        if self.version is not None:
            changes["version"] = self.version
        if self.description is not None:
            changes["description"] = self.description
        if self.weights is not None:
            if len(self.weights) > MOST_ADDITIONAL_VERSIONS:
                raise invalid(
                    f"Number of items in AdditionalVersionWeights cannot be greater than {MOST_ADDITIONAL_VERSIONS}"
                )
            version, weight = next(iter(self.weights.items()), (None, 0.0))
            changes |= {"additional_version": version, "additional_weight": weight}
        after = msgspec.structs.replace(before, **changes)
        if after.additional_version is None:
            return after
        if after.version == LATEST:
            raise invalid_untyped("$LATEST is not supported for an alias pointing to more than 1 version")
        if after.version == after.additional_version:
            raise invalid(
                f"Invalid function version {after.version}. Function version {after.version} is already included in "
                "routing configuration."
            )
        return after


def find(tx: Tx, key: FunctionKey, name: str) -> Alias | None:
    """Return an alias of a function, or None."""
    row = tx.one(SELECT_ALIAS, *key, name)
    return _from_row(row) if row else None


def load(tx: Tx, key: FunctionKey, name: str) -> Alias:
    """Return an alias; raises ResourceNotFoundException."""
    alias = find(tx, key, name)
    if alias is None:
        raise not_there(key, name)
    return alias


def after(tx: Tx, key: FunctionKey, name: str, limit: int, *, version: str | None) -> list[Alias]:
    """Return up to `limit` aliases of a function that sort behind `name`, those of one version where it is named."""
    if version is not None:
        return [_from_row(row) for row in tx.all(SELECT_OF_VERSION_AFTER, *key, version, name, limit)]
    return [_from_row(row) for row in tx.all(SELECT_ALIASES_AFTER, *key, name, limit)]


def create(tx: Tx, key: FunctionKey, name: str, change: Change, revision: str) -> Alias:
    """Make an alias.

    Raises ResourceNotFoundException for a version that isn't there, ResourceConflictException where the name is taken.
    """
    alias = change.of(Alias(name=name, revision=revision, version=LATEST))
    _check_versions(tx, key, alias)
    if find(tx, key, name) is not None:
        raise ResourceConflictException(f"Alias already exists: {qualified_arn(key, name)}", Type="User")
    additional = (alias.additional_version, alias.additional_weight)
    tx.run(INSERT_ALIAS, *key, name, revision, alias.version, *additional, alias.description)
    return alias


def update(tx: Tx, key: FunctionKey, name: str, change: Change, *, known_revision: str | None, revision: str) -> Alias:
    """Change an alias; raises ResourceNotFoundException, PreconditionFailedException."""
    before = find(tx, key, name)
    if before is None:
        raise not_found(f"Alias not found: {qualified_arn(key, name)}")
    if known_revision not in (None, before.revision):
        raise wrong_revision()
    alias = msgspec.structs.replace(change.of(before), revision=revision)
    _check_versions(tx, key, alias)
    save(tx, key, alias)
    return alias


def save(tx: Tx, key: FunctionKey, alias: Alias) -> None:
    """Write a changed alias."""
    additional = (alias.additional_version, alias.additional_weight)
    tx.run(UPDATE_ALIAS, alias.revision, alias.version, *additional, alias.description, *key, alias.name)


def delete(tx: Tx, key: FunctionKey, name: str) -> None:
    """Delete an alias, if it is there."""
    tx.run(DELETE_ALIAS, *key, name)


def delete_all(tx: Tx, key: FunctionKey) -> None:
    """Delete all aliases of a function."""
    tx.run(DELETE_ALIASES, *key)


def not_there(key: FunctionKey, name: str) -> AwsError:
    """Return the error for an alias that does not exist."""
    return not_found(f"Cannot find alias arn: {qualified_arn(key, name)}")


def _check_versions(tx: Tx, key: FunctionKey, alias: Alias) -> None:
    """Lambda: versions that share an alias have one role, and one dead-letter queue or none."""
    main = _source(tx, key, alias.version)
    if alias.additional_version is None:
        return
    additional = _source(tx, key, alias.additional_version)
    if main.role_arn != additional.role_arn:
        raise invalid("Specified versions must be associated with the same execution role")
    if main.dead_letter_arn != additional.dead_letter_arn:
        # AWS documents the rule; its words are not known.
        raise invalid("Specified versions must be associated with the same dead letter target")


def _source(tx: Tx, key: FunctionKey, version: str) -> Configuration:
    """Return the configuration of a version; raises ResourceNotFoundException."""
    if version == LATEST and (latest := functions.find(tx, *key)) is not None:
        return latest.configuration
    number = version_number(version)
    found = find_version(tx, key, number) if number else None
    if found is None:
        raise function_not_found(qualified_arn(key, version))
    return found.source


def _from_row(row: Row) -> Alias:
    name, revision, version, additional_version, additional_weight, description = row
    return Alias(
        name=name,
        revision=revision,
        version=version,
        additional_version=additional_version,
        additional_weight=additional_weight or 0.0,
        description=description,
    )
