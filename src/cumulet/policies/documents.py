"""Policy documents: their grammar, as IAM documents it, and the policy that they are compiled to.

All that is read is evaluated: what has no meaning is refused, so that no statement is kept without its effect. Whether
actions, condition keys and principals exist is not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cumulet.policies.conditions import Condition, condition
from cumulet.policies.globs import Glob, pieces
from cumulet.policies.policy import Policy, Statement
from cumulet.policies.principals import KINDS, Principals
from cumulet.policies.reading import MalformedPolicy
from cumulet.policies.texts import Text

NEWEST, OLDEST = "2012-10-17", "2008-10-17"
VERSIONS = (NEWEST, OLDEST)
"""Where a document has none it is the older one, which knows no variables."""
MEMBERS = frozenset({"Version", "Id", "Statement"})
STATEMENT_MEMBERS = frozenset(
    {
        *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"),
        "Condition",
    }
)
EMPTY = '{"Statement":[]}'


def parsed(text: str) -> Policy:
    """Return the policy of a text, which may have no statements; raises MalformedPolicy."""
    try:
        document = orjson.loads(text)
    except ValueError:
        raise MalformedPolicy("it is not JSON") from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise MalformedPolicy("it is not an object with Statement")
    _check_members(document, MEMBERS)
    version = document.get("Version", OLDEST)
    if version not in VERSIONS:
        raise MalformedPolicy(f"Version must be one of {', '.join(VERSIONS)}")
    if not isinstance(document.get("Id", ""), str):
        raise MalformedPolicy("Id must be a string")
    statements = many(document["Statement"])
    if not all(isinstance(each, dict) for each in statements):
        raise MalformedPolicy("Statement must be an object, or a list of some")
    return Policy([_statement(each, has_variables=version == NEWEST) for each in statements])


def _statement(given: dict[str, Any], *, has_variables: bool) -> Statement:
    _check_members(given, STATEMENT_MEMBERS)
    if not isinstance(given.get("Sid", ""), str):
        raise MalformedPolicy("a Sid must be a string")
    if given[_needed(given, "Effect")] not in ("Allow", "Deny"):
        raise MalformedPolicy("an Effect must be Allow or Deny")
    principal, actions, resources = _needed(given, "Principal"), _needed(given, "Action"), _one_of(given, "Resource")
    return Statement(
        is_denial=given["Effect"] == "Deny",
        principals=_principals(given[principal]),
        is_not_principal=principal == "NotPrincipal",
        actions=[Glob(pieces(action.lower())) for action in _texts(given[actions], actions)],
        is_not_action=actions == "NotAction",
        resources=None
        if resources is None
        else [Text(_whole(arn), has_variables=has_variables) for arn in _texts(given[resources], resources)],
        is_not_resource=resources == "NotResource",
        conditions=_conditions(given.get("Condition", {}), has_variables=has_variables),
    )


def _one_of(given: Mapping[str, Any], name: str) -> str | None:
    """Return which of an element and its Not is there."""
    found = [each for each in (name, f"Not{name}") if each in given]
    if len(found) > 1:
        raise MalformedPolicy(f"a statement can't have both {name} and Not{name}")
    return found[0] if found else None


def _needed(given: Mapping[str, Any], name: str) -> str:
    found = _one_of(given, name)
    if found is None:
        raise MalformedPolicy(f"a statement has no {name}")
    return found


def _principals(given: Any) -> Principals:
    if given == "*":
        return Principals.of("*")
    if not isinstance(given, dict) or not given:
        raise MalformedPolicy("a Principal must be * or an object")
    _check_members(given, frozenset(KINDS))
    return Principals.of({kind: _texts(names, kind) for kind, names in given.items()})


def _conditions(given: Any, *, has_variables: bool) -> list[Condition]:
    if not isinstance(given, dict) or not all(isinstance(keys, dict) for keys in given.values()):
        raise MalformedPolicy("a Condition must be an object of operators, each with an object of keys")
    found: list[Condition] = []
    for operator, keys in given.items():
        for key, values in keys.items():
            wanted = tuple(Text(value_text(each), has_variables=has_variables) for each in many(values))
            made = condition(operator, key, wanted)
            if made is None:
                raise MalformedPolicy(f"{operator} is no operator of a Condition")
            found.append(made)
    return found


def value_text(given: Any) -> str:
    """Return a value of a Condition as it is compared; raises MalformedPolicy."""
    if isinstance(given, bool):
        return str(given).lower()
    if not isinstance(given, str | int | float):
        raise MalformedPolicy("a value of a Condition must be a string, a number or a boolean")
    return str(given)


def _texts(given: Any, name: str) -> list[str]:
    texts = many(given)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise MalformedPolicy(f"{name} must be a string, or a list of some")
    return texts


def _whole(resource: str) -> str:
    """IAM: the parts that an ARN lacks at its end are wildcards."""
    missing = 5 - resource.count(":")
    return resource + ":*" * missing if resource.startswith("arn:") and "${" not in resource else resource


def _check_members(given: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in given:
        if name not in known:
            raise MalformedPolicy(f"it has the unknown element {name}")


def many(value: Any) -> list[Any]:
    """Return the values of what may be one or a list."""
    return value if isinstance(value, list) else [value]
