"""AddPermission and RemovePermission: single statements of a queue's access policy."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from cumulet.services.sqs.errors import OverLimit, invalid_value, missing
from cumulet.services.sqs.policies import statements_of

ACCOUNT = re.compile(r"[0-9]{12}")
LABEL = re.compile(r"[A-Za-z0-9_-]{1,80}")
MOST_ACTIONS = 7
MOST_STATEMENTS = 20
ACTIONS = frozenset(
    {
        "*",
        "ChangeMessageVisibility",
        "DeleteMessage",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "PurgeQueue",
        "ReceiveMessage",
        "SendMessage",
    }
)
OWNER_ACTIONS = frozenset(
    {
        "AddPermission",
        "CancelMessageMoveTask",
        "CreateQueue",
        "DeleteQueue",
        "ListMessageMoveTasks",
        "ListQueues",
        "ListQueueTags",
        "RemovePermission",
        "SetQueueAttributes",
        "StartMessageMoveTask",
        "TagQueue",
        "UntagQueue",
    }
)


class Permission(NamedTuple):
    """A checked AddPermission."""

    label: str
    accounts: list[str]
    actions: list[str]


def checked(label: str, accounts: list[str], actions: list[str]) -> Permission:
    """Check what AddPermission asks for."""
    if not label:
        raise missing("Label")
    if not LABEL.fullmatch(label):
        # AWS documents the rule, not the text.
        raise invalid_value(
            label, "Label", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )
    if not accounts:
        raise missing("AWSAccountIds")
    if not actions:
        raise missing("ActionName")
    unknown = [account for account in accounts if not ACCOUNT.fullmatch(account)]
    if unknown:
        raise invalid_value(f"[{', '.join(unknown)}]", "PrincipalId", "Unable to verify.")
    if len(actions) > MOST_ACTIONS:
        raise OverLimit(f"{len(actions)} Actions were found, maximum allowed is {MOST_ACTIONS}.")
    for action in actions:
        if action in OWNER_ACTIONS:
            raise invalid_value(f"SQS:{action}", "ActionName", "Only the queue owner is allowed to invoke this action.")
        if action not in ACTIONS:
            raise invalid_value(
                f"SQS:{action}",
                "ActionName",
                "Please refer to the appropriate WSDL for a list of valid actions. ",
            )
    return Permission(label, accounts, actions)


def added(policy_text: str | None, queue_arn: str, permission: Permission) -> str:
    """Return the policy with a statement more."""
    policy: dict[str, Any] = (
        json.loads(policy_text)
        if policy_text
        else {"Version": "2008-10-17", "Id": f"{queue_arn}/SQSDefaultPolicy", "Statement": []}
    )
    statements = statements_of(policy)
    if any(statement.get("Sid") == permission.label for statement in statements):
        raise invalid_value(permission.label, "Label", "Already exists.")
    if len(statements) >= MOST_STATEMENTS:
        raise OverLimit(f"{len(statements) + 1} Statements were found, maximum allowed is {MOST_STATEMENTS}.")
    principals = [f"arn:aws:iam::{account}:root" for account in permission.accounts]
    statement = {
        "Sid": permission.label,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_many(principals)},
        "Action": _one_or_many([f"SQS:{action}" for action in permission.actions]),
        "Resource": queue_arn,
    }
    return json.dumps(policy | {"Statement": [*statements, statement]}, separators=(",", ":"))


def removed(policy_text: str | None, label: str) -> str | None:
    """Return the policy without the statement of that label; None when none is left."""
    if not policy_text:
        raise invalid_value(label, "Label", "can't find label.")
    policy = json.loads(policy_text)
    statements = statements_of(policy)
    kept = [statement for statement in statements if statement.get("Sid") != label]
    if len(kept) == len(statements):
        raise invalid_value(label, "Label", "can't find label on existing policy.")
    return json.dumps(policy | {"Statement": kept}, separators=(",", ":")) if kept else None


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
