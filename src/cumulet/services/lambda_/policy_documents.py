"""Policy documents of PutResourcePolicy: read, checked, and brought into the form that `policies` evaluates.

What can't be evaluated is refused by name, so that no statement is stored without its effect. AWS documents the
grammar (IAM: policy elements); its words for what breaks it are not known.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import orjson

from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.lambda_ import policies
from cumulet.services.lambda_.errors import invalid
from cumulet.services.lambda_.policies import Policy, Statement, is_like, many

VERSIONS = ("2012-10-17", "2008-10-17")
MEMBERS = ("Version", "Id", "Statement")
STATEMENT_MEMBERS = ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")
LACKING_MEMBERS = ("NotPrincipal", "NotAction", "NotResource")
PRINCIPALS = ("AWS", "Service")
LACKING_PRINCIPALS = ("Federated", "CanonicalUser")
LACKING_OPERATOR = re.compile(
    r"(?:For(?:AllValues|AnyValue):)?(?:String|Arn|Numeric|Date|Bool|Binary|IpAddress|NotIpAddress|Null)[A-Za-z]*"
)
SID = re.compile(r"[a-zA-Z0-9_-]{1,100}")
ACTION = re.compile(r"\*|lambda:[a-zA-Z*?]+", re.IGNORECASE)


def statements(text: str, region: str, resource: str) -> Policy:
    """Return the statements of a document for `resource`, the ARN of a function, version or alias.

    Raises InvalidParameterValueException, NotImplementedFailure.
    """
    try:
        document = orjson.loads(text)
    except ValueError:
        _refuse("it is not JSON")
    if not isinstance(document, dict) or "Statement" not in document:
        _refuse("it is not an object with Statement")
    _check_members(document, MEMBERS)
    if document.get("Version", VERSIONS[0]) not in VERSIONS:
        _refuse(f"Version must be one of {', '.join(VERSIONS)}")
    given = many(document["Statement"])
    if not given or not all(isinstance(each, dict) for each in given):
        _refuse("Statement must be an object, or a list of some")
    found = [_statement(each, region, resource) for each in given]
    sids = [each["Sid"] for each in found if "Sid" in each]
    if len(set(sids)) < len(sids):
        _refuse("statements must have different Sids")
    return found


def _statement(given: dict[str, Any], region: str, resource: str) -> Statement:
    for name in LACKING_MEMBERS:
        if name in given:
            raise _lacking(name)
    _check_members(given, STATEMENT_MEMBERS)
    for name in ("Effect", "Principal", "Action", "Resource"):
        if name not in given:
            _refuse(f"a statement has no {name}")
    if "Sid" in given and not (isinstance(given["Sid"], str) and SID.fullmatch(given["Sid"])):
        _refuse("a Sid must have letters, digits, - and _ only")
    if given["Effect"] == "Deny":
        raise _lacking("the Effect Deny")
    if given["Effect"] != "Allow":
        _refuse("an Effect must be Allow or Deny")
    if not all(ACTION.fullmatch(action) for action in _texts(given["Action"], "Action")):
        _refuse("an Action must be one of lambda")
    if not all(pattern == "*" or is_like(pattern, resource) for pattern in _texts(given["Resource"], "Resource")):
        _refuse(f"a Resource must be {resource}")
    made = {**given, "Principal": _principal(given["Principal"], region)}
    return made | {"Condition": _condition(given["Condition"])} if "Condition" in given else made


def _principal(given: Any, region: str) -> Any:
    if given == "*":
        return given
    if not isinstance(given, dict) or not given:
        _refuse("a Principal must be * or an object")
    for name in LACKING_PRINCIPALS:
        if name in given:
            raise _lacking(f"the Principal {name}")
    _check_members(given, PRINCIPALS)
    return {kind: _one_or_many([_named(kind, name, region) for name in _texts(given[kind], kind)]) for kind in given}


def _named(kind: str, name: str, region: str) -> str:
    if kind == "AWS" and name == "*":
        return name
    made = policies.principal(name, region)
    if isinstance(made, str) or kind not in made:
        _refuse(f"{name} is no Principal of the kind {kind}")
    return made[kind]


def _condition(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not all(isinstance(keys, dict) and keys for keys in given.values()):
        _refuse("a Condition must be an object of operators, each with an object of keys")
    for operator in given:
        if operator not in policies.OPERATORS:
            if LACKING_OPERATOR.fullmatch(operator):
                raise _lacking(f"the operator {operator}")
            _refuse(f"{operator} is no operator of a Condition")
    return {
        operator: {key: _one_or_many([_value(each) for each in many(values)]) for key, values in keys.items()}
        for operator, keys in given.items()
    }


def _value(given: Any) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    if not isinstance(given, str):
        _refuse("a value of a Condition must be a string or a boolean")
    if "${" in given:
        raise _lacking("policy variables")
    return given


def _texts(given: Any, name: str) -> list[str]:
    texts = many(given)
    if not texts or not all(isinstance(text, str) for text in texts):
        _refuse(f"{name} must be a string, or a list of some")
    if any("${" in text for text in texts):
        raise _lacking("policy variables")
    return texts


def _one_or_many(texts: list[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else texts


def _check_members(given: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            _refuse(f"it has the unknown element {name}")


def _refuse(reason: str) -> NoReturn:
    raise invalid(f"The provided policy is malformed: {reason}.")


def _lacking(what: str) -> NotImplementedFailure:
    return NotImplementedFailure(f"Cumulet does not implement {what} of resource policies of lambda yet.")
