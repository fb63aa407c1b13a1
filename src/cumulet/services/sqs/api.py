"""Amazon SQS: all operations, in two halves."""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.kernel.call import Call
from cumulet.kernel.errors import InvalidAction
from cumulet.services.service import Platform
from cumulet.services.sqs.errors import InvalidAddress
from cumulet.services.sqs.message_operations import MessageOperations
from cumulet.services.sqs.queue_operations import QueueOperations
from cumulet.services.sqs.source import Source
from cumulet.services.sqs.target import Target
from cumulet.services.sqs.urls import is_queue_path
from cumulet.wire.http import HttpRequest
from cumulet.wire.service import NO_LABELS

NEEDS_NO_QUEUE = frozenset(
    {
        "CancelMessageMoveTask",
        "CreateQueue",
        "GetQueueUrl",
        "ListMessageMoveTasks",
        "ListQueues",
        "StartMessageMoveTask",
    }
)
NOT_ON_A_QUEUE = ("CreateQueue", "ListQueues")


class Sqs(QueueOperations, MessageOperations, name="sqs"):
    """The service."""

    limits = frozenset({"messages-in-flight"})

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        platform.delivery.queues = Source(self)
        platform.delivery.targets["sqs"] = platform.delivery.refill = Target(self)

    def labels(self, request: HttpRequest, call: Call) -> Mapping[str, str]:
        """Let a queue's URL be an endpoint: in the query protocol the path names the queue, unless QueueUrl does."""
        if call.protocol != "query":
            return NO_LABELS
        if is_queue_path(request.raw_path):
            if call.operation in NOT_ON_A_QUEUE:
                raise InvalidAction(f"The action {call.operation} is not valid for this endpoint.")
            return {"QueueUrl": request.raw_path.decode("latin-1")}
        if call.operation not in NEEDS_NO_QUEUE and not _has_queue_url(request):
            raise InvalidAddress(f"The address {call.base_url}/ is not valid for this endpoint.")
        return NO_LABELS


def _has_queue_url(request: HttpRequest) -> bool:
    return any(
        part.startswith(b"QueueUrl=") and part != b"QueueUrl="
        for text in (request.query, request.body)
        for part in text.split(b"&")
    )
