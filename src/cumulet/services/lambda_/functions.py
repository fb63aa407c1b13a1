"""Functions as records: find, create, change, delete. A `Function` is immutable and cached by `Directory`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from cumulet import compute
from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_.configuration import Configuration
from cumulet.services.lambda_.errors import (
    CodeStorageExceededException,
    ResourceConflictException,
    function_not_found,
)
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, function_arn
from cumulet.store import Row, Tx, Value

_COLUMNS = """
account, region, name, revision, configuration, package, package_bytes, tags, reserved_concurrency, modified_at,
deployment, last_version, recursive_loop, code_signing"""
_SELECT = f"SELECT {_COLUMNS} FROM lambda_functions"
SELECT_FUNCTION = f"{_SELECT} WHERE account = ? AND region = ? AND name = ?"
SELECT_FUNCTIONS_FROM = f"{_SELECT} WHERE account = ? AND region = ? AND name >= ? ORDER BY name LIMIT ?"
SELECT_FUNCTIONS_AFTER = f"{_SELECT} WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?"
INSERT_FUNCTION = f"""
INSERT INTO lambda_functions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
UPDATE_FUNCTION = """
UPDATE lambda_functions SET revision = ?, configuration = ?, package = ?, package_bytes = ?, tags = ?,
                            reserved_concurrency = ?, modified_at = ?, deployment = ?, last_version = ?,
                            recursive_loop = ?, code_signing = ?
WHERE account = ? AND region = ? AND name = ?"""
DELETE_FUNCTION = "DELETE FROM lambda_functions WHERE account = ? AND region = ? AND name = ?"
SELECT_TOTALS = """
SELECT COUNT(*), COALESCE(SUM(package_bytes), 0) FROM lambda_functions WHERE account = ? AND region = ?"""
SELECT_VERSIONS_BYTES = """
SELECT COALESCE(SUM(package_bytes), 0) FROM lambda_versions WHERE account = ? AND region = ?"""
SELECT_LAYERS_BYTES = """
SELECT COALESCE(SUM(package_bytes), 0) FROM lambda_layer_versions WHERE account = ? AND region = ?"""
SELECT_EVERY_RESERVED = f"{_SELECT} WHERE reserved_concurrency IS NOT NULL"
SELECT_RESERVED = """
SELECT COALESCE(SUM(reserved_concurrency), 0) FROM lambda_functions
WHERE account = ? AND region = ? AND reserved_concurrency > 0"""

NETWORK_TAG = "cumulet:network"
"""With the value `none`, new environments of the function reach the platform and no other machine."""


class Package(msgspec.Struct, frozen=True):
    """The zip file with a function's code: its SHA-256 in hexadecimal, and its size."""

    digest: str
    size_bytes: int


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """One function, or one published version of it, as it is on disk; it is always in the state Active."""

    account: str
    region: str
    name: str
    version: str = LATEST
    """`$LATEST`, or the number of a published version; tags and concurrency are the function's then, too."""
    revision: str
    """Lambda's RevisionId: changes with each change, of permissions too."""
    deployment: str
    """Changes with each change of code or configuration: environments are of one deployment."""
    last_version: int = 0
    """The number of the version that was published last, if it is there or not."""
    configuration: Configuration
    package: Package
    tags: dict[str, str]
    reserved_concurrency: int | None = None
    modified_ms: int
    recursive_loop: Literal["Allow", "Terminate"] = "Terminate"
    """What becomes of an invocation that is one too many in a loop."""
    code_signing: str | None = None
    """The id of the code signing configuration that new code is checked by."""

    @property
    def arn(self) -> str:
        """The function's ARN, without a qualifier."""
        return function_arn(self.account, self.region, self.name)

    @property
    def version_arn(self) -> str:
        """The ARN with the number of a published version, without a qualifier for `$LATEST`."""
        return self.arn if self.version == LATEST else f"{self.arn}:{self.version}"

    @property
    def key(self) -> FunctionKey:
        """Which function it is."""
        return FunctionKey(self.account, self.region, self.name)

    def to_compute(self, package: Path) -> compute.Function:
        """Return what runs it; `package` is the path of its zip file, beside which those of its layers are."""
        settings = self.configuration
        return compute.Function(
            arn=self.arn,
            account=self.account,
            region=self.region,
            name=self.name,
            version=self.version,
            revision=self.deployment,
            runtime=settings.runtime,
            handler=settings.handler,
            role_arn=settings.role_arn,
            memory_mb=settings.memory_mb,
            timeout_seconds=settings.timeout_seconds,
            tmp_mb=settings.tmp_mb,
            package=package,
            layers=tuple(package.with_name(f"{layer.digest}{package.suffix}") for layer in settings.layers),
            variables=tuple((settings.variables or {}).items()),
            log_group=settings.logging.group,
            has_network=self.tags.get(NETWORK_TAG) != "none",
            log_format=settings.logging.format,
            application_log_level=settings.logging.application_level,
            system_log_level=settings.logging.system_level,
            tracing_mode=settings.tracing,
        )


