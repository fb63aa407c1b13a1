"""Policy documents of PutResourcePolicy: read, checked, and brought into the form that AddPermission writes.

The grammar is that of all resource policies; Lambda wants a Resource besides, actions of its own, and principals that
can be. It is imported when such a document comes. AWS's words for what breaks it are not known.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import orjson

from cumulet import policies as resource_policies
from cumulet.kernel.errors import NotImplementedFailure
from cumulet.policies import NO_FACTS, MalformedPolicy
from cumulet.policies.documents import many, value_text
from cumulet.policies.texts import Text
from cumulet.services.lambda_ import policies
from cumulet.services.lambda_.errors import invalid
from cumulet.services.lambda_.policies import Policy, Statement

LACKING_PRINCIPALS = ("Federated", "CanonicalUser")
SID = re.compile(r"[a-zA-Z0-9_-]{1,100}")
ACTION = re.compile(r"\*|lambda:[a-zA-Z*?]+", re.IGNORECASE)


def statements(text: str, region: str, resource: str) -> Policy:
    """Return the statements of a document for `resource`, the ARN of a function, version or alias.

    Raises InvalidParameterValueException, NotImplementedFailure.
    """
    try:
        resource_policies.read(text)
    except MalformedPolicy as error:
        _refuse(str(error))
    found = [_statement(each, region, resource) for each in many(orjson.loads(text)["Statement"])]
    sids = [each["Sid"] for each in found if "Sid" in each]
    if len(set(sids)) < len(sids):
        _refuse("statements must have different Sids")
    return found


def _statement(given: dict[str, Any], region: str, resource: str) -> Statement:
    if not ("Resource" in given or "NotResource" in given):
        _refuse("a statement has no Resource")
    if "Sid" in given and not SID.fullmatch(given["Sid"]):
        _refuse("a Sid must have letters, digits, - and _ only")
    if not all(ACTION.fullmatch(action) for action in many(given.get("Action", given.get("NotAction")))):
        _refuse("an Action must be one of lambda")
    if not all(_is_about(pattern, resource) for pattern in many(given.get("Resource", []))):
        _refuse(f"a Resource must be {resource}")
    if any(not keys for keys in given.get("Condition", {}).values()):
        _refuse("a Condition must be an object of operators, each with an object of keys")
    made = {name: _principal(given[name], region) for name in ("Principal", "NotPrincipal") if name in given}
    return given | made | ({"Condition": _condition(given["Condition"])} if "Condition" in given else {})


def _is_about(pattern: str, resource: str) -> bool:
    """Return whether a Resource means the function; of one with variables it is not known before a request."""
    return pattern == "*" or "${" in pattern or Text(pattern, has_variables=False).is_like_arn(resource, NO_FACTS)


def _principal(given: Any, region: str) -> Any:
    if given == "*":
        return given
    for name in LACKING_PRINCIPALS:
        if name in given:
            raise NotImplementedFailure(
                f"Cumulet does not implement the Principal {name} of resource policies of lambda yet."
            )
    return {kind: _one_or_many([_named(kind, name, region) for name in many(given[kind])]) for kind in given}


def _condition(given: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        operator: {key: _one_or_many([value_text(each) for each in many(values)]) for key, values in keys.items()}
        for operator, keys in given.items()
    }


def _named(kind: str, name: str, region: str) -> str:
    if kind == "AWS" and name == "*":
        return name
    made = policies.principal(name, region)
    if isinstance(made, str) or kind not in made:
        _refuse(f"{name} is no Principal of the kind {kind}")
    return made[kind]


def _one_or_many(texts: list[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else texts


def _refuse(reason: str) -> NoReturn:
    raise invalid(f"The provided policy is malformed: {reason}.")
