"""What can be set on a topic: defaults, what SNS shows, and what it refuses.

Attributes are kept and shown as they were given. Those that the platform has no effect for yet are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import orjson

from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.sns import archive_policies, delivery_policies, delivery_status, large_messages, permissions
from cumulet.services.sns.errors import InvalidParameterException, invalid
from cumulet.services.sns.subscription_counts import Counts
from cumulet.services.sns.topics import Topic, TopicKey

STANDARD_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,251}\.fifo")
LONGEST_DISPLAY_NAME = 100
"""Characters."""
DOCUMENTS = frozenset({"DeliveryPolicy", "Policy"})
CONTENT_BASED, SCOPE = "ContentBasedDeduplication", "FifoThroughputScope"
FIFO_ONLY = frozenset({archive_policies.NAME, CONTENT_BASED, SCOPE})
DEFAULTS = {
    archive_policies.NAME: "",
    CONTENT_BASED: "false",
    "DeliveryPolicy": "",
    "DisplayName": "",
    SCOPE: "Topic",
    "FifoTopic": "false",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": str(large_messages.USUAL_BYTES),
    "Policy": "",
    "SignatureVersion": "1",
    "TracingConfig": "PassThrough",
    **dict.fromkeys(delivery_status.ATTRIBUTES, ""),
}
"""What a topic has that nothing was set on; an empty value unsets what has an empty default."""
ON_CREATE = "Attributes Reason: "
"""SNS (recorded): what comes before the reason when CreateTopic refuses an attribute."""


def is_fifo_requested(given: Mapping[str, str]) -> bool:
    """Return whether CreateTopic asks for a FIFO topic."""
    return given.get("FifoTopic", "false").lower() == "true"


def check_name(name: str, *, is_fifo: bool) -> None:
    """Check the name of a new topic."""
    if not (FIFO_NAME if is_fifo else STANDARD_NAME).fullmatch(name):
        raise invalid("Topic Name")


def created_with(key: TopicKey, given: Mapping[str, str]) -> dict[str, str]:
    """Return the checked attributes that CreateTopic gives, each with its value, defaults too."""
    is_fifo = is_fifo_requested(given)
    try:
        return {name: _created(key, name, value, is_fifo=is_fifo) for name, value in given.items()}
    except InvalidParameterException as error:
        raise invalid(f"{ON_CREATE}{error.message.removeprefix('Invalid parameter: ')}") from None


def _created(key: TopicKey, name: str, value: str, *, is_fifo: bool) -> str:
    if name == "FifoTopic":
        return _boolean(name, value)
    _check_known(name, f"Unknown attribute {name}")
    if name in FIFO_ONLY and not is_fifo:
        known = name != archive_policies.NAME
        raise invalid(f"{name} is only supported for FIFO topics" if known else f"Unknown attribute {name}")
    return _checked(key, name, value)


def changed(topic: Topic, name: str, value: str) -> dict[str, str]:
    """Return the topic's attributes with one set.

    SNS: what kind of topic it is can't be changed, nor can a FIFO topic's scope be as large as the topic again.
    """
    if name == "FifoTopic" and topic.is_fifo:
        if value.lower() != "true":
            raise invalid("FifoTopic: Modifying topic type is not supported")
        return topic.attributes
    _check_known(name, "AttributeName")
    if name in FIFO_ONLY and not topic.is_fifo:
        raise invalid("AttributeName")
    if name == SCOPE and (topic.attributes.get(SCOPE), value) == ("MessageGroup", "Topic"):
        raise invalid("Modifying FifoThroughputScope from MessageGroup to Topic is not supported")
    return kept(topic.attributes | {name: _checked(topic.key, name, value)})


def kept(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes without those that are unset, and without what a standard topic is."""
    return {
        name: value
        for name, value in attributes.items()
        if value and not (name == "FifoTopic" and value == DEFAULTS[name])
    }


def differ(topic: Topic, given: Mapping[str, str]) -> bool:
    """Return whether CreateTopic gives an attribute another value than the topic has."""
    return any(not _is_same(name, topic.attributes.get(name, DEFAULTS[name]), value) for name, value in given.items())


