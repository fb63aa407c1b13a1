"""The operations on topics as a whole: make, delete, list, show, change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from cumulet.kernel.call import Call
from cumulet.kernel.errors import AwsError
from cumulet.services import list_tokens
from cumulet.services.sns import permissions, subscription_counts, tags, topic_attributes, topics
from cumulet.services.sns.base import SnsBase
from cumulet.services.sns.errors import ResourceNotFoundException, invalid
from cumulet.services.sns.topics import Topic, TopicKey, topic_arn
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_sns import type_defs as t

PAGE_TOPICS = 100
"""How many topics ListTopics shows at once."""


class TopicOperations(SnsBase):
    """What is done to topics."""

    async def create_topic(self, call: Call, request: t.CreateTopicInputTypeDef) -> dict[str, Any]:
        """Make a topic, or find the one that is there with the same attributes and tags."""
        name = request["Name"]
        given = dict(cast("dict[str, str]", request.get("Attributes", {})))
        if request.get("DataProtectionPolicy"):
            raise topic_attributes.not_yet("DataProtectionPolicy")
        is_fifo = topic_attributes.is_fifo_requested(given)
        topic_attributes.check_name(name, is_fifo=is_fifo)
        key = TopicKey(call.account, call.region, name)
        attributes = topic_attributes.created_with(key, given)
        new_tags = tags.merged({}, tags.given(request.get("Tags", ())))
        await self.store.transact(self._create, key, attributes, new_tags, self.clock.now_ms())
        return {"TopicArn": key.arn}

    def _create(self, tx: Tx, key: TopicKey, given: dict[str, str], new_tags: dict[str, str], now_ms: int) -> None:
        existing = topics.find(tx, key)
        if existing is None:
            attributes = topic_attributes.kept(given)
            tx.after_commit(self.directory.keep, topics.create(tx, key, attributes, new_tags, now_ms))
            return
        if topic_attributes.differ(existing, given):
            raise invalid("Attributes Reason: Topic already exists with different attributes")
        if any(existing.tags.get(name) != value for name, value in new_tags.items()):
            raise invalid("Tags Reason: Topic already exists with different tags")

    async def delete_topic(self, call: Call, request: t.DeleteTopicInputTypeDef) -> None:
        """Delete a topic and its subscriptions; one that isn't there is no error."""
        await self.store.transact(self._delete, self.key(call, request["TopicArn"]))
        self.upkeep.collect()

    def _delete(self, tx: Tx, key: TopicKey) -> None:
        topic = topics.find(tx, key)
        if topic is not None:
            topics.delete(tx, topic)
            tx.after_commit(self.directory.forget, topic)

    async def list_topics(self, call: Call, request: t.ListTopicsInputTypeDef) -> dict[str, Any]:
        """List the account's topics in the region, by name, a hundred at a time."""
        listing = ["ListTopics", call.account, call.region]
        token = request.get("NextToken") or None
        after = list_tokens.position(token, listing, str, lambda: invalid("NextToken")) or ""
        names = await self.store.read(topics.names, call.account, call.region, after, PAGE_TOPICS + 1)
        page = names[:PAGE_TOPICS]
        answer: dict[str, Any] = {"Topics": [{"TopicArn": topic_arn(call.account, call.region, name)} for name in page]}
        if len(names) > PAGE_TOPICS:
            answer["NextToken"] = list_tokens.token(listing, page[-1])
        return answer

    async def get_topic_attributes(self, call: Call, request: t.GetTopicAttributesInputTypeDef) -> dict[str, Any]:
        """Return what is set on a topic, the defaults that AWS shows, and how many subscribe to it."""
        topic = await self.topic(call, request["TopicArn"])
        counts = await self.store.read(subscription_counts.count, topic.key)
        return {"Attributes": topic_attributes.shown(topic, counts)}

    async def set_topic_attributes(self, call: Call, request: t.SetTopicAttributesInputTypeDef) -> None:
        """Change one attribute."""
        name, value = request["AttributeName"], request.get("AttributeValue", "")
        await self.store.transact(self._set_attribute, self.key(call, request["TopicArn"]), name, value)

    def _set_attribute(self, tx: Tx, key: TopicKey, name: str, value: str) -> None:
        topic = topics.load(tx, key)
        attributes = topic_attributes.changed(topic, name, value)
        self._save(tx, msgspec.structs.replace(topic, attributes=attributes))

    async def add_permission(self, call: Call, request: t.AddPermissionInputTypeDef) -> None:
        """Add a statement to a topic's access policy."""
        permission = permissions.checked(request["Label"], list(request["AWSAccountId"]), list(request["ActionName"]))
        await self.store.transact(self._change_policy, self.key(call, request["TopicArn"]), permission)

    async def remove_permission(self, call: Call, request: t.RemovePermissionInputTypeDef) -> None:
        """Remove a statement from a topic's access policy."""
        await self.store.transact(self._change_policy, self.key(call, request["TopicArn"]), request["Label"])

    def _change_policy(self, tx: Tx, key: TopicKey, change: permissions.Permission | str) -> None:
        topic = topics.load(tx, key)
        before = topic.attributes.get("Policy") or permissions.default_policy(topic.arn, topic.account)
        policy = (
            permissions.removed(before, change)
            if isinstance(change, str)
            else permissions.added(before, topic.arn, change)
        )
        self._save(tx, msgspec.structs.replace(topic, attributes=topic.attributes | {"Policy": policy}))

    async def list_tags_for_resource(self, call: Call, request: t.ListTagsForResourceRequestTypeDef) -> dict[str, Any]:
        """Return a topic's tags."""
        topic = await self.directory.find(self.key(call, request["ResourceArn"]))
        if topic is None:
            raise no_such_resource()
        return {"Tags": [{"Key": key, "Value": value} for key, value in topic.tags.items()]}

    async def tag_resource(self, call: Call, request: t.TagResourceRequestTypeDef) -> None:
        """Set tags of a topic."""
        key, given = self.key(call, request["ResourceArn"]), tags.given(request["Tags"])
        await self.store.transact(self._tag, key, given, frozenset())

    async def untag_resource(self, call: Call, request: t.UntagResourceRequestTypeDef) -> None:
        """Remove tags of a topic; those that aren't there are no error."""
        await self.store.transact(self._tag, self.key(call, request["ResourceArn"]), {}, frozenset(request["TagKeys"]))

    def _tag(self, tx: Tx, key: TopicKey, given: dict[str, str], removed: frozenset[str]) -> None:
        topic = topics.find(tx, key)
        if topic is None:
            raise no_such_resource()
        kept = {name: value for name, value in topic.tags.items() if name not in removed}
        self._save(tx, msgspec.structs.replace(topic, tags=tags.merged(kept, given)))

    def _save(self, tx: Tx, topic: Topic) -> None:
        tx.after_commit(self.directory.keep, topics.save(tx, topic))


def no_such_resource() -> AwsError:
    """Return the error of the operations on tags for a topic that is not there."""
    return ResourceNotFoundException("Resource does not exist")
