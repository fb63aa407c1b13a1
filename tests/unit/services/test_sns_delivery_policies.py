"""What a subscription's messages are delivered by: its own policy, its topic's, and the defaults."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cumulet.kernel.errors import AwsError
from cumulet.services.sns import delivery_policies
from cumulet.services.sns.delivery_policies import Effective

SHORT = {"minDelayTarget": 1, "maxDelayTarget": 2, "numRetries": 5}
LONG = {"minDelayTarget": 10, "maxDelayTarget": 30, "numRetries": 10, "numNoDelayRetries": 2}
HTML = {"headerContentType": "text/html; charset=UTF-8"}
DEFAULT = Effective(
    min_delay_seconds=20,
    max_delay_seconds=20,
    retries=3,
    immediate_retries=0,
    min_delay_retries=0,
    max_delay_retries=0,
    backoff_function="linear",
    most_per_second=None,
    content_type="text/plain; charset=UTF-8",
)


def topic(**http: Any) -> str:
    return json.dumps({"http": http})


def test_default_is_three_retries_after_twenty_seconds_each() -> None:
    assert delivery_policies.effective(None, None) == DEFAULT


def test_topic_speaks_for_its_subscriptions() -> None:
    policy = topic(
        defaultHealthyRetryPolicy=LONG, defaultThrottlePolicy={"maxReceivesPerSecond": 7}, defaultRequestPolicy=HTML
    )

    found = delivery_policies.effective(policy, None)

    assert (found.min_delay_seconds, found.retries, found.immediate_retries) == (10, 10, 2)
    assert (found.most_per_second, found.content_type) == (7, HTML["headerContentType"])


def test_part_of_a_subscription_replaces_that_of_its_topic_whole() -> None:
    policy = topic(defaultHealthyRetryPolicy=LONG, defaultThrottlePolicy={"maxReceivesPerSecond": 7})
    own = json.dumps({"healthyRetryPolicy": SHORT, "requestPolicy": HTML, "throttlePolicy": None})

    found = delivery_policies.effective(policy, own)

    assert (found.min_delay_seconds, found.max_delay_seconds, found.retries) == (1, 2, 5)
    assert found.immediate_retries == 0
    assert (found.most_per_second, found.content_type) == (7, HTML["headerContentType"])


def test_topic_can_disable_what_subscriptions_say() -> None:
    policy = topic(defaultHealthyRetryPolicy=LONG, disableSubscriptionOverrides=True)
    own = json.dumps({"healthyRetryPolicy": SHORT})

    assert delivery_policies.effective(policy, own).retries == 10


def test_effective_policy_of_a_subscription_is_shown_as_a_whole() -> None:
    shown = json.loads(delivery_policies.shown_of_subscription(None, json.dumps({"healthyRetryPolicy": SHORT})))

    assert list(shown) == ["healthyRetryPolicy", "sicklyRetryPolicy", "throttlePolicy", "requestPolicy", "guaranteed"]
    assert shown["healthyRetryPolicy"].items() >= SHORT.items()
    assert (shown["sicklyRetryPolicy"], shown["throttlePolicy"], shown["guaranteed"]) == (None, None, False)


@pytest.mark.parametrize("text", ["", "{}"])
def test_empty_policy_unsets(text: str) -> None:
    assert delivery_policies.of_subscription(text) == ""
    assert delivery_policies.of_topic(text) == ""


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ({"http": {}}, "http is unknown"),
        ({"healthyRetryPolicy": {}}, "healthyRetryPolicy.minDelayTarget must be specified"),
        ({"healthyRetryPolicy": SHORT | {"odd": 1}}, "healthyRetryPolicy.odd is unknown"),
        (
            {"healthyRetryPolicy": SHORT | {"numRetries": True}},
            "healthyRetryPolicy.numRetries type mismatch, expecting integer, received a boolean",
        ),
        (
            {"healthyRetryPolicy": SHORT | {"numRetries": 1.5}},
            "healthyRetryPolicy.numRetries type mismatch, expecting integer, received a number",
        ),
        ({"throttlePolicy": 1}, "throttlePolicy type mismatch, expecting object, received a number"),
    ],
)
def test_bad_policy_of_a_subscription_is_refused(policy: dict[str, Any], text: str) -> None:
    with pytest.raises(AwsError) as refused:
        delivery_policies.of_subscription(json.dumps(policy))

    assert refused.value.message == f"Invalid parameter: DeliveryPolicy: {text}"
