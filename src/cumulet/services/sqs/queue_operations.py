"""The operations on queues: create, change, list, purge, delete; tags, permissions and move tasks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import msgspec

from cumulet.kernel.call import Call
from cumulet.kernel.errors import AccessDenied
from cumulet.services.sqs import move_tasks, paging, permissions, queues, tags
from cumulet.services.sqs.attributes import COMPUTED, SETTABLE, check_differences, is_fifo_requested, merged, shown
from cumulet.services.sqs.backlog import Counts, count
from cumulet.services.sqs.base import SqsBase, check_redrive, no_such_queue
from cumulet.services.sqs.errors import (
    InvalidAttributeName,
    InvalidParameterValueException,
    QueueDoesNotExist,
    QueueNameExists,
    missing,
)
from cumulet.services.sqs.fifo import apply_delay
from cumulet.services.sqs.move_tasks import MoveTask
from cumulet.services.sqs.queues import Queue
from cumulet.services.sqs.urls import QueueKey, queue_url
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_sqs import type_defs as t

STANDARD_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,75}\.fifo")


class QueueOperations(SqsBase):
    """What is done to queues as a whole."""

    async def create_queue(self, call: Call, request: t.CreateQueueRequestTypeDef) -> dict[str, Any]:
        """Make a queue, or find the one that is there with the same attributes."""
        name = request.get("QueueName")
        given = cast("dict[str, str]", request.get("Attributes", {}))
        if name is None:
            raise InvalidParameterValueException(
                "Value for parameter QueueName is invalid. Reason: Must specify a queue name."
            )
        is_fifo = is_fifo_requested(given)
        if "FifoQueue" in given and not is_fifo:
            raise InvalidAttributeName("Unknown Attribute FifoQueue.")  # recorded, whatever the name
        check_name(name, is_fifo=is_fifo)
        new_tags = tags.checked(name, {}, request.get("tags", {}))
        await self.store.transact(self._create, call, name, given, new_tags, self.clock.now_ms())
        return {"QueueUrl": queue_url(call.base_url, call.account, call.region, name)}

    def _create(
        self, tx: Tx, call: Call, name: str, given: dict[str, str], new_tags: dict[str, str], now_ms: int
    ) -> None:
        queue = find_or_create(tx, call.account, call.region, name, given, new_tags, now_ms)
        tx.after_commit(self.keep, queue)

    async def delete_queue(self, call: Call, request: t.DeleteQueueRequestTypeDef) -> None:
        """Delete a queue with all that it holds."""
        await self.store.transact(self._delete, call, await self.key(call, request["QueueUrl"]), self.clock.now_ms())
        self.upkeep.collect()

    def _delete(self, tx: Tx, call: Call, key: QueueKey, now_ms: int) -> None:
        queue = load(tx, call, key)
        queues.delete(tx, queue, now_ms)
        tx.after_commit(self.directory.forget, queue)
        tx.after_commit(self.waiting.changed, queue)

    async def purge_queue(self, call: Call, request: t.PurgeQueueRequestTypeDef) -> None:
        """Delete all messages of a queue."""
        await self.store.transact(self._purge, call, await self.key(call, request["QueueUrl"]), self.clock.now_ms())
        self.upkeep.collect()

    def _purge(self, tx: Tx, call: Call, key: QueueKey, now_ms: int) -> None:
        tx.after_commit(self.keep, queues.purge(tx, load(tx, call, key), now_ms))

    async def get_queue_url(self, call: Call, request: t.GetQueueUrlRequestTypeDef) -> dict[str, Any]:
        """Return the URL of a queue by name."""
        name, owner = request.get("QueueName"), request.get("QueueOwnerAWSAccountId")
        if not name:
            raise InvalidParameterValueException(
                "Value for parameter QueueName is invalid. Reason: Must specify a queue name."
            )
        account = owner or call.account
        if not await self._can_see(call, (account, call.region, name)):
            if owner is None:
                raise no_such_queue(call)
            raise QueueDoesNotExist("The specified queue does not exist or you do not have access to it.")
        return {"QueueUrl": queue_url(call.base_url, account, call.region, name)}

    async def _can_see(self, call: Call, key: QueueKey) -> bool:
        """Is there such a queue, and may the caller know of it?"""
        try:
            await self.check_access(call, key)
        except AccessDenied:
            if key[0] == call.account:
                raise
            return False
        return await self.directory.find(*key) is not None

    async def list_queues(self, call: Call, request: t.ListQueuesRequestTypeDef) -> dict[str, Any]:
        """List the queues of the account in the region, by name."""
        prefix = request.get("QueueNamePrefix", "")
        page = paging.page(request.get("MaxResults"), request.get("NextToken"), f"ListQueues {prefix}")
        names = await self.store.read(queues.names, call.account, call.region, prefix, page.after, page.size + 1)
        urls = [queue_url(call.base_url, call.account, call.region, name) for name in names[: page.size]]
        answer = {"QueueUrls": urls} if urls else {}
        return answer | page.next_token(names)

    async def list_dead_letter_source_queues(
        self, call: Call, request: t.ListDeadLetterSourceQueuesRequestTypeDef
    ) -> dict[str, Any]:
        """List the queues whose dead-letter queue this is."""
        queue = await self.queue(call, request["QueueUrl"])
        page = paging.page(request.get("MaxResults"), request.get("NextToken"), f"Sources {queue.arn}")
        found = await self.store.read(queues.dead_letter_sources, queue.arn, page.after, page.size + 1)
        urls = [queue_url(call.base_url, *key) for key in found[: page.size]]
        return {"queueUrls": urls} | page.next_token([name for _, _, name in found])

    async def get_queue_attributes(self, call: Call, request: t.GetQueueAttributesRequestTypeDef) -> dict[str, Any]:
        """Return the attributes that are asked for, where they are set."""
        queue = await self.queue(call, request["QueueUrl"])
        names: list[str] = list(request.get("AttributeNames", ()))
        for name in names:
            if name not in SETTABLE and name not in COMPUTED and name != "All":
                raise InvalidAttributeName(f"Unknown Attribute {name}.")
        if not names:
            return {}
        counts = Counts(0, 0, 0)
        if "All" in names or any(name.startswith("Approximate") for name in names):
            await self.upkeep.expire(queue)
            counts = await self.store.read(count, queue, self.clock.now_ms())
        everything = shown(queue.attributes) | {
            "ApproximateNumberOfMessages": str(counts.visible),
            "ApproximateNumberOfMessagesNotVisible": str(counts.in_flight),
            "ApproximateNumberOfMessagesDelayed": str(counts.delayed),
            "CreatedTimestamp": str(queue.created_ms // 1000),
            "LastModifiedTimestamp": str(queue.modified_ms // 1000),
            "QueueArn": queue.arn,
        }
        chosen = everything if "All" in names else {name: everything[name] for name in names if name in everything}
        return {"Attributes": chosen} if chosen else {}

    async def set_queue_attributes(self, call: Call, request: t.SetQueueAttributesRequestTypeDef) -> None:
        """Change attributes; those not named stay."""
        given = cast("dict[str, str]", request.get("Attributes", {}))
        if not given:
            key = await self.key(call, request["QueueUrl"])
            await self.store.read(load, call, key)
            raise missing("Attribute.Name")
        queue = await self.store.transact(
            self._set_attributes, call, await self.key(call, request["QueueUrl"]), given, self.clock.now_ms()
        )
        self.upkeep.look_again(queue)

    def _set_attributes(self, tx: Tx, call: Call, key: QueueKey, given: dict[str, str], now_ms: int) -> Queue:
        before = load(tx, call, key)
        attributes = merged(before.attributes, given, is_fifo=before.is_fifo)
        if "RedrivePolicy" in given:
            check_redrive(tx, before.arn, attributes)
        queue = queues.save(tx, queues.with_attributes(before, attributes, now_ms))
        if queue.is_fifo and queue.settings.delay_seconds != before.settings.delay_seconds:
            apply_delay(tx, queue, now_ms)
        tx.after_commit(self.keep, queue)
        return queue

    async def list_queue_tags(self, call: Call, request: t.ListQueueTagsRequestTypeDef) -> dict[str, Any]:
        """Return a queue's tags."""
        queue = await self.queue(call, request["QueueUrl"])
        return {"Tags": queue.tags} if queue.tags else {}

    async def tag_queue(self, call: Call, request: t.TagQueueRequestTypeDef) -> None:
        """Set tags."""
        given = dict(request.get("Tags", {}))
        if not given:
            raise missing("Tags")
        await self.store.transact(self._tag, call, await self.key(call, request["QueueUrl"]), given)

    def _tag(self, tx: Tx, call: Call, key: QueueKey, given: dict[str, str]) -> None:
        queue = load(tx, call, key)
        changed = msgspec.structs.replace(queue, tags=tags.checked(queue.name, queue.tags, given))
        tx.after_commit(self.directory.keep, queues.save(tx, changed))

    async def untag_queue(self, call: Call, request: t.UntagQueueRequestTypeDef) -> None:
        """Remove tags; those that aren't there are no error."""
        keys = list(request.get("TagKeys", ()))
        tags.check_keys(keys)
        await self.store.transact(self._untag, call, await self.key(call, request["QueueUrl"]), keys)

    def _untag(self, tx: Tx, call: Call, key: QueueKey, tag_keys: list[str]) -> None:
        queue = load(tx, call, key)
        kept = {name: value for name, value in queue.tags.items() if name not in tag_keys}
        tx.after_commit(self.directory.keep, queues.save(tx, msgspec.structs.replace(queue, tags=kept)))

    async def add_permission(self, call: Call, request: t.AddPermissionRequestTypeDef) -> None:
        """Add a statement to the queue's access policy."""
        statement = permissions.checked(
            request.get("Label", ""), list(request.get("AWSAccountIds", ())), list(request.get("Actions", ()))
        )
        await self.store.transact(
            self._change_policy, call, await self.key(call, request["QueueUrl"]), statement, self.clock.now_ms()
        )

    async def remove_permission(self, call: Call, request: t.RemovePermissionRequestTypeDef) -> None:
        """Remove a statement from the queue's access policy."""
        await self.store.transact(
            self._change_policy, call, await self.key(call, request["QueueUrl"]), request["Label"], self.clock.now_ms()
        )

    def _change_policy(
        self, tx: Tx, call: Call, key: QueueKey, change: permissions.Permission | str, now_ms: int
    ) -> None:
        queue = load(tx, call, key)
        policy = queue.attributes.get("Policy")
        if isinstance(change, str):
            changed = permissions.removed(policy, change)
        else:
            changed = permissions.added(policy, queue.arn, change)
        attributes = {name: value for name, value in queue.attributes.items() if name != "Policy"}
        if changed:
            attributes["Policy"] = changed
        tx.after_commit(self.directory.keep, queues.save(tx, queues.with_attributes(queue, attributes, now_ms)))

    async def start_message_move_task(
        self, call: Call, request: t.StartMessageMoveTaskRequestTypeDef
    ) -> dict[str, Any]:
        """Begin to move a dead-letter queue's messages back, or to another queue."""
        rate = request.get("MaxNumberOfMessagesPerSecond")
        destination = request.get("DestinationArn")
        source_arn = move_tasks.parse_queue_arn(request["SourceArn"], "SourceArn")
        destination_arn = move_tasks.parse_queue_arn(destination, "DestinationArn") if destination is not None else None
        move_tasks.check_rate(rate)
        for arn in (source_arn, destination_arn):
            if arn is not None:
                await self.check_access(call, (arn.account, arn.region, arn.resource))
        task = await self.store.transact(
            move_tasks.start, source_arn, destination_arn, rate, self.ids.uuid(), self.clock.now_ms()
        )
        self.upkeep.run_task(task)
        return {"TaskHandle": task.handle}

    async def cancel_message_move_task(
        self, call: Call, request: t.CancelMessageMoveTaskRequestTypeDef
    ) -> dict[str, Any]:
        """Stop a running task."""
        task_id, source_arn = move_tasks.parse_handle(request["TaskHandle"])
        await self.check_access(call, (source_arn.account, source_arn.region, source_arn.resource))
        task = await self.store.transact(move_tasks.cancel, task_id, source_arn)
        return {"ApproximateNumberOfMessagesMoved": task.moved}

    async def list_message_move_tasks(
        self, call: Call, request: t.ListMessageMoveTasksRequestTypeDef
    ) -> dict[str, Any]:
        """List the newest tasks of a source queue."""
        most = move_tasks.checked_list_size(request.get("MaxResults"))
        arn = move_tasks.parse_queue_arn(request["SourceArn"], "SourceArn")
        await self.check_access(call, (arn.account, arn.region, arn.resource))
        source = await self.store.read(move_tasks.queue_of_arn, arn, "SourceArn")
        found = await self.store.read(move_tasks.tasks_of, source.arn, most)
        return {"Results": [_task_entry(task) for task in found]} if found else {}


