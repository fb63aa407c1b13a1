"""When a function's runtime is to be updated. Here every runtime has one build for ever: it is shown, and no more.

Lambda: each version has its own; those without one have `Auto`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from cumulet.services.lambda_.errors import invalid
from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.store import Tx

SELECT_MANAGEMENT = """
SELECT update_on, runtime_version_arn FROM lambda_runtime_managements
WHERE account = ? AND region = ? AND function_name = ? AND version = ?"""
PUT_MANAGEMENT = """
INSERT INTO lambda_runtime_managements (account, region, function_name, version, update_on, runtime_version_arn)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (account, region, function_name, version)
DO UPDATE SET update_on = excluded.update_on, runtime_version_arn = excluded.runtime_version_arn"""
DELETE_MANAGEMENT = """
DELETE FROM lambda_runtime_managements WHERE account = ? AND region = ? AND function_name = ? AND version = ?"""
DELETE_MANAGEMENTS = """
DELETE FROM lambda_runtime_managements WHERE account = ? AND region = ? AND function_name = ?"""


class RuntimeManagement(msgspec.Struct, frozen=True):
    """When the runtime is updated, and to which build where that is set by hand."""

    update_on: Literal["Auto", "FunctionUpdate", "Manual"] = "Auto"
    runtime_version_arn: str | None = None


def checked(update_on: Literal["Auto", "FunctionUpdate", "Manual"], arn: str | None) -> RuntimeManagement:
    """Return what a request sets; raises InvalidParameterValueException where `Manual` and an ARN don't go together."""
    if update_on == "Manual" and not arn:
        raise invalid("RuntimeVersionArn is required when UpdateRuntimeOn is Manual.")
    if update_on != "Manual" and arn:
        raise invalid(f"RuntimeVersionArn can be set only when UpdateRuntimeOn is Manual, not {update_on}.")
    return RuntimeManagement(update_on, arn)


def find(tx: Tx, key: FunctionKey, version: str) -> RuntimeManagement:
    """Return what is set for a version, `$LATEST` or a number."""
    row = tx.one(SELECT_MANAGEMENT, *key, version)
    return RuntimeManagement(*row) if row else RuntimeManagement()


def save(tx: Tx, key: FunctionKey, version: str, management: RuntimeManagement) -> None:
    """Set it for a version, `$LATEST` or a number."""
    tx.run(PUT_MANAGEMENT, *key, version, management.update_on, management.runtime_version_arn)


def forget(tx: Tx, key: FunctionKey, version: str) -> None:
    """Delete what is set for a version."""
    tx.run(DELETE_MANAGEMENT, *key, version)


def forget_all(tx: Tx, key: FunctionKey) -> None:
    """Delete what is set for a function and its versions."""
    tx.run(DELETE_MANAGEMENTS, *key)
