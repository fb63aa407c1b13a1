"""Subscribing to topics, confirming and ending that, and what can be set on a subscription."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulet.kernel.arns import parse_arn
from cumulet.kernel.call import Call
from cumulet.kernel.ids import secret
from cumulet.services import list_tokens
from cumulet.services.service import Platform
from cumulet.services.sns import (
    archives,
    arns,
    ended_subscriptions,
    endpoints,
    large_messages,
    pending,
    platform_endpoints,
    principals,
    replay_policies,
    replays,
    service_roles,
    subscription_attributes,
    subscriptions,
    topics,
    usage,
)
from cumulet.services.sns.base import SnsBase
from cumulet.services.sns.errors import (
    AuthorizationErrorException,
    InvalidParameterException,
    invalid,
    no_such_subscription,
)
from cumulet.services.sns.filter_policies import RefusedAttribute
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topics import Topic, TopicKey
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_sns import type_defs as t

    from cumulet.services.sns.signer import Signer

PENDING = "pending confirmation"
PENDING_IN_LISTS = "PendingConfirmation"
PAGE_SUBSCRIPTIONS = 100
UUID_DIGITS = 32
SECRET_BYTES = 64
TOKEN_LENGTH = UUID_DIGITS + 2 * SECRET_BYTES
TOKEN = re.compile(r"([0-9a-f]{2})+")


class Named(NamedTuple):
    """What a subscription's ARN names."""

    topic: TopicKey
    uuid: str


