"""What the operations on queues and on messages share."""

from __future__ import annotations

from cumulet.kernel.arns import Arn, parse_arn
from cumulet.kernel.call import Call
from cumulet.kernel.errors import AwsError
from cumulet.services.service import Platform, Service
from cumulet.services.sqs import access, policies, queues
from cumulet.services.sqs.directory import Directory
from cumulet.services.sqs.errors import NO_SUCH_QUEUE, QueueDoesNotExist
from cumulet.services.sqs.queues import Queue
from cumulet.services.sqs.upkeep import Upkeep
from cumulet.services.sqs.urls import QueueKey, key_of_url
from cumulet.services.sqs.waiting import Waiting
from cumulet.store import Tx


class SqsBase(Service):
    """The queues and what runs beside them."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.directory = Directory(platform.store)
        self.waiting = Waiting(platform.clock)
        self.upkeep = Upkeep(
            platform.store, platform.clock, platform.ids, platform.activity, self.directory, self.waiting
        )
        self.is_enforcing = platform.config.auth == "enforce"

    async def start(self) -> None:
        """Resume upkeep."""
        await self.upkeep.resume()

    def stop_waiting(self) -> None:
        """Answer all long polls empty."""
        self.waiting.close()

    async def queue(self, call: Call, url: str) -> Queue:
        """Return the queue that a QueueUrl names; raises QueueDoesNotExist or AccessDenied."""
        key = named(call, url)
        queue = self.directory.cached(*key) or await self.directory.find(*key)
        if self.is_enforcing:
            access.check(call, key, queue, self.clock.now_ms())
        if queue is None:
            raise no_such_queue(call)
        return queue

    async def key(self, call: Call, url: str) -> QueueKey:
        """Return which queue a QueueUrl names, if the caller may use it; raises QueueDoesNotExist or AccessDenied."""
        key = named(call, url)
        await self.check_access(call, key)
        return key

    async def check_access(self, call: Call, key: QueueKey) -> None:
        """Raise AccessDenied, in enforce mode, for a queue that the caller may not use."""
        if self.is_enforcing:
            access.check(call, key, await self.directory.find(*key), self.clock.now_ms())

    def keep(self, queue: Queue) -> None:
        """Know a changed queue, after its commit, and let its long polls look again."""
        self.directory.keep(queue)
        self.waiting.changed(queue)


def named(call: Call, url: str) -> QueueKey:
    """Return which queue a QueueUrl names; raises QueueDoesNotExist."""
    key = key_of_url(url, call.account, call.region)
    if key is None:
        raise no_such_queue(call)
    return key


def no_such_queue(call: Call) -> AwsError:
    """Return the error in the words of the protocol."""
    return QueueDoesNotExist(
        "The specified queue does not exist for this wsdl version." if call.protocol == "query" else NO_SUCH_QUEUE
    )


def check_redrive(tx: Tx, queue_arn: str, attributes: dict[str, str]) -> None:
    """Check the redrive policy among a queue's attributes against the dead-letter queue that it names."""
    text = attributes.get("RedrivePolicy")
    if not text:
        return
    target: Arn | None = parse_arn(policies.parse_redrive_policy(text).dead_letter_arn)
    source = parse_arn(queue_arn)
    assert target is not None
    assert source is not None
    # SQS: a dead-letter queue is in the region of its source.
    found = queues.find(tx, target.account, source.region, target.resource) if target.region == source.region else None
    policies.check_dead_letter_queue(
        text,
        source,
        target,
        target_is_fifo=found.is_fifo if found else None,
        allow_policy=found.attributes.get("RedriveAllowPolicy") if found else None,
    )
