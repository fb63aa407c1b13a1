"""What a policy and whose a resource is come to, and the words that AWS refuses with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulet.policies.asker import Asker
from cumulet.policies.decision import Decision

if TYPE_CHECKING:
    from cumulet.policies.policy import Policy


def decide(policy: Policy, action: str, resource: str, asker: Asker, *, owner: str) -> Decision:
    """Return whether an asker may do something with a resource that has a policy.

    IAM: within the account that owns it silence of the policy leaves it to what its principals are allowed, and that is
    not limited yet; services and other accounts need a statement that allows it.
    """
    said = policy.decision(action, resource, asker)
    return Decision.ALLOWED if said is Decision.SILENT and asker.account == owner else said


def refusal_text(principal: str, action: str, resource: str, decision: Decision) -> str:
    """Return the message for a request that was not allowed."""
    said = f"User: {principal} is not authorized to perform: {action} on resource: {resource}"
    if decision is Decision.DENIED:
        return f"{said} with an explicit deny in a resource-based policy"
    return f"{said} because no resource-based policy allows the {action} action"