class SubscriptionOperations(SnsBase):
    """What is done to subscriptions."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.pending = pending.Pending(platform.store, platform.clock, platform.activity)

    async def start(self) -> None:
        """Go on waiting for those who have not confirmed yet."""
        await super().start()
        await self.pending.resume()

    async def subscribe(self, call: Call, request: t.SubscribeInputTypeDef) -> dict[str, Any]:
        """Let an endpoint get a topic's messages: at once, or when it has confirmed that it wants to.

        SNS: the same endpoint has one subscription; asked for again it is found, if no attribute differs, and a
        pending one gets a new token.
        """
        protocol = request["Protocol"]
        given_endpoint = request.get("Endpoint", "")
        facts = {"sns:protocol": protocol, "sns:endpoint": given_endpoint}
        topic = await self.topic(call, request["TopicArn"], facts)
        endpoint = endpoints.checked(topic, protocol, given_endpoint)
        given = dict(request.get("Attributes", {}))
        if protocol == "firehose":
            service_roles.check_stream(call.account, endpoint, given.get(service_roles.SUBSCRIPTION_ROLE))
        uuid, now_ms = self.ids.uuid(), self.clock.now_ms()
        is_confirmed = endpoints.is_confirmed_at_once(protocol, endpoint, call.account)
        signer = (
            await self.sender.signing.signer() if protocol in endpoints.ASKED_IF_FOREIGN and not is_confirmed else None
        )
        new = Subscription(
            id=0,
            topic_id=topic.id,
            topic_arn=topic.arn,
            uuid=uuid,
            region=topic.region,
            owner=call.account,
            principal=principals.of_caller(call.identity.principal),
            protocol=protocol,
            endpoint=endpoint,
            attributes=subscription_attributes.created_with(topic, protocol, endpoint, given),
            token=_new_token(uuid),
            is_confirmed=is_confirmed,
            is_authenticated=is_confirmed,
            created_ms=now_ms,
        )
        await self._check_role(new.attributes, subscription_attributes.ON_SUBSCRIBE)
        subscription = await self.store.transact(self._subscribe, topic.key, new, given, signer)
        is_shown = subscription.is_confirmed or request.get("ReturnSubscriptionArn", False)
        return {"SubscriptionArn": subscription.arn if is_shown else PENDING}

    async def _check_role(self, attributes: Mapping[str, str], prefix: str = "") -> None:
        """Check, in enforce mode, that the role that writes to a delivery stream trusts SNS."""
        role = attributes.get(service_roles.SUBSCRIPTION_ROLE)
        if role and self.is_enforcing and not await service_roles.is_trusted(self.platform.delivery.roles, role):
            raise invalid(f"{prefix}{service_roles.no_subscription_role(role)}")

    def _subscribe(
        self, tx: Tx, key: TopicKey, new: Subscription, given: dict[str, str], signer: Signer | None
    ) -> Subscription:
        topic = topics.load(tx, key)
        if new.protocol == "application" and platform_endpoints.find(tx, new.endpoint) is None:
            raise invalid(f"Endpoint Reason: Endpoint does not exist for endpoint arn{new.endpoint}")
        existing = subscriptions.find_same(tx, topic.id, new.protocol, new.endpoint)
        if existing is None:
            large_messages.check_subscriber(tx, topic, new.protocol)
            subscription = msgspec.structs.replace(new, id=tx.next_id(), topic_id=topic.id)
            self.usage_limits.check_subscription(tx, topic)
            if subscription.has_filter_policy:
                self.usage_limits.check_filter_policy(tx, topic)
            self._start_replay(tx, subscription, new.created_ms, subscription_attributes.ON_SUBSCRIBE)
            subscriptions.insert(tx, subscription)
        else:
            if subscription_attributes.differ(existing.attributes, given):
                raise invalid("Attributes Reason: Subscription already exists with different attributes")
            if existing.is_confirmed:
                return existing
            if new.is_confirmed:
                subscription = msgspec.structs.replace(existing, is_confirmed=True, is_authenticated=True)
                subscriptions.save(tx, subscription)
                tx.after_commit(self.replayer.go_on, subscription.id)
            else:
                subscription = subscriptions.renew(tx, existing, _token_of(existing.uuid, new.token), new.created_ms)
        if not subscription.is_confirmed:
            self.confirmations.ask(tx, subscription, new.created_ms, signer)
            tx.after_commit(self.pending.watch, new.created_ms)
        tx.after_commit(self.directory.changed, topic.id)
        return subscription

    async def confirm_subscription(self, call: Call, request: t.ConfirmSubscriptionInputTypeDef) -> dict[str, Any]:
        """Let a pending subscription get messages from now on."""
        is_authenticated = request.get("AuthenticateOnUnsubscribe", "false").lower() == "true"
        subscription = await self.confirm(request["TopicArn"], request["Token"], is_authenticated=is_authenticated)
        return {"SubscriptionArn": subscription.arn}

    async def confirm(self, topic_arn: str, token: str, *, is_authenticated: bool) -> Subscription:
        """Confirm the subscription that was sent this token; raises InvalidParameterException.

        After `is_authenticated` only its owner, or its topic's, may end it. A second time is no error without that, and
        AuthorizationErrorException with it. SNS (recorded): of the topic's ARN the region alone must be right, and a
        token that is no hexadecimal number is refused in other words.
        """
        arn = parse_arn(topic_arn)
        if arn is None:
            raise invalid("Topic")
        if not TOKEN.fullmatch(token):
            raise InvalidParameterException("Invalid token")
        if len(token) != TOKEN_LENGTH:
            raise invalid("Token")
        return await self.store.transact(self._confirm, arn.region, token, is_authenticated, self.clock.now_ms())

    def _confirm(self, tx: Tx, region: str, token: str, is_authenticated: bool, now_ms: int) -> Subscription:
        subscription = subscriptions.find(tx, _uuid_of(token)) or self._restored(tx, token, now_ms)
        if (
            subscription is None
            or not hmac.compare_digest(subscription.token, token)
            or subscriptions.is_of_deleted_topic(tx, subscription)
        ):
            raise invalid("Token")
        if subscription.region != region:
            raise invalid("Topic")
        if subscription.is_confirmed:
            if is_authenticated:
                raise AuthorizationErrorException("Subscription already confirmed")
            return subscription
        if now_ms - subscription.created_ms > pending.LIFE_MS:
            raise invalid("Token")
        tx.after_commit(self.directory.changed, subscription.topic_id)
        tx.after_commit(self.replayer.go_on, subscription.id)
        return subscriptions.save(
            tx, msgspec.structs.replace(subscription, is_confirmed=True, is_authenticated=is_authenticated)
        )

    def _restored(self, tx: Tx, token: str, now_ms: int) -> Subscription | None:
        """Return a subscription that has ended and goes on by its token, unless its endpoint has another one now."""
        ended = ended_subscriptions.take(tx, _uuid_of(token), token, now_ms)
        topic = topics.find(tx, topics.key_of(ended.topic_arn)) if ended else None
        if ended is None or topic is None or topic.id != ended.topic_id:
            return None
        if subscriptions.find_same(tx, topic.id, ended.protocol, ended.endpoint) is not None:
            return None
        large_messages.check_subscriber(tx, topic, ended.protocol)
        if ended.has_filter_policy:
            self.usage_limits.check_filter_policy(tx, topic)
        subscription = msgspec.structs.replace(ended, id=tx.next_id(), created_ms=now_ms)
        subscriptions.insert(tx, subscription)
        tx.after_commit(self.directory.changed, topic.id)
        return subscription

    async def unsubscribe(self, call: Call, request: t.UnsubscribeInputTypeDef) -> None:
        """End a subscription; one that isn't there is no error."""
        if not request["SubscriptionArn"]:
            raise invalid("SubscriptionArn Reason: no value for required parameter")
        await self._end(call, named_here(call, request["SubscriptionArn"]))

    async def end(self, subscription_arn: str) -> None:
        """End a subscription for somebody unknown. Raises AuthorizationErrorException where only its owner may."""
        await self._end(None, named(subscription_arn))

    async def _end(self, call: Call | None, name: Named) -> None:
        found = await self.store.read(find, name)
        is_told = found is not None and found[1].protocol == "sqs" and not _is_by_owner(call, found[1])
        signer = await self.sender.signing.signer() if is_told else None
        await self.store.transact(self._unsubscribe, call, name, signer, self.clock.now_ms())

    def _unsubscribe(self, tx: Tx, call: Call | None, name: Named, signer: Signer | None, now_ms: int) -> None:
        found = find(tx, name)
        if call is not None:
            self._check_owners(call, name, found)
        if found is None:
            return
        _, subscription = found
        if call is None and subscription.is_authenticated:
            raise AuthorizationErrorException("This subscription may only be deleted by an authorized user.")
        if not subscription.is_confirmed:
            raise invalid("SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation")
        subscriptions.delete(tx, subscription)
        if self.confirmations.tell_end(tx, subscription, now_ms, signer, is_by_owner=_is_by_owner(call, subscription)):
            ended_subscriptions.put(tx, subscription, now_ms)
        tx.after_commit(self.directory.changed, subscription.topic_id)

    async def get_subscription_attributes(
        self, call: Call, request: t.GetSubscriptionAttributesInputTypeDef
    ) -> dict[str, Any]:
        """Return what is set on a subscription, and what it is."""
        name = named_here(call, request["SubscriptionArn"])
        topic, subscription = await self.store.read(self._load, call, name)
        attributes = subscription_attributes.shown(topic, subscription)
        if replay_policies.NAME in attributes:
            # SNS (recorded): a replay whose archive is gone is completed.
            replay = await self.store.read(replays.find, subscription.id)
            attributes["ReplayStatus"] = replays.COMPLETED if replay is None else replay.status
        return {"Attributes": attributes}

    async def set_subscription_attributes(self, call: Call, request: t.SetSubscriptionAttributesInputTypeDef) -> None:
        """Set one attribute of a subscription."""
        name = named_here(call, request["SubscriptionArn"])
        attribute, value = request["AttributeName"], request.get("AttributeValue", "")
        await self._check_role({attribute: value})
        await self.store.transact(self._set, call, name, attribute, value, self.clock.now_ms())

    def _set(self, tx: Tx, call: Call, name: Named, attribute: str, value: str, now_ms: int) -> None:
        topic, subscription = self._load(tx, call, name)
        attributes = subscription_attributes.changed(topic, subscription, attribute, value)
        if attributes.get(usage.FILTER_POLICY) and not subscription.has_filter_policy:
            self.usage_limits.check_filter_policy(tx, topic)
        if attribute == replay_policies.NAME:
            self._start_replay(tx, msgspec.structs.replace(subscription, attributes=attributes), now_ms, "")
        subscriptions.change(tx, subscription, attributes)
        tx.after_commit(self.directory.changed, subscription.topic_id)

    def _start_replay(self, tx: Tx, subscription: Subscription, now_ms: int, prefix: str) -> None:
        """Replay what the subscription's replay policy asks for, and nothing where it has none.

        `prefix` is what the operation puts before the reason why it can't.
        """
        policy = subscription.attributes.get(replay_policies.NAME)
        if policy is None:
            replays.delete(tx, subscription.id)
            return
        try:
            span = replay_policies.span(policy, archives.of_topic(tx, subscription.topic_id), now_ms)
        except RefusedAttribute as error:
            raise invalid(f"{prefix}{error}") from None
        replays.start(tx, subscription.id, subscription.topic_id, span)
        tx.after_commit(self.replayer.go_on, subscription.id)

    async def list_subscriptions(self, call: Call, request: t.ListSubscriptionsInputTypeDef) -> dict[str, Any]:
        """List the account's subscriptions in the region, a hundred at a time, oldest first."""
        listing = ["ListSubscriptions", call.account, call.region]
        after = _position(listing, request.get("NextToken"))
        found = await self.store.read(subscriptions.of_owner, call.account, call.region, after, PAGE_SUBSCRIPTIONS + 1)
        page = await self.store.read(subscriptions.still_there, found[:PAGE_SUBSCRIPTIONS])
        return _page(listing, found, page)

    async def list_subscriptions_by_topic(
        self, call: Call, request: t.ListSubscriptionsByTopicInputTypeDef
    ) -> dict[str, Any]:
        """List a topic's subscriptions, a hundred at a time, oldest first."""
        topic = await self.topic(call, request["TopicArn"])
        listing = ["ListSubscriptionsByTopic", topic.arn]
        after = _position(listing, request.get("NextToken"))
        found = await self.store.read(subscriptions.of_topic, topic.id, after, PAGE_SUBSCRIPTIONS + 1)
        return _page(listing, found, found[:PAGE_SUBSCRIPTIONS])

    def _load(self, tx: Tx, call: Call, name: Named) -> tuple[Topic, Subscription]:
        """Return a subscription of the caller's and its topic; raises NotFoundException.

        SNS (recorded): what is set on a subscription is not for the owner of its topic.
        """
        found = find(tx, name)
        if found is None:
            self.check_owner(call, name.topic.account, f"{name.topic.arn}:{name.uuid}")
            raise no_such_subscription()
        if self.is_enforcing and found[1].owner != call.account:
            raise AuthorizationErrorException("Not authorized to access this subscription")
        return found

    def _check_owners(self, call: Call, name: Named, found: tuple[Topic, Subscription] | None) -> None:
        """SNS: a subscription can be ended by its owner and by its topic's."""
        if found is None or found[1].owner != call.account:
            self.check_owner(call, name.topic.account, f"{name.topic.arn}:{name.uuid}")


