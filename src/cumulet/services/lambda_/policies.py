"""Resource policies: who may use a function, a version or an alias, beside its owner.

A policy is of one of them alone: that of a function says nothing of its aliases. Its statements are made here, for
AddPermission, or have passed `policy_documents`: all that can be written is evaluated.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from cumulet.kernel.arns import parse_arn, partition_of
from cumulet.services.lambda_.errors import (
    PolicyLengthExceededException,
    ResourceConflictException,
    invalid,
    not_found,
)
from cumulet.services.lambda_.function_names import FunctionKey, qualified_arn
from cumulet.store import Tx

SELECT_POLICY = """
SELECT statements FROM lambda_policies WHERE account = ? AND region = ? AND function_name = ? AND qualifier = ?"""
PUT_POLICY = """
INSERT INTO lambda_policies (account, region, function_name, qualifier, statements) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account, region, function_name, qualifier) DO UPDATE SET statements = excluded.statements"""
DELETE_POLICY = """
DELETE FROM lambda_policies WHERE account = ? AND region = ? AND function_name = ? AND qualifier = ?"""
DELETE_POLICIES = "DELETE FROM lambda_policies WHERE account = ? AND region = ? AND function_name = ?"

MOST_POLICY_BYTES = 20_480
"""Lambda: of a policy as JSON."""
INVOKE_URL = "lambda:InvokeFunctionUrl"
ACCOUNT = re.compile(r"[0-9]{12}")
SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com)")
STRING_CONDITIONS = {
    "SourceAccount": "AWS:SourceAccount",
    "FunctionUrlAuthType": "lambda:FunctionUrlAuthType",
    "EventSourceToken": "lambda:EventSourceToken",
    "PrincipalOrgID": "aws:PrincipalOrgID",
}
"""Members of AddPermission, and the condition keys that they become."""

Statement = Mapping[str, Any]
Policy = Sequence[Statement]
"""The statements, in the order in which they were added."""


@dataclass(frozen=True)
class Asker:
    """Who wants to do something with a function, and what is known of the request.

    `facts` are condition keys in lower case, such as `aws:sourcearn`.
    """

    service: str | None = None
    """An AWS service, such as `sns.amazonaws.com`; None for a principal of an account."""
    account: str | None = None
    arn: str | None = None
    """The ARN of the principal."""
    facts: Mapping[str, str] = field(default_factory=dict)


def allows(policy: Policy, action: str, asker: Asker) -> bool:
    """Return whether a policy lets `asker` do an action, such as `lambda:InvokeFunction`."""
    return any(
        _names_action(statement["Action"], action)
        and _names(statement["Principal"], asker)
        and _holds(statement.get("Condition", {}), asker.facts)
        for statement in policy
    )


def statement(request: Mapping[str, Any], region: str, resource: str) -> Statement:
    """Return the statement that AddPermission asks for; raises InvalidParameterValueException."""
    if "FunctionUrlAuthType" in request and request["Action"] != INVOKE_URL:
        raise invalid(f"FunctionUrlAuthType is only supported for {INVOKE_URL} action")
    condition: dict[str, dict[str, str]] = {}
    strings = {key: request[member] for member, key in STRING_CONDITIONS.items() if request.get(member)}
    if strings:
        condition["StringEquals"] = strings
    if request.get("InvokedViaFunctionUrl") is not None:
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": str(request["InvokedViaFunctionUrl"]).lower()}
    if request.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": request["SourceArn"]}
    made: dict[str, Any] = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": principal(request["Principal"], region),
        "Action": request["Action"],
        "Resource": resource,
    }
    return made | {"Condition": condition} if condition else made


def text(policy: Policy) -> str:
    """Return a policy as GetPolicy shows it."""
    return orjson.dumps({"Version": "2012-10-17", "Id": "default", "Statement": policy}).decode()


def statement_text(made: Statement) -> str:
    """Return a statement as AddPermission shows it."""
    return orjson.dumps(made).decode()


def find(tx: Tx, key: FunctionKey, qualifier: str | None) -> Policy:
    """Return the policy of a function, version or alias; it is empty where there is none."""
    row = tx.one(SELECT_POLICY, *key, qualifier or "")
    return orjson.loads(row[0]) if row else []


def add(tx: Tx, key: FunctionKey, qualifier: str | None, new: Statement) -> Policy:
    """Add a statement; raises ResourceConflictException for a taken Sid, PolicyLengthExceededException."""
    before = find(tx, key, qualifier)
    if any(old.get("Sid") == new["Sid"] for old in before):
        raise ResourceConflictException(
            f"The statement id ({new['Sid']}) provided already exists. Please provide a new statement id, or remove "
            "the existing statement.",
            Type="User",
        )
    after = [*before, new]
    replace(tx, key, qualifier, after)
    return after


def replace(tx: Tx, key: FunctionKey, qualifier: str | None, policy: Policy) -> None:
    """Write a policy in the place of the one before; raises PolicyLengthExceededException."""
    size_bytes = len(text(policy).encode())
    if size_bytes > MOST_POLICY_BYTES:
        raise PolicyLengthExceededException(
            f"The final policy size ({size_bytes}) is bigger than the limit ({MOST_POLICY_BYTES}).", Type="User"
        )
    tx.run(PUT_POLICY, *key, qualifier or "", orjson.dumps(policy).decode())


def remove(tx: Tx, key: FunctionKey, qualifier: str | None, sid: str) -> Policy:
    """Remove a statement; raises ResourceNotFoundException."""
    before = find(tx, key, qualifier)
    if not before:
        raise not_found(f"No policy is found for: {qualified_arn(key, qualifier)}")
    after = [old for old in before if old.get("Sid") != sid]
    if len(after) == len(before):
        raise not_found(f"Statement {sid} is not found in resource policy.")
    if after:
        tx.run(PUT_POLICY, *key, qualifier or "", orjson.dumps(after).decode())
    else:
        delete(tx, key, qualifier)
    return after


def delete(tx: Tx, key: FunctionKey, qualifier: str | None) -> None:
    """Delete the policy of a function, version or alias."""
    tx.run(DELETE_POLICY, *key, qualifier or "")


def delete_all(tx: Tx, key: FunctionKey) -> None:
    """Delete the policies of a function and all that it has."""
    tx.run(DELETE_POLICIES, *key)


def principal(name: str, region: str) -> str | dict[str, str]:
    """Return who a name means as a statement has it; raises InvalidParameterValueException."""
    if name == "*":
        return name
    if ACCOUNT.fullmatch(name):
        return {"AWS": f"arn:{partition_of(region)}:iam::{name}:root"}
    arn = parse_arn(name)
    if arn is not None and arn.service in ("iam", "sts") and ACCOUNT.fullmatch(arn.account):
        return {"AWS": name}
    if SERVICE.fullmatch(name):
        return {"Service": name}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def many(value: Any) -> list[Any]:
    """Return the values of what may be one or a list."""
    return value if isinstance(value, list) else [value]


def _names_action(written: str | list[str], action: str) -> bool:
    return any(_expression(pattern.lower()).fullmatch(action.lower()) for pattern in many(written))


def _names(principal: str | Mapping[str, str | list[str]], asker: Asker) -> bool:
    if isinstance(principal, str):
        return True
    return asker.service in many(principal.get("Service", [])) or any(
        _is_of(name, asker) for name in many(principal.get("AWS", []))
    )


def _is_of(name: str, asker: Asker) -> bool:
    """Whether an asker is who a name means: everybody, an account, or one principal of it."""
    if name == "*":
        return True
    named = parse_arn(name)
    if named is None or asker.account is None or named.account != asker.account:
        return False
    return named.resource == "root" or asker.arn in (name, None) or _is_session(named.resource, asker.arn)


def _is_session(role: str, arn: str | None) -> bool:
    """Whether an ARN is of a session of a role: `role/path/NAME` and `assumed-role/NAME/session`."""
    session = parse_arn(arn or "")
    if session is None or not role.startswith("role/") or not session.resource.startswith("assumed-role/"):
        return False
    return session.resource.split("/")[1] == role.rpartition("/")[2]


def _holds(condition: Mapping[str, Mapping[str, str | list[str]]], facts: Mapping[str, str]) -> bool:
    """IAM: all keys must hold; of a key's values one."""
    return all(
        (given := facts.get(name.lower())) is not None
        and any(OPERATORS[name_of](wanted, given) for wanted in many(values))
        for name_of, wants in condition.items()
        for name, values in wants.items()
    )


def is_like(pattern: str, arn: str) -> bool:
    """ArnLike: each of the six parts of an ARN on its own, `*` for any text and `?` for any character."""
    wanted, given = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(given) and all(
        _expression(part).fullmatch(text) for part, text in zip(wanted, given, strict=True)
    )


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _is_text_like(pattern: str, text: str) -> bool:
    return _expression(pattern).fullmatch(text) is not None


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": operator.eq,
    "StringLike": _is_text_like,
    "ArnEquals": is_like,  # IAM: the same as ArnLike
    "ArnLike": is_like,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
}
"""What a condition does with a value that is wanted and the one that a request has."""
