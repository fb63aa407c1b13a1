"""Who may use a topic, where signatures are checked: what its access policy says, beside its owner.

SNS: another account is let in by the policy alone. What the policy denies is denied to the owner too. The key
`aws:SourceOwner` of the default policy is one of services (recorded: callers do not have it).
"""

from __future__ import annotations

from cumulet import delivery, policies
from cumulet.delivery import Message
from cumulet.kernel.call import Call
from cumulet.kernel.errors import AwsError
from cumulet.policies import NO_FACTS, Decision, Facts
from cumulet.services.sns import permissions
from cumulet.services.sns.errors import AuthorizationErrorException
from cumulet.services.sns.topics import Topic, TopicKey

PUBLISH = "SNS:Publish"
ACTIONS = {"PublishBatch": "Publish"}
"""Operations that need the permission of another one."""


def check(call: Call, key: TopicKey, topic: Topic | None, now_ms: int, facts: Facts = NO_FACTS) -> None:
    """Raise AuthorizationErrorException for a call that may not use a topic, or not know whether there is one.

    `facts` are the condition keys that the operation has besides, such as `sns:protocol`.
    """
    text = topic.attributes.get("Policy") if topic else None
    if text is None and call.account == key.account:
        return
    asker = policies.of_call(call, now_ms, facts)
    action = action_of(call)
    decision = policies.decide(policies.compiled(text), action, key.arn, asker, owner=key.account)
    if decision is not Decision.ALLOWED:
        raise refusal(call, key.arn, decision)


def check_sender(topic: Topic, message: Message, now_ms: int) -> None:
    """Raise Undeliverable where what sends a message may not publish to a topic."""
    text = topic.attributes.get("Policy") or permissions.default_policy(topic.arn, topic.account)
    policy = policies.compiled(text)
    delivery.check_sender(message, policy, PUBLISH, topic.arn, owner=topic.account, now_ms=now_ms)


def refusal(call: Call, resource: str, decision: Decision = Decision.SILENT) -> AwsError:
    """Return the error for a call that may not use a resource."""
    return AuthorizationErrorException(
        policies.refusal_text(call.identity.principal, action_of(call), resource, decision)
    )


def action_of(call: Call) -> str:
    """Return the permission that a call needs."""
    return f"SNS:{ACTIONS.get(call.operation, call.operation)}"
