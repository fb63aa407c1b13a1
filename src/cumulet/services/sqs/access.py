"""Who may use a queue, where signatures are checked: what its access policy says, beside its owner.

SQS: another account is let in by the policy alone, and never to what only the owner may do; so is a service that sends
for a resource of its own. What the policy denies is denied to the owner too.
"""

from __future__ import annotations

from cumulet import delivery, policies
from cumulet.delivery import Message
from cumulet.kernel.call import Call
from cumulet.kernel.errors import AccessDenied
from cumulet.policies import Decision
from cumulet.services.sqs import queues
from cumulet.services.sqs.permissions import OWNER_ACTIONS
from cumulet.services.sqs.queues import Queue
from cumulet.services.sqs.urls import QueueKey

BATCH = "Batch"
SEND_MESSAGE = "sqs:sendmessage"


def check(call: Call, key: QueueKey, queue: Queue | None, now_ms: int) -> None:
    """Raise AccessDenied for a call that may not use a queue, or not know whether there is one."""
    owner = key[0]
    text = queue.attributes.get("Policy") if queue else None
    if text is None and call.account == owner:
        return
    operation = call.operation.removesuffix(BATCH)  # SQS: a batch needs what each of its entries needs
    action, arn = f"sqs:{operation.lower()}", queues.queue_arn(*key)
    decision = policies.decide(policies.compiled(text), action, arn, policies.of_call(call, now_ms), owner=owner)
    if decision is Decision.ALLOWED and call.account != owner and operation in OWNER_ACTIONS:
        decision = Decision.SILENT
    if decision is not Decision.ALLOWED:
        raise AccessDenied(policies.refusal_text(call.identity.principal, action, arn, decision))


def check_sender(queue: Queue, message: Message, now_ms: int) -> None:
    """Raise Undeliverable where what sends a message may not send to a queue."""
    policy = policies.compiled(queue.attributes.get("Policy"))
    delivery.check_sender(message, policy, SEND_MESSAGE, queue.arn, owner=queue.account, now_ms=now_ms)
