"""ReplayPolicy: which policies are refused, in AWS's words (recorded)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sns_administration import invalid, refusal
from sns_archives import ArchivedTopic, emptied, replay_policy
from sns_topics import Topic, fifo_topic

from cumulet.testing import Cumulet

NO_JSON = "ReplayPolicy: Unable to parse JSON"
MISSING = "ReplayPolicy: JSON is missing required fields"
BAD_TYPE = "ReplayPolicy: Invalid PointType"
BAD_START = "ReplayPolicy: Invalid StartingPoint value"
BAD_END = "ReplayPolicy: Invalid EndingPoint value"
BAD_POLICIES: dict[str, tuple[object, str]] = {
    "no type": ({"PointType": None}, BAD_TYPE),
    "another type": ({"PointType": "Sequence"}, BAD_TYPE),
    "another spelling": ({"PointType": "timestamp"}, BAD_TYPE),
    "a number as start": ({"StartingPoint": 1698314400}, BAD_START),
    "no time as start": ({"StartingPoint": "yesterday"}, BAD_START),
    "an empty start": ({"StartingPoint": ""}, BAD_START),
    "nothing as start": ({"StartingPoint": None}, BAD_START),
    "a day that isn't": ({"StartingPoint": "2023-02-30T10:00:00.000Z"}, BAD_START),
    "a start before the archive": ({"StartingPoint": "2023-02-20T10:00:00.000Z"}, BAD_START),
    "a start to come": ({"StartingPoint": "2999-01-01T00:00:00.000Z"}, BAD_START),
    "no time as end": ({"EndingPoint": "tomorrow"}, BAD_END),
    "nothing as end": ({"EndingPoint": None}, BAD_END),
    "an end before the start": ({"EndingPoint": "2023-10-26T09:59:59.999Z"}, BAD_END),
    "an end to come": ({"EndingPoint": "2999-01-01T00:00:00.000Z"}, BAD_END),
    "an empty text": ("", NO_JSON),
    "half an object": ("{", NO_JSON),
    "no JSON": ("Timestamp", NO_JSON),
    "a list": ("[]", MISSING),
    "a text": ('"Timestamp"', MISSING),
    "only a type": ('{"PointType": "Timestamp"}', MISSING),
    "only a start": ('{"StartingPoint": "2023-10-26T10:00:00.000Z"}', MISSING),
}


def policy_with(changed: object, now_ms: int) -> str:
    """Return a policy that is right but for what is changed."""
    if isinstance(changed, str):
        return changed
    assert isinstance(changed, dict)
    return json.dumps(json.loads(replay_policy(now_ms)) | changed)


@pytest.mark.parametrize(("changed", "text"), BAD_POLICIES.values(), ids=BAD_POLICIES.keys())
def test_bad_policy_is_refused_and_live_delivery_goes_on(cumulet: Cumulet, changed: object, text: str) -> None:
    archived = ArchivedTopic(cumulet)
    listener = archived.topic.raw_listener()
    policy = policy_with(changed, cumulet.now_ms())
    endpoint = f"{listener.queue.arn.removesuffix('.fifo')}-2.fifo"

    set_refused = [
        refusal(
            archived.topic.sns.set_subscription_attributes,
            SubscriptionArn=listener.arn,
            AttributeName="ReplayPolicy",
            AttributeValue=policy,
        )
        for _ in range(2)
    ]
    subscribe_refused = refusal(
        archived.topic.sns.subscribe,
        TopicArn=archived.topic.arn,
        Protocol="sqs",
        Endpoint=endpoint,
        Attributes={"ReplayPolicy": policy},
    )
    archived.publish("text")

    assert set_refused == [invalid(text)] * 2
    assert subscribe_refused == invalid(f"Attributes Reason: {text}")
    assert emptied(listener) == ["text"]
    assert len(archived.topic.sns.list_subscriptions_by_topic(TopicArn=archived.topic.arn)["Subscriptions"]) == 1


def test_a_refused_policy_leaves_the_one_before(cumulet: Cumulet) -> None:
    archived = ArchivedTopic(cumulet)
    first_ms = archived.publish("first", "second")
    listener = archived.topic.raw_listener(ReplayPolicy=replay_policy(first_ms))
    before = archived.status(listener), archived.attributes(listener)

    refusal(lambda: archived.set_policy(listener, replay_policy(first_ms - 10_000)))

    assert (archived.status(listener), archived.attributes(listener)) == before
    assert emptied(listener) == ["first", "second"]


@pytest.mark.parametrize("is_fifo", [True, False])
def test_a_topic_without_archive_has_nothing_to_replay(cumulet: Cumulet, is_fifo: bool) -> None:
    topic = fifo_topic(cumulet) if is_fifo else Topic(cumulet)
    listener = topic.raw_listener()

    refused = refusal(
        topic.sns.set_subscription_attributes,
        SubscriptionArn=listener.arn,
        AttributeName="ReplayPolicy",
        AttributeValue=replay_policy(cumulet.now_ms()),
    )

    assert refused == invalid("ReplayPolicy: Topic does not have an ArchivePolicy" if is_fifo else "AttributeName")


@pytest.mark.parametrize(
    "spelling", ["{:%Y-%m-%dT%H:%M:%S.000Z}", "{:%Y-%m-%dT%H:%M:%SZ}", "{:%Y-%m-%dT%H:%M:%S+00:00}"]
)
def test_the_second_in_which_the_archive_began_is_a_start(cumulet: Cumulet, spelling: str) -> None:
    """So a script may note the time in seconds, and publish. AWS holds to the millisecond."""
    archived = ArchivedTopic(cumulet)
    archived.publish("text")
    start = spelling.format(datetime.fromtimestamp(archived.began_ms // 1000, UTC))

    listener = archived.topic.raw_listener(ReplayPolicy=f'{{"PointType": "Timestamp", "StartingPoint": "{start}"}}')

    assert archived.status(listener) == "Completed"
    assert emptied(listener) == ["text"]


def test_the_status_cannot_be_set(cumulet: Cumulet) -> None:
    archived = ArchivedTopic(cumulet)
    listener = archived.topic.raw_listener()

    refused = refusal(
        archived.topic.sns.set_subscription_attributes,
        SubscriptionArn=listener.arn,
        AttributeName="ReplayStatus",
        AttributeValue="Completed",
    )

    assert refused == invalid("AttributeName")