def check_name(name: str, *, is_fifo: bool) -> None:
    """Check the name of a new queue."""
    if not name:
        raise InvalidParameterValueException("Queue name cannot be empty")
    if is_fifo and not FIFO_NAME.fullmatch(name):
        raise InvalidParameterValueException(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
            "must end with .fifo suffix and be 1 to 80 in length."
        )
    if not is_fifo and not STANDARD_NAME.fullmatch(name):
        raise InvalidParameterValueException(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )


def load(tx: Tx, call: Call, key: QueueKey) -> Queue:
    """Return a queue as it is in this transaction; raises QueueDoesNotExist."""
    queue = queues.find(tx, *key)
    if queue is None:
        raise no_such_queue(call)
    return queue


def find_or_create(
    tx: Tx, account: str, region: str, name: str, given: dict[str, str], new_tags: dict[str, str], now_ms: int
) -> Queue:
    """Return the queue of that name, new or with no other value for a given attribute (QueueNameExists)."""
    is_fifo = is_fifo_requested(given)
    attributes = merged({}, given, is_fifo=is_fifo)
    existing = queues.find(tx, account, region, name)
    if existing:
        different = check_differences(existing.attributes, given, is_fifo=is_fifo)
        if different:
            raise QueueNameExists(
                f"A queue already exists with the same name and a different value for attribute {different}"
            )
        return existing
    check_redrive(tx, queues.queue_arn(account, region, name), attributes)
    return queues.create(tx, account, region, name, attributes, new_tags, now_ms)


def _task_entry(task: MoveTask) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "Status": task.status,
        "SourceArn": task.source_arn,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "StartedTimestamp": task.started_ms,
    }
    optional = {
        "TaskHandle": task.handle if task.status == move_tasks.RUNNING else None,
        "DestinationArn": task.destination_arn,
        "MaxNumberOfMessagesPerSecond": task.rate_per_second,
        "FailureReason": task.failure,
    }
    return entry | {name: value for name, value in optional.items() if value is not None}
