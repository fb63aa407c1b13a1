"""A topic's access policy: the default document, what SNS takes as one, and single statements of it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson

from cumulet import policies
from cumulet.kernel.arns import partition_of
from cumulet.policies import MalformedPolicy
from cumulet.services.sns.errors import invalid

ACCOUNT = re.compile(r"[0-9]{12}")
LARGEST_POLICY = 30_720
"""Bytes."""
MOST_STATEMENTS = 100
DEFAULT_ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)
"""What the default policy grants to the owner, and what statements may name."""
ACTIONS = frozenset(
    {
        *DEFAULT_ACTIONS,
        *("*", "GetDataProtectionPolicy", "ListTagsForResource", "PutDataProtectionPolicy", "Receive"),
        *("TagResource", "UntagResource"),
    }
)
ACTIONS_BY_NAME = {action.lower(): action for action in ACTIONS}


class Permission(NamedTuple):
    """A checked AddPermission."""

    label: str
    accounts: list[str]
    actions: list[str]


def default_policy(topic_arn: str, owner: str) -> str:
    """Return the policy of a topic that was given none."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in DEFAULT_ACTIONS],
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
    }
    return _text({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


def checked_policy(text: str) -> str:
    """Return a policy that a topic can have, as SNS keeps it (recorded): its JSON without spaces.

    Raises InvalidParameterException.
    """
    try:
        policy = orjson.loads(text)
    except ValueError:
        raise invalid("Policy Error: null") from None
    if len(text.encode()) > LARGEST_POLICY:
        raise invalid("Policy Reason: Policy is too large")
    if not isinstance(policy, dict) or not statements_of(policy):
        raise invalid("Policy Error: null")
    if len(statements_of(policy)) > MOST_STATEMENTS:
        raise invalid("Policy Reason: Too many statements")
    for statement in statements_of(policy):
        _check_statement(statement)
    try:
        policies.read(text)
    except MalformedPolicy:
        raise invalid("Policy Error: null") from None
    return _text(policy)


def _check_statement(statement: object) -> None:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        raise invalid("Policy Error: null")
    if not ("Principal" in statement or "NotPrincipal" in statement):
        raise invalid("Policy Error: null")
    if not ("Action" in statement or "NotAction" in statement):
        raise invalid("Policy Error: null")
    actions = _many(statement.get("Action", statement.get("NotAction")))
    if not actions:
        raise invalid("Policy Error: null")
    for action in actions:
        if not isinstance(action, str):
            raise invalid("Policy Error: null")
        service, _, name = action.partition(":")
        if service.lower() != "sns" or not _is_action(name):
            raise invalid("Policy statement action out of service scope!")


def _is_action(name: str) -> bool:
    """SNS (recorded): a policy names its actions, a wildcard for all of them is none."""
    if not name.strip("*"):
        return False
    if "*" in name or "?" in name:
        pattern = re.compile(re.escape(name.lower()).replace(r"\*", ".*").replace(r"\?", "."))
        return any(pattern.fullmatch(known) for known in ACTIONS_BY_NAME)
    return name.lower() in ACTIONS_BY_NAME


def checked(label: str, accounts: list[str], actions: list[str]) -> Permission:
    """Check what AddPermission asks for; raises InvalidParameterException."""
    if not label:
        raise invalid("Label")
    if not accounts:
        raise invalid("AWSAccountId")
    if not actions:
        raise invalid("ActionName")
    for account in accounts:
        if not ACCOUNT.fullmatch(account):
            raise invalid("Policy Error: PrincipalNotFound")
    for action in actions:
        if action.lower() not in ACTIONS_BY_NAME:
            raise invalid("Policy statement action out of service scope!")
    return Permission(label, accounts, [ACTIONS_BY_NAME[action.lower()] for action in actions])


def added(policy_text: str, topic_arn: str, permission: Permission) -> str:
    """Return the policy with a statement more. SNS (recorded): one that is there already is no error."""
    policy = orjson.loads(policy_text)
    statements = statements_of(policy)
    partition = partition_of(topic_arn.split(":")[3])
    principals = [f"arn:{partition}:iam::{account}:root" for account in permission.accounts]
    statement = {
        "Sid": permission.label,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_many(principals)},
        "Action": _one_or_many([f"SNS:{action}" for action in permission.actions]),
        "Resource": topic_arn,
    }
    same = next((each for each in statements if each.get("Sid") == permission.label), None)
    if same is not None:
        if same != statement:
            raise invalid("Statement already exists")
        return policy_text
    return checked_policy(_text(policy | {"Statement": [*statements, statement]}))


def removed(policy_text: str, label: str) -> str:
    """Return the policy without the statement of that label. SNS (recorded): one that isn't there is no error."""
    policy = orjson.loads(policy_text)
    statements = statements_of(policy)
    kept = [statement for statement in statements if statement.get("Sid") != label]
    return _text(policy | {"Statement": kept})


def statements_of(policy: dict[str, Any]) -> list[Any]:
    """Return the statements of a parsed policy, which may be a single one."""
    return _many(policy.get("Statement"))


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _text(value: object) -> str:
    return orjson.dumps(value).decode()
