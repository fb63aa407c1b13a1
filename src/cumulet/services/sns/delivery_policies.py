"""Delivery policies: how messages to HTTP endpoints are tried again, and how fast they may come.

A topic's policy is `{"http": {"defaultHealthyRetryPolicy": {...}, "disableSubscriptionOverrides": false,
"defaultThrottlePolicy": {...}, "defaultRequestPolicy": {...}}}`, a subscription's `{"healthyRetryPolicy": {...},
"throttlePolicy": {...}, "requestPolicy": {...}}`. A subscription's parts replace the topic's, unless the topic disables
that. SNS: a retry policy names both delays and the number of retries, and lasts an hour at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from cumulet.kernel.errors import AwsError
from cumulet.services.sns.errors import invalid

BACKOFF_FUNCTIONS = ("arithmetic", "exponential", "geometric", "linear")
LONGEST_DELAY_SECONDS = 3_600
LONGEST_POLICY_SECONDS = 3_600
MOST_RETRIES = 100
DEFAULT_RETRY: dict[str, Any] = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
"""In the order in which SNS shows it."""
DEFAULT_CONTENT_TYPE = "text/plain; charset=UTF-8"
REQUIRED = ("minDelayTarget", "maxDelayTarget", "numRetries")
PHASES = ("numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries")
TOPIC_PARTS = {
    "retry": "defaultHealthyRetryPolicy",
    "throttle": "defaultThrottlePolicy",
    "request": "defaultRequestPolicy",
}
SUBSCRIPTION_PARTS = {"retry": "healthyRetryPolicy", "throttle": "throttlePolicy", "request": "requestPolicy"}
CONTENT_TYPES = frozenset(
    {
        *("text/plain", "text/html", "text/csv", "text/xml"),
        *("application/json", "application/xml", "application/octet-stream", "application/atom+xml"),
        *("application/soap+xml", "application/x-www-form-urlencoded", "application/rss+xml"),
    }
)


class Effective(msgspec.Struct, frozen=True, kw_only=True):
    """How one subscription's messages are delivered. Delays are seconds."""

    min_delay_seconds: int
    max_delay_seconds: int
    retries: int
    """All of them; what the other numbers leave is the back-off phase."""
    immediate_retries: int
    min_delay_retries: int
    max_delay_retries: int
    backoff_function: str
    most_per_second: int | None
    content_type: str


def of_topic(text: str) -> str:
    """Return the checked DeliveryPolicy of a topic; raises InvalidParameterException. An empty one unsets it."""
    policy = _parsed(text)
    if not policy:
        return ""
    _check_names(policy, ("http",), "")
    http = _object(policy, "http", "")
    _check_names(http, (*TOPIC_PARTS.values(), "disableSubscriptionOverrides"), "http.")
    if not isinstance(http.get("disableSubscriptionOverrides", False), bool):
        raise _mismatch("http.disableSubscriptionOverrides", "boolean", http["disableSubscriptionOverrides"])
    _check_parts(http, TOPIC_PARTS, "http.")
    return text


def of_subscription(text: str) -> str:
    """Return the checked DeliveryPolicy of a subscription; raises InvalidParameterException. An empty one unsets it."""
    policy = _parsed(text)
    if not policy:
        return ""
    _check_names(policy, tuple(SUBSCRIPTION_PARTS.values()), "")
    _check_parts(policy, SUBSCRIPTION_PARTS, "")
    return text


def shown_own_of_topic(text: str) -> str:
    """Return a topic's DeliveryPolicy as SNS shows it (recorded): what was given, and whether it may be overridden."""
    http = _http(text)
    shown = {"disableSubscriptionOverrides": False} | http
    order = ("defaultHealthyRetryPolicy", "disableSubscriptionOverrides", *TOPIC_PARTS.values())
    return _text({"http": {name: shown[name] for name in dict.fromkeys(order) if name in shown}})


def shown_own_of_subscription(text: str) -> str:
    """Return a subscription's DeliveryPolicy as SNS shows it (recorded): with null for what was not given."""
    own: dict[str, Any] = orjson.loads(text)
    return _shown(*(own.get(name) for name in SUBSCRIPTION_PARTS.values()))


def shown_of_topic(text: str | None) -> str:
    """Return a topic's EffectiveDeliveryPolicy."""
    http = _http(text)
    shown: dict[str, Any] = {
        "defaultHealthyRetryPolicy": DEFAULT_RETRY | http.get("defaultHealthyRetryPolicy", {}),
        "disableSubscriptionOverrides": http.get("disableSubscriptionOverrides", False),
    }
    if "defaultThrottlePolicy" in http:
        shown["defaultThrottlePolicy"] = http["defaultThrottlePolicy"]
    shown["defaultRequestPolicy"] = {"headerContentType": DEFAULT_CONTENT_TYPE} | http.get("defaultRequestPolicy", {})
    return _text({"http": shown})


def shown_of_subscription(topic_text: str | None, text: str | None) -> str:
    """Return a subscription's EffectiveDeliveryPolicy, of its topic's policy and its own."""
    parts = _effective_parts(topic_text, text)
    return _shown(parts["retry"], parts["throttle"] or None, parts["request"])


def _shown(retry: object, throttle: object, request: object) -> str:
    shown = {"healthyRetryPolicy": retry, "sicklyRetryPolicy": None, "throttlePolicy": throttle}
    return _text(shown | {"requestPolicy": request, "guaranteed": False})