def _is_same(name: str, one: str, other: str) -> bool:
    """Whether two values mean the same: a document may be written in several ways.

    SNS (recorded): CreateTopic gives no topic that is there an archive policy, not even the one that it has.
    """
    if name == archive_policies.NAME:
        return not other and not one
    if name in DOCUMENTS and one and other:
        return bool(orjson.loads(one) == orjson.loads(other))
    return one == other


def shown(topic: Topic, counts: Counts) -> dict[str, str]:
    """Return what GetTopicAttributes shows."""
    attributes = {
        "DisplayName": "",
        "EffectiveDeliveryPolicy": delivery_policies.shown_of_topic(topic.attributes.get("DeliveryPolicy")),
        "Owner": topic.account,
        "Policy": permissions.default_policy(topic.arn, topic.account),
        "SubscriptionsConfirmed": str(counts.confirmed),
        "SubscriptionsDeleted": str(counts.deleted),
        "SubscriptionsPending": str(counts.pending),
        "TopicArn": topic.arn,
    }
    if topic.is_fifo:
        attributes[CONTENT_BASED] = DEFAULTS[CONTENT_BASED]  # of what was not set this alone (recorded)
    attributes |= topic.attributes
    if "DeliveryPolicy" in attributes:
        attributes["DeliveryPolicy"] = delivery_policies.shown_own_of_topic(attributes["DeliveryPolicy"])
    return attributes


def not_yet(what: str) -> NotImplementedFailure:
    """Return the error for what SNS has and this platform lacks."""
    return NotImplementedFailure(f"SNS: {what} is not implemented yet")


def _check_known(name: str, text: str) -> None:
    if name not in CHECKS:
        raise invalid(text)


def _checked(key: TopicKey, name: str, value: str) -> str:
    return CHECKS[name](key, name, value)


def _boolean(name: str, value: str) -> str:
    if value.lower() not in ("true", "false"):
        raise invalid(f"{name}: Invalid value [{value}]. Must be true or false.")
    return value.lower()


def _any(key: TopicKey, name: str, value: str) -> str:
    return value


def _flag(key: TopicKey, name: str, value: str) -> str:
    return _boolean(name, value)


def _scope(key: TopicKey, name: str, value: str) -> str:
    if value not in ("Topic", "MessageGroup"):
        raise invalid(f"Invalid FifoThroughputScope: {value}")
    return value


def _tracing(key: TopicKey, name: str, value: str) -> str:
    if value not in ("PassThrough", "Active"):
        raise invalid(f"Invalid tracing config value: {value}")
    return value


def _display_name(key: TopicKey, name: str, value: str) -> str:
    if len(value) > LONGEST_DISPLAY_NAME:
        raise invalid(f"DisplayName Reason: must be at most {LONGEST_DISPLAY_NAME} characters long")
    return value


def _one_of(*values: str) -> Callable[[TopicKey, str, str], str]:
    def check(key: TopicKey, name: str, value: str) -> str:
        if value not in values:
            raise invalid(f"{name} Reason: must be one of {', '.join(values)}")
        return value

    return check


def _archive_policy(key: TopicKey, name: str, value: str) -> str:
    return archive_policies.checked(value)


def _policy(key: TopicKey, name: str, value: str) -> str:
    if not value:
        return value
    return permissions.checked_policy(value)


def _size(key: TopicKey, name: str, value: str) -> str:
    return large_messages.checked(value)


def _feedback(key: TopicKey, name: str, value: str) -> str:
    return delivery_status.checked(name, value)


def _delivery_policy(key: TopicKey, name: str, value: str) -> str:
    return delivery_policies.of_topic(value)


CHECKS: dict[str, Callable[[TopicKey, str, str], str]] = {
    archive_policies.NAME: _archive_policy,
    CONTENT_BASED: _flag,
    "DeliveryPolicy": _delivery_policy,
    "DisplayName": _display_name,
    SCOPE: _scope,
    "KmsMasterKeyId": _any,
    "MaximumMessageSize": _size,
    "Policy": _policy,
    "SignatureVersion": _one_of("1", "2"),
    "TracingConfig": _tracing,
    **dict.fromkeys(delivery_status.ATTRIBUTES, _feedback),
}
