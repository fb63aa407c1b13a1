"""The RevisionId of functions, versions and aliases, which the policy of each shares and changes."""

from __future__ import annotations

import msgspec

from cumulet.services.lambda_ import aliases, functions, versions
from cumulet.services.lambda_.errors import function_not_found
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, qualified_arn, version_number
from cumulet.services.lambda_.functions import Function
from cumulet.store import Tx


def current(tx: Tx, key: FunctionKey, qualifier: str | None) -> str:
    """Return the RevisionId of a function, version or alias; raises ResourceNotFoundException."""
    if qualifier is None or qualifier == LATEST:
        return functions.load(tx, key).revision
    if qualifier.isdecimal():
        return versions.load(tx, key, _number(key, qualifier)).revision
    return aliases.load(tx, key, qualifier).revision


def change(tx: Tx, key: FunctionKey, qualifier: str | None, revision: str) -> Function | None:
    """Give what is there a new RevisionId; return the function, where it is one."""
    if qualifier is None or qualifier == LATEST:
        return functions.save(tx, msgspec.structs.replace(functions.load(tx, key), revision=revision))
    if qualifier.isdecimal():
        versions.change_revision(tx, key, _number(key, qualifier), revision)
    else:
        aliases.save(tx, key, msgspec.structs.replace(aliases.load(tx, key, qualifier), revision=revision))
    return None


def _number(key: FunctionKey, qualifier: str) -> int:
    number = version_number(qualifier)
    if number is None:
        raise function_not_found(qualified_arn(key, qualifier))
    return number
