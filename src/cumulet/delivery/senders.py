"""Whether what sends a message to a resource may, where signatures are checked: the resource's policy decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulet import policies
from cumulet.delivery.targets import Message, Undeliverable
from cumulet.kernel.arns import parse_arn
from cumulet.policies import Asker, Decision

if TYPE_CHECKING:
    from cumulet.policies import Policy


def check_sender(message: Message, policy: Policy, action: str, resource: str, *, owner: str, now_ms: int) -> None:
    """Raise Undeliverable where the sender of a message may not do `action` with the resource of an ARN.

    A service that sends for a resource of its own, such as a topic, needs a statement that allows it; a role of the
    account that owns the resource needs that none denies it.
    """
    asker = _sender(message, now_ms)
    if asker is None:
        return
    decision = policies.decide(policy, action, resource, asker, owner=owner)
    if decision is not Decision.ALLOWED:
        raise Undeliverable(policies.refusal_text(asker.service or asker.arn or "", action, resource, decision))


def _sender(message: Message, now_ms: int) -> Asker | None:
    source, role = parse_arn(message.source_arn or ""), parse_arn(message.role_arn or "")
    if source is not None:
        return policies.of_service(source, now_ms)
    return None if role is None else policies.of_role(role, now_ms)
