"""Provisioned concurrency as it was asked for: so many environments for a version or an alias. What is there of it is
`Provisioning`'s to know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_ import aliases, functions, versions
from cumulet.services.lambda_.aliases import Alias
from cumulet.services.lambda_.errors import ResourceConflictException, function_not_found, invalid
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, qualified_arn, version_number
from cumulet.services.lambda_.functions import Function
from cumulet.store import Tx

LEAST_UNRESERVED = 100
"""Lambda: what must be left of an account's concurrency for functions that have none for themselves."""
_COLUMNS = "qualifier, executions, modified_at"
_SELECT = f"SELECT {_COLUMNS} FROM lambda_provisioned WHERE account = ? AND region = ? AND function_name = ?"
SELECT_PROVISIONED = f"{_SELECT} AND qualifier = ?"
SELECT_PROVISIONED_AFTER = f"{_SELECT} AND qualifier > ? ORDER BY qualifier LIMIT ?"
SELECT_PROVISIONED_OF_FUNCTION = f"{_SELECT} ORDER BY qualifier"
SELECT_PROVISIONED_FUNCTIONS = "SELECT DISTINCT account, region, function_name FROM lambda_provisioned"
SELECT_PROVISIONED_UNRESERVED = """
SELECT COALESCE(SUM(p.executions), 0) FROM lambda_provisioned p
JOIN lambda_functions f ON f.account = p.account AND f.region = p.region AND f.name = p.function_name
WHERE p.account = ? AND p.region = ? AND f.reserved_concurrency IS NULL"""
PUT_PROVISIONED = """
INSERT INTO lambda_provisioned (account, region, function_name, qualifier, executions, modified_at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (account, region, function_name, qualifier)
DO UPDATE SET executions = excluded.executions, modified_at = excluded.modified_at"""
DELETE_PROVISIONED = """
DELETE FROM lambda_provisioned WHERE account = ? AND region = ? AND function_name = ? AND qualifier = ?"""
DELETE_PROVISIONED_OF_FUNCTION = """
DELETE FROM lambda_provisioned WHERE account = ? AND region = ? AND function_name = ?"""


class Provisioned(NamedTuple):
    """What was asked for."""

    qualifier: str
    executions: int
    modified_ms: int


class Part(NamedTuple):
    """What a version needs for a qualifier."""

    qualifier: str
    version: str
    executions: int


def load(tx: Tx, key: FunctionKey, qualifier: str) -> tuple[Provisioned | None, list[Part]]:
    """Return what was asked for with a qualifier; raises ResourceNotFoundException for one that isn't there."""
    alias = _target(tx, key, qualifier)
    found = _find(tx, key, qualifier)
    return found, [] if found is None else list(_parts(found, alias))


def after(tx: Tx, key: FunctionKey, qualifier: str, limit: int) -> list[tuple[Provisioned, list[Part]]]:
    """Return up to `limit` of a function whose qualifiers sort behind; raises ResourceNotFoundException."""
    functions.load(tx, key)
    found = [Provisioned(*row) for row in tx.all(SELECT_PROVISIONED_AFTER, *key, qualifier, limit)]
    return [(each, list(_parts(each, aliases.find(tx, key, each.qualifier)))) for each in found]


def put(tx: Tx, key: FunctionKey, wanted: Provisioned, account_limit: int) -> list[Part]:
    """Ask for environments, more or fewer than before, and return what which version needs for it.

    Raises ResourceNotFoundException, ResourceConflictException, InvalidParameterValueException.
    """
    alias = _target(tx, key, wanted.qualifier)
    parts = list(_parts(wanted, alias))
    if any(part.version == LATEST for part in parts):
        raise unpublished()
    _check_conflicts(tx, key, wanted.qualifier, parts, is_alias=alias is not None)
    _check_limits(tx, functions.load(tx, key), wanted, account_limit)
    tx.run(PUT_PROVISIONED, *key, *wanted)
    return parts


def check_alias(tx: Tx, key: FunctionKey, alias: Alias) -> None:
    """Raise InvalidParameterValueException for an alias that has environments and shall mean what can't have any."""
    if alias.version == LATEST and _find(tx, key, alias.name) is not None:
        raise unpublished()


def delete(tx: Tx, key: FunctionKey, qualifier: str) -> None:
    """Ask for none, if any were; raises ResourceNotFoundException for a qualifier that isn't there."""
    _target(tx, key, qualifier)
    forget(tx, key, qualifier)