def named_here(call: Call, text: str) -> Named:
    """Return what a subscription's ARN of the caller's region names; raises InvalidParameterException."""
    name = named(text)
    if name.topic.region != call.region:
        raise invalid("SubscriptionArn")
    return name


def named(text: str) -> Named:
    """Return what a subscription's ARN names; raises InvalidParameterException."""
    arn = arns.checked(text, "SubscriptionArn")
    if arn.resource.count(":") != 1:
        raise invalid("SubscriptionId")
    name, _, uuid = arn.resource.partition(":")
    return Named(TopicKey(arn.account, arn.region, name), uuid)


def find(tx: Tx, name: Named) -> tuple[Topic, Subscription] | None:
    """Return a subscription and its topic, or None when either is gone."""
    subscription = subscriptions.find(tx, name.uuid)
    topic = topics.find(tx, name.topic)
    if subscription is None or topic is None or subscription.topic_id != topic.id:
        return None
    return topic, subscription


def _is_by_owner(call: Call | None, subscription: Subscription) -> bool:
    return call is not None and call.account == subscription.owner


def _position(listing: object, token: str | None) -> int:
    return list_tokens.position(token or None, listing, int, lambda: invalid("NextToken")) or 0


def _page(listing: object, found: list[Subscription], page: list[Subscription]) -> dict[str, Any]:
    answer: dict[str, Any] = {"Subscriptions": [_entry(subscription) for subscription in page]}
    if len(found) > PAGE_SUBSCRIPTIONS:
        answer["NextToken"] = list_tokens.token(listing, found[PAGE_SUBSCRIPTIONS - 1].id)
    return answer


def _entry(subscription: Subscription) -> dict[str, str]:
    return {
        "SubscriptionArn": subscription.arn if subscription.is_confirmed else PENDING_IN_LISTS,
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.shown_endpoint,
        "TopicArn": subscription.topic_arn,
    }


def _new_token(uuid: str) -> str:
    """Return what confirms a subscription: its id, and what nobody can guess."""
    return uuid.replace("-", "") + secret(SECRET_BYTES).hex()


def _token_of(uuid: str, token: str) -> str:
    """Return a token's secret as that of another subscription."""
    return uuid.replace("-", "") + token[UUID_DIGITS:]


def _uuid_of(token: str) -> str:
    return f"{token[:8]}-{token[8:12]}-{token[12:16]}-{token[16:20]}-{token[20:32]}"
