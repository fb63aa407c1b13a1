"""Publishing: Publish and PublishBatch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulet.kernel.call import Call
from cumulet.kernel.errors import AwsError
from cumulet.services.sns import (
    large_messages,
    message_attributes,
    platform_endpoints,
    principals,
    publishing,
    push,
    sms,
)
from cumulet.services.sns.base import SnsBase
from cumulet.services.sns.data_protection import Denied
from cumulet.services.sns.errors import (
    AuthorizationErrorException,
    BatchEntryIdsNotDistinctException,
    BatchRequestTooLongException,
    EmptyBatchRequestException,
    InvalidBatchEntryIdException,
    InvalidParameterException,
    TooManyEntriesInBatchRequestException,
    invalid,
)
from cumulet.services.sns.messages import Message
from cumulet.services.sns.topics import Topic

if TYPE_CHECKING:
    from types_boto3_sns import type_defs as t

MOST_ENTRIES = 10
ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
ENDPOINT = ":endpoint/"


class PublishOperations(SnsBase):
    """The operations that send messages."""

    async def publish(self, call: Call, request: t.PublishInputTypeDef) -> dict[str, Any]:
        """Send a message to all who subscribe to a topic, to a telephone, or to one endpoint of mobile push."""
        arn = request.get("TopicArn", request.get("TargetArn"))
        if request.get("PhoneNumber") is not None and arn is None:
            return await self._publish_to_phone(call, request)
        if arn is None:
            raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
        if "TopicArn" not in request and ENDPOINT in arn:
            return await self._publish_to_endpoint(call, request)
        topic = await self.topic(call, arn)
        message = publishing.new_message(topic, request, call, self.ids.uuid(), self.clock.now_ms())
        if topic.data_protection:
            message = await self._admitted(call, topic, message)
        [sent] = await self.sender.publish(topic, [message], call.base_url)
        return _entry(*sent)

    async def _publish_to_phone(self, call: Call, request: t.PublishInputTypeDef) -> dict[str, Any]:
        now_ms = self.clock.now_ms()
        message = publishing.new_message(None, request, call, self.ids.uuid(), now_ms)
        await self.store.transact(sms.publish, call.account, call.region, request["PhoneNumber"], message, now_ms)
        return _entry(message.id, None)

    async def _publish_to_endpoint(self, call: Call, request: t.PublishInputTypeDef) -> dict[str, Any]:
        arn, now_ms = request["TargetArn"], self.clock.now_ms()
        self.check_owner(call, platform_endpoints.key_of(arn, "TargetArn").account, arn)
        message = publishing.new_message(None, request, call, self.ids.uuid(), now_ms)
        await self.store.transact(push.publish, arn, message, now_ms)
        return _entry(message.id, None)

    async def publish_batch(self, call: Call, request: t.PublishBatchInputTypeDef) -> dict[str, Any]:
        """Send up to ten messages to a topic.

        SNS (recorded): an entry that breaks a rule fails alone on a standard topic, unless its attributes break it; on
        a FIFO topic it fails the whole batch.
        """
        topic = await self.topic(call, request["TopicArn"])
        entries = request["PublishBatchRequestEntries"]
        _check_entries(entries, large_messages.most_bytes(topic))
        now_ms = self.clock.now_ms()
        messages: dict[str, Message] = {}
        failed: list[dict[str, Any]] = []
        for entry in entries:
            try:
                message = publishing.new_message(topic, entry, call, self.ids.uuid(), now_ms)
                messages[entry["Id"]] = await self._admitted(call, topic, message) if topic.data_protection else message
            except (AuthorizationErrorException, InvalidParameterException) as refusal:
                if topic.is_fifo:
                    raise
                message_attributes.checked(entry.get("MessageAttributes") or {})
                failed.append(_failed(entry, refusal))
        sent = await self.sender.publish(topic, list(messages.values()), call.base_url) if messages else []
        successful = [{"Id": entry_id, **_entry(*one)} for entry_id, one in zip(messages, sent, strict=True)]
        return {"Successful": successful, "Failed": failed}

    async def _admitted(self, call: Call, topic: Topic, message: Message) -> Message:
        """Return a message as the topic's data protection policy admits it; raises AuthorizationErrorException."""
        principal = principals.of_caller(call.identity.principal)
        try:
            return await self.sender.admissions.admitted(topic, message, principal)
        except Denied as refusal:
            raise AuthorizationErrorException(str(refusal)) from None


def _check_entries(entries: Any, most_bytes: int) -> None:
    """Check number, ids and size of a batch."""
    if not entries:
        raise EmptyBatchRequestException("The batch request doesn't contain any entries.")
    if len(entries) > MOST_ENTRIES:
        raise TooManyEntriesInBatchRequestException("The batch request contains more entries than permissible.")
    ids = [entry["Id"] for entry in entries]
    if not all(ENTRY_ID.fullmatch(entry_id) for entry_id in ids):
        raise InvalidBatchEntryIdException(
            "The Id of a batch entry in a batch request doesn't abide by the specification."
        )
    if len(set(ids)) < len(ids):
        raise BatchEntryIdsNotDistinctException("Two or more batch entries in the request have the same Id.")
    if sum(publishing.size_bytes(entry) for entry in entries) > most_bytes:
        raise BatchRequestTooLongException("The length of all the messages put together is more than the limit.")


def _failed(entry: Mapping[str, Any], refusal: AwsError) -> dict[str, Any]:
    code = refusal.code.removesuffix("Exception")  # as the query protocol has these two
    return {"Id": entry["Id"], "Code": code, "Message": refusal.message, "SenderFault": True}


def _entry(message_id: str, sequence_number: str | None) -> dict[str, Any]:
    answer = {"MessageId": message_id}
    if sequence_number is not None:
        answer["SequenceNumber"] = sequence_number
    return answer