def forget(tx: Tx, key: FunctionKey, qualifier: str | None = None) -> None:
    """Delete what was asked for a version or alias that is deleted, or all of a function."""
    if qualifier is None:
        tx.run(DELETE_PROVISIONED_OF_FUNCTION, *key)
    else:
        tx.run(DELETE_PROVISIONED, *key, qualifier)


def needs(tx: Tx, key: FunctionKey) -> list[Part]:
    """Return what the versions of a function need; at most the account's concurrency in all."""
    return [
        part
        for row in tx.all(SELECT_PROVISIONED_OF_FUNCTION, *key)
        for part in _parts(Provisioned(*row), aliases.find(tx, key, row[0]))
    ]


def total(tx: Tx, key: FunctionKey) -> int:
    """Return what was asked for all versions and aliases of a function together."""
    return sum(row[1] for row in tx.all(SELECT_PROVISIONED_OF_FUNCTION, *key))


def unreserved_total(tx: Tx, account: str, region: str) -> int:
    """Return what was asked for functions that have nothing reserved."""
    row = tx.one(SELECT_PROVISIONED_UNRESERVED, account, region)
    assert row is not None
    return int(row[0])


def every_function(tx: Tx) -> list[FunctionKey]:
    """Return all functions for which something was asked."""
    return [FunctionKey(*row) for row in tx.all(SELECT_PROVISIONED_FUNCTIONS)]


def unpublished() -> AwsError:
    """Return the error for `$LATEST`, also by an alias."""
    return invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")


def too_little_left(what: str, least: int) -> AwsError:
    """Return the error where too little of the account's concurrency would be left."""
    return invalid(
        f"Specified {what} for function decreases account's UnreservedConcurrentExecution below its minimum value "
        f"of [{least}]."
    )


def _find(tx: Tx, key: FunctionKey, qualifier: str) -> Provisioned | None:
    row = tx.one(SELECT_PROVISIONED, *key, qualifier)
    return Provisioned(*row) if row else None


def _target(tx: Tx, key: FunctionKey, qualifier: str) -> Alias | None:
    """Return the alias that a qualifier names, None for a version."""
    if qualifier.isdecimal():
        number = version_number(qualifier)
        if number is None or versions.find(tx, key, number) is None:
            raise function_not_found(qualified_arn(key, qualifier))
        return None
    return aliases.load(tx, key, qualifier)


def _parts(asked: Provisioned, alias: Alias | None) -> Iterator[Part]:
    """Lambda: an alias with weights has its environments shared out between its versions."""
    if alias is None:
        yield Part(asked.qualifier, asked.qualifier, asked.executions)
        return
    more = 0
    if alias.additional_version is not None:
        more = round(asked.executions * alias.additional_weight)
        if more:
            yield Part(asked.qualifier, alias.additional_version, more)
    if asked.executions > more:
        yield Part(asked.qualifier, alias.version, asked.executions - more)


def _check_conflicts(tx: Tx, key: FunctionKey, qualifier: str, parts: list[Part], *, is_alias: bool) -> None:
    """Lambda: a version has provisioned concurrency of its own, or by aliases, not both."""
    if is_alias:
        if any(_find(tx, key, part.version) is not None for part in parts):
            raise ResourceConflictException(
                "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
                Type="User",
            )
    elif any(part.version == qualifier != part.qualifier for part in needs(tx, key)):
        raise ResourceConflictException("Version is pointed by a Provisioned Concurrency alias", Type="User")


def _check_limits(tx: Tx, function: Function, wanted: Provisioned, account_limit: int) -> None:
    key = function.key
    before = _find(tx, key, wanted.qualifier)
    mine = total(tx, key) - (before.executions if before else 0) + wanted.executions
    if function.reserved_concurrency is not None:
        if mine > function.reserved_concurrency:
            raise invalid(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                "function"
            )
        return
    others = functions.reserved(tx, key.account, key.region)
    others += unreserved_total(tx, key.account, key.region) - (before.executions if before else 0)
    if wanted.executions > account_limit - others:
        raise invalid(
            "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
            f"[{account_limit - others}]."
        )
    least = min(LEAST_UNRESERVED, account_limit)
    if others + wanted.executions > account_limit - least:
        raise too_little_left("ConcurrentExecutions", least)