def effective(topic_text: str | None, text: str | None) -> Effective:
    """Return what a subscription's messages are delivered by."""
    parts = _effective_parts(topic_text, text)
    retry = parts["retry"]
    return Effective(
        min_delay_seconds=retry["minDelayTarget"],
        max_delay_seconds=retry["maxDelayTarget"],
        retries=retry["numRetries"],
        immediate_retries=retry["numNoDelayRetries"],
        min_delay_retries=retry["numMinDelayRetries"],
        max_delay_retries=retry["numMaxDelayRetries"],
        backoff_function=retry["backoffFunction"],
        most_per_second=parts["throttle"].get("maxReceivesPerSecond"),
        content_type=parts["request"]["headerContentType"],
    )


def _effective_parts(topic_text: str | None, text: str | None) -> dict[str, dict[str, Any]]:
    http = _http(topic_text)
    own: dict[str, Any] = orjson.loads(text) if text and not http.get("disableSubscriptionOverrides") else {}
    parts = {
        part: own.get(SUBSCRIPTION_PARTS[part]) or http.get(TOPIC_PARTS[part], {}) for part in ("retry", "throttle")
    }
    request = http.get(TOPIC_PARTS["request"], {}) | (own.get(SUBSCRIPTION_PARTS["request"]) or {})
    return {
        "retry": DEFAULT_RETRY | _given(parts["retry"]),
        "throttle": _given(parts["throttle"]),
        "request": {"headerContentType": DEFAULT_CONTENT_TYPE} | request,
    }


def _http(text: str | None) -> dict[str, Any]:
    http: dict[str, Any] = orjson.loads(text)["http"] if text else {}
    return {name: value for name, value in http.items() if value is not None}


def _given(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not None}


def _parsed(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        policy = orjson.loads(text)
    except ValueError:
        raise invalid("DeliveryPolicy: failed to parse JSON.") from None
    if not isinstance(policy, dict):
        raise invalid("DeliveryPolicy: failed to parse JSON.")
    return policy


def _check_parts(policy: Mapping[str, Any], names: Mapping[str, str], prefix: str) -> None:
    if policy.get(names["retry"]) is not None:
        _check_retry(_object(policy, names["retry"], prefix), f"{prefix}{names['retry']}.")
    if policy.get(names["throttle"]) is not None:
        throttle, path = _object(policy, names["throttle"], prefix), f"{prefix}{names['throttle']}."
        _check_names(throttle, ("maxReceivesPerSecond",), path)
        _integer(throttle, "maxReceivesPerSecond", path, least=1)
    if policy.get(names["request"]) is not None:
        request, path = _object(policy, names["request"], prefix), f"{prefix}{names['request']}."
        _check_names(request, ("headerContentType",), path)
        kind = request.get("headerContentType", DEFAULT_CONTENT_TYPE)
        if not isinstance(kind, str):
            raise _mismatch(f"{path}headerContentType", "string", kind)
        if kind.split(";")[0].strip().lower() not in CONTENT_TYPES or not kind.isprintable():
            raise invalid(f"DeliveryPolicy: {path}headerContentType has an invalid value: {kind}")


def _check_retry(retry: Mapping[str, Any], path: str) -> None:
    _check_names(retry, tuple(DEFAULT_RETRY), path)
    for name in REQUIRED:
        if retry.get(name) is None:
            raise invalid(f"DeliveryPolicy: {path}{name} must be specified")
    least_delay = _integer(retry, "minDelayTarget", path, least=1, most=LONGEST_DELAY_SECONDS)
    most_delay = _integer(retry, "maxDelayTarget", path, least=1, most=LONGEST_DELAY_SECONDS)
    retries = _integer(retry, "numRetries", path, least=0, most=MOST_RETRIES)
    immediate, early, late = (_integer(retry, name, path, least=0) for name in PHASES)
    if least_delay > most_delay:
        raise invalid(f"DeliveryPolicy: {path}maxDelayTarget must be greater than or equal to minDelayTarget")
    if immediate + early + late > retries:
        raise invalid(f"DeliveryPolicy: {path}numRetries must be greater than or equal to the sum of all phases")
    function = retry.get("backoffFunction", "linear")
    if function not in BACKOFF_FUNCTIONS:
        raise invalid(f"DeliveryPolicy: {path}backoffFunction must be one of {', '.join(BACKOFF_FUNCTIONS)}")
    backoff = retries - immediate - early - late
    if early * least_delay + backoff * least_delay + late * most_delay > LONGEST_POLICY_SECONDS:
        raise invalid(f"DeliveryPolicy: {path}the total retry time must not be greater than 3600 seconds")


def _check_names(policy: Mapping[str, Any], known: tuple[str, ...], path: str) -> None:
    for name in policy:
        if name not in known:
            raise invalid(f"DeliveryPolicy: {path}{name} is unknown")


def _object(policy: Mapping[str, Any], name: str, prefix: str) -> dict[str, Any]:
    found = policy.get(name)
    if not isinstance(found, dict):
        raise _mismatch(f"{prefix}{name}", "object", found)
    return found


def _integer(policy: Mapping[str, Any], name: str, path: str, *, least: int, most: int | None = None) -> int:
    value = policy.get(name)
    if value is None:
        return least
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mismatch(f"{path}{name}", "integer", value)
    if value < least:
        raise invalid(f"DeliveryPolicy: {path}{name} must be greater than or equal to {least}")
    if most is not None and value > most:
        raise invalid(f"DeliveryPolicy: {path}{name} must be less than or equal to {most}")
    return value


def _mismatch(path: str, expected: str, value: object) -> AwsError:
    kinds = {str: "a string", bool: "a boolean", dict: "an object", list: "an array", type(None): "null"}
    found = kinds.get(type(value), "a number")
    return invalid(f"DeliveryPolicy: {path} type mismatch, expecting {expected}, received {found}")


def _text(value: object) -> str:
    return orjson.dumps(value).decode()
