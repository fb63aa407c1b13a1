"""Resource policies: who may use a function, a version or an alias, beside its owner.

A policy is of one of them alone: that of a function says nothing of its aliases. Its statements are made here, for
AddPermission, or have passed `policy_documents`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from cumulet import delivery
from cumulet import policies as resource_policies
from cumulet.delivery import Message
from cumulet.kernel.arns import parse_arn, partition_of
from cumulet.services.lambda_.errors import (
    PolicyLengthExceededException,
    ResourceConflictException,
    invalid,
    not_found,
)
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, qualified_arn
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
INVOKE_FUNCTION = "lambda:InvokeFunction"
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


def compiled(policy: Policy) -> resource_policies.Policy:
    """Return a policy as it is evaluated."""
    return resource_policies.compiled(text(policy) if policy else None)


def check_sender(tx: Tx, key: FunctionKey, qualifier: str | None, message: Message, now_ms: int) -> None:
    """Raise Undeliverable where what sends a message may not invoke a function with it."""
    policed = None if qualifier == LATEST else qualifier
    policy, arn = compiled(find(tx, key, policed)), qualified_arn(key, policed)
    delivery.check_sender(message, policy, INVOKE_FUNCTION, arn, owner=key.account, now_ms=now_ms)


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
