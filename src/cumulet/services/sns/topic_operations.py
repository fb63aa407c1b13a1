"""The operations on topics as a whole: make, delete, list, show, change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from cumulet.kernel.call import Call
from cumulet.kernel.errors import AwsError
from cumulet.services import list_tokens
from cumulet.services.sns import (
    archive_policies,
    archives,
    data_protection,
    large_messages,
    permissions,
    replays,
    service_roles,
    subscription_counts,
    tags,
    topic_attributes,
    topics,
    usage,
)
from cumulet.services.sns.base import SnsBase
from cumulet.services.sns.envelope import timestamp
from cumulet.services.sns.errors import InvalidStateException, ResourceNotFoundException, invalid
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
        is_fifo = topic_attributes.is_fifo_requested(given)
        topic_attributes.check_name(name, is_fifo=is_fifo)
        key = TopicKey(call.account, call.region, name)
        attributes = topic_attributes.created_with(key, given)
        new_tags = tags.merged({}, tags.given(request.get("Tags", ())))
        policy = data_protection.checked(request.get("DataProtectionPolicy", ""), is_fifo=is_fifo)
        await self._check_roles(attributes)
        await self.store.transact(self._create, key, attributes, new_tags, policy, self.clock.now_ms())
        return {"TopicArn": key.arn}

    async def _check_roles(self, attributes: Mapping[str, str]) -> None:
        """Check, in enforce mode, that the roles of delivery status logs trust SNS."""
        if self.is_enforcing:
            await service_roles.check_feedback(self.platform.delivery.roles, attributes)

    def _create(
        self,
        tx: Tx,
        key: TopicKey,
        given: dict[str, str],
        new_tags: dict[str, str],
        policy: str,
        now_ms: int,
    ) -> None:
        existing = topics.find(tx, key)
        if existing is None:
            attributes = topic_attributes.kept(given)
            is_fifo = topic_attributes.is_fifo_requested(attributes)
            self.usage_limits.check_topic(tx, key, is_fifo=is_fifo)
            usage.count_topic(tx, key, 1, is_fifo=is_fifo)
            topic = topics.create(tx, key, attributes, new_tags, policy, now_ms)
            self._follow_policy(tx, topic, now_ms)
            tx.after_commit(self.directory.keep, topic)
            return
        if topic_attributes.differ(existing, given) or data_protection.differ(existing, policy):
            raise invalid("Attributes Reason: Topic already exists with different attributes")
        if any(existing.tags.get(name) != value for name, value in new_tags.items()):
            raise invalid("Tags Reason: Topic already exists with different tags")

    async def delete_topic(self, call: Call, request: t.DeleteTopicInputTypeDef) -> None:
        """Delete a topic and its subscriptions; one that isn't there is no error."""
        await self.store.transact(self._delete, await self.key(call, request["TopicArn"]))
        self.upkeep.collect()

    def _delete(self, tx: Tx, key: TopicKey) -> None:
        topic = topics.find(tx, key)
        if topic is not None:
            if archive_policies.NAME in topic.attributes:
                raise InvalidStateException("Invalid state: Cannot delete a topic with an ArchivePolicy")
            topics.delete(tx, topic)
            usage.count_topic(tx, key, -1, is_fifo=topic.is_fifo)
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
        attributes = topic_attributes.shown(topic, counts)
        if archive_policies.NAME in attributes:
            archive = await self.store.read(archives.of_topic, topic.id)
            if archive is not None:
                attributes["BeginningArchiveTime"] = timestamp(archive.beginning_ms(self.clock.now_ms()))
        return {"Attributes": attributes}

    async def set_topic_attributes(self, call: Call, request: t.SetTopicAttributesInputTypeDef) -> None:
        """Change one attribute."""
        name, value = request["AttributeName"], request.get("AttributeValue", "")
        key = await self.key(call, request["TopicArn"])
        await self._check_roles({name: value})
        await self.store.transact(self._set_attribute, key, name, value, self.clock.now_ms())

    def _set_attribute(self, tx: Tx, key: TopicKey, name: str, value: str, now_ms: int) -> None:
        topic = topics.load(tx, key)
        changed = msgspec.structs.replace(topic, attributes=topic_attributes.changed(topic, name, value))
        if name == large_messages.NAME:
            large_messages.check_topic(tx, changed)
        if name == archive_policies.NAME:
            self._follow_policy(tx, changed, now_ms)
        self._save(tx, changed)

    def _follow_policy(self, tx: Tx, topic: Topic, now_ms: int) -> None:
        """Open, change or close a topic's archive. Without one all its subscriptions get live messages."""
        archive = archives.follow(tx, topic, now_ms)
        if archive is None:
            return
        if not archive.is_open:
            replays.delete_all(tx, topic.id)
        tx.after_commit(self.archive_upkeep.remove, archive.id)

    async def add_permission(self, call: Call, request: t.AddPermissionInputTypeDef) -> None:
        """Add a statement to a topic's access policy."""
        permission = permissions.checked(request["Label"], list(request["AWSAccountId"]), list(request["ActionName"]))
        await self.store.transact(self._change_policy, await self.key(call, request["TopicArn"]), permission)

    async def remove_permission(self, call: Call, request: t.RemovePermissionInputTypeDef) -> None:
        """Remove a statement from a topic's access policy."""
        await self.store.transact(self._change_policy, await self.key(call, request["TopicArn"]), request["Label"])

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
        topic = await self.directory.find(await self.key(call, request["ResourceArn"]))
        if topic is None:
            raise no_such_resource()
        return {"Tags": [{"Key": key, "Value": value} for key, value in topic.tags.items()]}

    async def tag_resource(self, call: Call, request: t.TagResourceRequestTypeDef) -> None:
        """Set tags of a topic."""
        key, given = await self.key(call, request["ResourceArn"]), tags.given(request["Tags"])
        await self.store.transact(self._tag, key, given, frozenset())

    async def untag_resource(self, call: Call, request: t.UntagResourceRequestTypeDef) -> None:
        """Remove tags of a topic; those that aren't there are no error."""
        key, removed = await self.key(call, request["ResourceArn"]), frozenset(request["TagKeys"])
        await self.store.transact(self._tag, key, {}, removed)

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
