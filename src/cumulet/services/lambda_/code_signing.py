"""Code signing configurations: whose signatures a function's code needs, and what happens to code without one.

There is nothing here that signs code, and a zip file that is part of a request carries no signature on AWS either: all
packages and layers are untrusted. `Enforce` refuses them, `Warn` lets them pass.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from cumulet.kernel.arns import parse_arn, partition_of
from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_.errors import (
    CodeSigningConfigNotFoundException,
    CodeVerificationFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from cumulet.services.lambda_.function_names import function_arn
from cumulet.store import Row, Tx

_COLUMNS = "account, region, id, description, publishers, policy, tags, modified_at"
_SELECT = f"SELECT {_COLUMNS} FROM lambda_code_signing_configs WHERE account = ? AND region = ?"
SELECT_CONFIG = f"{_SELECT} AND id = ?"
SELECT_CONFIGS_AFTER = f"{_SELECT} AND id > ? ORDER BY id LIMIT ?"
PUT_CONFIG = f"""
INSERT INTO lambda_code_signing_configs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (account, region, id) DO UPDATE SET description = excluded.description, publishers = excluded.publishers,
    policy = excluded.policy, tags = excluded.tags, modified_at = excluded.modified_at"""
DELETE_CONFIG = "DELETE FROM lambda_code_signing_configs WHERE account = ? AND region = ? AND id = ?"
SELECT_FUNCTIONS_AFTER = """
SELECT name FROM lambda_functions WHERE account = ? AND region = ? AND code_signing = ? AND name > ?
ORDER BY name LIMIT ?"""
ID_LENGTH = 17
"""Lambda: of the random part of an id."""
KIND = "code-signing-config"


class CodeSigningConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration."""

    account: str
    region: str
    id: str
    description: str
    publishers: list[str]
    """The ARNs of signing profile versions."""
    policy: Literal["Warn", "Enforce"] = "Warn"
    tags: dict[str, str]
    modified_ms: int

    @property
    def arn(self) -> str:
        """Its ARN."""
        return config_arn(self.account, self.region, self.id)


def config_arn(account: str, region: str, config_id: str) -> str:
    """Return the ARN of a configuration."""
    return f"arn:{partition_of(region)}:lambda:{region}:{account}:{KIND}:{config_id}"


def find(tx: Tx, arn: str) -> CodeSigningConfig | None:
    """Return the configuration with an ARN, whose pattern is checked already, or None."""
    named = parse_arn(arn)
    assert named is not None
    row = tx.one(SELECT_CONFIG, named.account, named.region, named.resource.removeprefix(f"{KIND}:"))
    return _from_row(row) if row else None


def load(tx: Tx, arn: str) -> CodeSigningConfig:
    """Return the configuration with an ARN; raises ResourceNotFoundException."""
    config = find(tx, arn)
    if config is None:
        raise ResourceNotFoundException(f"The Lambda code signing configuration {arn} can not be found.")
    return config


def load_for_function(tx: Tx, account: str, region: str, arn: str) -> CodeSigningConfig:
    """Return the configuration that a function of an account shall have; raises CodeSigningConfigNotFoundException."""
    config = find(tx, arn)
    if config is None or (config.account, config.region) != (account, region):
        raise CodeSigningConfigNotFoundException(
            "The code signing configuration cannot be found. "
            f"Check that the provided configuration is not deleted: {arn}.",
            Type="User",
        )
    return config


def save(tx: Tx, config: CodeSigningConfig) -> CodeSigningConfig:
    """Write a configuration and return it."""
    tx.run(
        PUT_CONFIG,
        config.account,
        config.region,
        config.id,
        config.description,
        msgspec.json.encode(config.publishers).decode(),
        config.policy,
        msgspec.json.encode(config.tags).decode(),
        config.modified_ms,
    )
    return config


def delete(tx: Tx, arn: str) -> None:
    """Delete a configuration; raises ResourceNotFoundException, and ResourceConflictException while one uses it."""
    config = load(tx, arn)
    if functions_after(tx, config, "", 1):
        raise ResourceConflictException(
            f"Cannot delete code signing configuration {arn} because one or more functions use it.", Type="User"
        )
    tx.run(DELETE_CONFIG, config.account, config.region, config.id)


def after(tx: Tx, account: str, region: str, config_id: str, limit: int) -> list[CodeSigningConfig]:
    """Return up to `limit` configurations that sort behind an id."""
    return [_from_row(row) for row in tx.all(SELECT_CONFIGS_AFTER, account, region, config_id, limit)]


def functions_after(tx: Tx, config: CodeSigningConfig, name: str, limit: int) -> list[str]:
    """Return the names of up to `limit` functions with a configuration that sort behind `name`."""
    rows = tx.all(SELECT_FUNCTIONS_AFTER, config.account, config.region, config.id, name, limit)
    return [row[0] for row in rows]


def check_deployment(tx: Tx, account: str, region: str, config_id: str | None, artifact: str) -> None:
    """Raise CodeVerificationFailedException where a function's configuration lets no unsigned code or layer pass.

    `artifact` is what has no signature: the function's name, or the ARN of a layer.
    """
    config = find(tx, config_arn(account, region, config_id)) if config_id else None
    if config is not None and config.policy == "Enforce":
        raise verification_failed(artifact)


def verification_failed(artifact: str) -> AwsError:
    """Return the error for code or a layer without a trusted signature."""
    return CodeVerificationFailedException(
        "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client "
        f"is not configured to accept. Check the provided signature for {artifact}.",
        Type="User",
    )


def function_arns(config: CodeSigningConfig, names: list[str]) -> list[str]:
    """Return the ARNs of functions."""
    return [function_arn(config.account, config.region, name) for name in names]


def _from_row(row: Row) -> CodeSigningConfig:
    account, region, config_id, description, publishers, policy, tags, modified_ms = row
    return CodeSigningConfig(
        account=account,
        region=region,
        id=config_id,
        description=description,
        publishers=msgspec.json.decode(publishers, type=list[str]),
        policy=policy,
        tags=msgspec.json.decode(tags, type=dict[str, str]),
        modified_ms=modified_ms,
    )