def find(tx: Tx, account: str, region: str, name: str) -> Function | None:
    """Return the function of that name, or None."""
    row = tx.one(SELECT_FUNCTION, account, region, name)
    return _from_row(row) if row else None


def load(tx: Tx, key: FunctionKey) -> Function:
    """Return the function as it is in this transaction; raises ResourceNotFoundException."""
    function = find(tx, *key)
    if function is None:
        raise function_not_found(function_arn(*key))
    return function


def after(tx: Tx, account: str, region: str, name: str, limit: int) -> list[Function]:
    """Return up to `limit` functions of an account in a region that sort behind `name`."""
    return [_from_row(row) for row in tx.all(SELECT_FUNCTIONS_AFTER, account, region, name, limit)]


def since(tx: Tx, account: str, region: str, name: str, limit: int) -> list[Function]:
    """Return up to `limit` functions of an account in a region, that of `name` and those behind it."""
    return [_from_row(row) for row in tx.all(SELECT_FUNCTIONS_FROM, account, region, name, limit)]


def create(tx: Tx, function: Function) -> Function:
    """Write a new function; raises ResourceConflictException where its name is taken."""
    if find(tx, *function.key) is not None:
        raise name_taken(function.name)
    tx.run(INSERT_FUNCTION, *function.key, *_values(function))
    return function


def save(tx: Tx, function: Function) -> Function:
    """Write a changed function and return it."""
    tx.run(UPDATE_FUNCTION, *_values(function), *function.key)
    return function


def delete(tx: Tx, key: FunctionKey) -> Function:
    """Delete a function and return what it was; raises ResourceNotFoundException."""
    function = load(tx, key)
    tx.run(DELETE_FUNCTION, *key)
    return function


def totals(tx: Tx, account: str, region: str) -> tuple[int, int]:
    """Return how many functions an account has in a region, and the bytes of their, their versions' and its layers'
    packages.
    """
    row = tx.one(SELECT_TOTALS, account, region)
    assert row is not None
    others = [tx.one(query, account, region) for query in (SELECT_VERSIONS_BYTES, SELECT_LAYERS_BYTES)]
    return row[0], row[1] + sum(other[0] for other in others if other is not None)


def reserved(tx: Tx, account: str, region: str) -> int:
    """Return how many concurrent executions an account has reserved for functions of a region."""
    row = tx.one(SELECT_RESERVED, account, region)
    assert row is not None
    return int(row[0])


def check_storage(tx: Tx, account: str, region: str, most_bytes: int) -> None:
    """Raise CodeStorageExceededException where an account's packages in a region are larger than allowed."""
    if totals(tx, account, region)[1] > most_bytes:
        raise CodeStorageExceededException("Code storage limit exceeded.", Type="User")


def name_taken(name: str) -> AwsError:
    """Return the error for the name of a function that exists already."""
    return ResourceConflictException(f"Function already exist: {name}", Type="User")


def every_reserved(tx: Tx) -> list[Function]:
    """Return all functions that have concurrency reserved, if only 0."""
    return [_from_row(row) for row in tx.all(SELECT_EVERY_RESERVED)]


def is_any_there(tx: Tx) -> bool:
    """Is there a function?"""
    return tx.one("SELECT 1 FROM lambda_functions LIMIT 1") is not None


def _values(function: Function) -> tuple[Value, ...]:
    """Return the values of all columns behind those of the key."""
    return (
        function.revision,
        msgspec.json.encode(function.configuration).decode(),
        function.package.digest,
        function.package.size_bytes,
        msgspec.json.encode(function.tags).decode(),
        function.reserved_concurrency,
        function.modified_ms,
        function.deployment,
        function.last_version,
        function.recursive_loop,
        function.code_signing,
    )


def _from_row(row: Row) -> Function:
    return Function(
        account=row[0],
        region=row[1],
        name=row[2],
        revision=row[3],
        configuration=msgspec.json.decode(row[4], type=Configuration),
        package=Package(row[5], row[6]),
        tags=msgspec.json.decode(row[7], type=dict[str, str]),
        reserved_concurrency=row[8],
        modified_ms=row[9],
        deployment=row[10],
        last_version=row[11],
        recursive_loop=row[12],
        code_signing=row[13],
    )
