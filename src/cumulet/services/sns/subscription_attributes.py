"""What can be set on a subscription: what SNS shows, keeps and refuses.

Attributes are kept as they were given; one that was unset (an empty policy, or `{}`) is not kept. SNS (recorded): a
filter policy is shown without spaces, the others as they were given, but for a delivery policy, which is shown whole.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from cumulet.kernel.arns import parse_arn
from cumulet.services.sns import delivery_policies, filter_policies, replay_policies, service_roles
from cumulet.services.sns.errors import InvalidParameterException, invalid
from cumulet.services.sns.filter_policies import RefusedAttribute
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topics import Topic

SETTABLE = frozenset(
    {
        *("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"),
        *(replay_policies.NAME, "SubscriptionRoleArn"),
    }
)
SCOPES = (filter_policies.ATTRIBUTES, filter_policies.BODY)
RAW_PROTOCOLS = frozenset({"sqs", "http", "https", "firehose"})
"""SNS: the protocols with raw message delivery."""
HTTP_PROTOCOLS = frozenset({"http", "https"})
DEFAULTS = {"FilterPolicyScope": filter_policies.ATTRIBUTES}
JSON = frozenset({"DeliveryPolicy", "FilterPolicy", "RedrivePolicy", replay_policies.NAME})
ON_SUBSCRIBE = "Attributes Reason: "
"""What comes before the reason when Subscribe refuses an attribute."""


def created_with(topic: Topic, protocol: str, endpoint: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that Subscribe gives, checked."""
    try:
        kept: dict[str, str] = {}
        for name, value in given.items():
            kept[name] = _checked(topic, protocol, endpoint, name, value)
        _check_filter(kept)
    except RefusedAttribute as error:
        raise invalid(f"{ON_SUBSCRIBE}{error}") from None
    return {name: value for name, value in kept.items() if value}


def changed(topic: Topic, subscription: Subscription, name: str, value: str) -> dict[str, str]:
    """Return a subscription's attributes with one set."""
    try:
        new = _checked(topic, subscription.protocol, subscription.endpoint, name, value)
        attributes = subscription.attributes | {name: new}
        if name in ("FilterPolicy", "FilterPolicyScope"):
            _check_filter(attributes)
    except RefusedAttribute as error:
        raise invalid(str(error)) from None
    return {name: value for name, value in attributes.items() if value}


def differ(existing: Mapping[str, str], given: Mapping[str, str]) -> bool:
    """Return whether Subscribe gives another value than the subscription has that is there already."""
    return any(_comparable(name, existing.get(name)) != _comparable(name, value) for name, value in given.items())


def shown(topic: Topic, subscription: Subscription) -> dict[str, str]:
    """Return what GetSubscriptionAttributes shows."""
    attributes = {
        "ConfirmationWasAuthenticated": _boolean(subscription.is_authenticated),
        "Endpoint": subscription.shown_endpoint,
        "Owner": subscription.owner,
        "PendingConfirmation": _boolean(not subscription.is_confirmed),
        "Protocol": subscription.protocol,
        "RawMessageDelivery": "false",
        "SubscriptionArn": subscription.arn,
        "SubscriptionPrincipal": subscription.principal,
        "TopicArn": subscription.topic_arn,
    }
    attributes |= subscription.attributes
    if "DeliveryPolicy" in attributes:
        attributes["DeliveryPolicy"] = delivery_policies.shown_own_of_subscription(attributes["DeliveryPolicy"])
    if "FilterPolicy" in attributes:
        attributes["FilterPolicy"] = orjson.dumps(orjson.loads(attributes["FilterPolicy"])).decode()
        attributes.setdefault("FilterPolicyScope", filter_policies.ATTRIBUTES)
    else:
        attributes.pop("FilterPolicyScope", None)
    if subscription.protocol in HTTP_PROTOCOLS:
        attributes["EffectiveDeliveryPolicy"] = delivery_policies.shown_of_subscription(
            topic.attributes.get("DeliveryPolicy"), subscription.attributes.get("DeliveryPolicy")
        )
    return attributes


def _checked(topic: Topic, protocol: str, endpoint: str, name: str, value: str) -> str:
    """Return a value as it is kept, empty when it unsets; raises RefusedAttribute with what is wrong."""
    if name not in SETTABLE:
        raise RefusedAttribute("AttributeName")
    if name in JSON and name != replay_policies.NAME and _is_empty(value):
        return ""
    if name == "RawMessageDelivery":
        return _checked_raw(protocol, value)
    if name == "FilterPolicyScope" and value not in SCOPES:
        raise RefusedAttribute(
            f"FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes"
        )
    if name == service_roles.SUBSCRIPTION_ROLE:
        _check_role(protocol, value)
    if name == "RedrivePolicy":
        _check_redrive(topic, endpoint, value)
    if name == replay_policies.NAME:
        if not topic.is_fifo:
            raise RefusedAttribute("AttributeName")
        return replay_policies.checked(value)
    if name == "DeliveryPolicy":
        try:
            return delivery_policies.of_subscription(value)
        except InvalidParameterException as error:
            raise RefusedAttribute(error.message.removeprefix("Invalid parameter: ")) from None
    return value


def _checked_raw(protocol: str, value: str) -> str:
    is_raw = value.lower()
    if is_raw not in ("true", "false"):
        raise RefusedAttribute(f"RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
    if is_raw == "true" and protocol not in RAW_PROTOCOLS:
        raise RefusedAttribute(f"Delivery protocol [{protocol}] does not support raw message delivery.")
    return is_raw


def _check_role(protocol: str, value: str) -> None:
    """SNS: delivery streams alone are written to by a role, and always."""
    if protocol != "firehose":
        raise RefusedAttribute(f"Delivery protocol [{protocol}] does not support {service_roles.SUBSCRIPTION_ROLE}.")
    if service_roles.role_of(value) is None:
        raise RefusedAttribute(service_roles.no_subscription_role(value))


def _check_redrive(topic: Topic, endpoint: str, text: str) -> None:
    """SNS: a dead-letter queue is a queue; on a FIFO topic it is of the kind of the queue that has subscribed."""
    policy = filter_policies.parsed(text, "RedrivePolicy")
    for name in policy:
        if name != "deadLetterTargetArn":
            raise RefusedAttribute(f"RedrivePolicy: invalid JSON. Attribute {name} is unknown.")
    target = policy["deadLetterTargetArn"]
    arn = parse_arn(target) if isinstance(target, str) else None
    if arn is None or arn.service != "sqs":
        raise RefusedAttribute("RedrivePolicy: deadLetterTargetArn is an invalid arn")
    if topic.is_fifo and endpoint.endswith(".fifo") != arn.resource.endswith(".fifo"):
        kind = "FIFO" if endpoint.endswith(".fifo") else "Standard"
        raise RefusedAttribute(
            f"RedrivePolicy: must use a {kind} queue as DLQ for a {kind} Subscription to a FIFO Topic."
        )


def _check_filter(attributes: Mapping[str, str]) -> None:
    text = attributes.get("FilterPolicy")
    if text:
        filter_policies.check(text, attributes.get("FilterPolicyScope", filter_policies.ATTRIBUTES))


def _is_empty(text: str) -> bool:
    return "".join(text.split()) in ("", "{}")


def _comparable(name: str, value: str | None) -> object:
    if name in JSON:
        return {} if value is None or _is_empty(value) else orjson.loads(value)
    if name == "RawMessageDelivery":
        return (value or "false").lower()
    return value or DEFAULTS.get(name, "")


def _boolean(is_true: bool) -> str:
    return "true" if is_true else "false"
