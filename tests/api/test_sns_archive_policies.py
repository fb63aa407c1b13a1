"""ArchivePolicy: what may be set, what is shown, and what it means for the topic; the refusals are AWS's (recorded)."""

from __future__ import annotations

from typing import Any

import pytest
from sns_administration import Topic, fifo, invalid, refusal
from sns_archives import DAY_MS, ArchivedTopic, archive_policy, emptied, moment, replay_policy
from test_sns_publish_metrics import measured

from cumulet.testing import Cumulet

BAD_DAYS = "ArchivePolicy: MessageRetentionPeriod value is invalid"
NO_JSON = "ArchivePolicy: Unable to parse JSON"
NO_DAYS = "ArchivePolicy: JSON is missing required fields"
BAD_POLICIES: dict[str, tuple[str, str]] = {
    "no days": (archive_policy("0"), BAD_DAYS),
    "too many days": (archive_policy(366), BAD_DAYS),
    "a negative number": (archive_policy(-1), BAD_DAYS),
    "no number": (archive_policy("abc"), BAD_DAYS),
    "a fraction": (archive_policy("1.5"), BAD_DAYS),
    "a fraction as a number": (archive_policy(1.5), BAD_DAYS),
    "a truth value": (archive_policy(True), BAD_DAYS),
    "nothing": (archive_policy(None), BAD_DAYS),
    "digits of another script": (archive_policy("٣"), BAD_DAYS),
    "a very long number": (archive_policy("9" * 5000), BAD_DAYS),
    "another attribute": ('{"Days": "3"}', NO_DAYS),
    "a list": ("[]", NO_DAYS),
    "a text": ('"30"', NO_DAYS),
    "an empty text": ("", NO_JSON),
    "half an object": ("{", NO_JSON),
}


def delete(topic: Topic) -> Any:
    return topic.client.delete_topic(TopicArn=topic.arn)


@pytest.mark.parametrize("policy", [archive_policy("1"), archive_policy("365"), archive_policy(30)])
def test_policy_is_shown_as_it_was_set(cumulet: Cumulet, policy: str) -> None:
    topic = fifo(cumulet)

    topic.set("ArchivePolicy", policy)
    topic.set("ArchivePolicy", policy)

    assert topic.attributes["ArchivePolicy"] == policy


def test_a_topic_is_made_with_an_archive(cumulet: Cumulet) -> None:
    topic = fifo(cumulet, ArchivePolicy=archive_policy())

    assert topic.attributes["BeginningArchiveTime"] == moment(cumulet.now_ms())


@pytest.mark.parametrize("policy", [archive_policy(), '{ "MessageRetentionPeriod" : "30" }', archive_policy("7")])
def test_create_topic_gives_no_archive_to_a_topic_that_is_there(cumulet: Cumulet, policy: str) -> None:
    topic = fifo(cumulet, ArchivePolicy=archive_policy())
    given = {"FifoTopic": "true", "ArchivePolicy": policy}

    refused = refusal(topic.client.create_topic, Name="topic.fifo", Attributes=given)

    assert refused == invalid("Attributes Reason: Topic already exists with different attributes")
    assert fifo(cumulet).arn == topic.arn
    topic.set("ArchivePolicy", "{}")
    assert fifo(cumulet, ArchivePolicy="{}").arn == topic.arn


def test_the_beginning_cannot_be_set(cumulet: Cumulet) -> None:
    topic = fifo(cumulet, ArchivePolicy=archive_policy())

    refused = refusal(topic.set, name="BeginningArchiveTime", value=moment(cumulet.now_ms()))

    assert refused == invalid("AttributeName")


def test_a_topic_without_policy_shows_nothing_of_archives(cumulet: Cumulet) -> None:
    assert {"ArchivePolicy", "BeginningArchiveTime"} & fifo(cumulet).attributes.keys() == set()


@pytest.mark.parametrize(("policy", "text"), BAD_POLICIES.values(), ids=BAD_POLICIES.keys())
def test_bad_policy_is_refused(cumulet: Cumulet, policy: str, text: str) -> None:
    topic = fifo(cumulet, ArchivePolicy=archive_policy("7"))
    members = {"TopicArn": topic.arn, "AttributeName": "ArchivePolicy", "AttributeValue": policy}

    assert refusal(topic.client.set_topic_attributes, **members) == invalid(text)
    assert refusal(
        topic.client.create_topic, Name="x.fifo", Attributes={"FifoTopic": "true", "ArchivePolicy": policy}
    ) == invalid(f"Attributes Reason: {text}")
    assert topic.attributes["ArchivePolicy"] == archive_policy("7")


def test_a_standard_topic_has_no_archive(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    members = {"TopicArn": topic.arn, "AttributeName": "ArchivePolicy", "AttributeValue": archive_policy()}

    assert refusal(topic.client.set_topic_attributes, **members) == invalid("AttributeName")
    assert refusal(topic.client.create_topic, Name="t", Attributes={"ArchivePolicy": archive_policy()}) == invalid(
        "Attributes Reason: Unknown attribute ArchivePolicy"
    )


def test_the_beginning_of_the_archive_moves_on_with_the_retention(cumulet: Cumulet) -> None:
    topic = fifo(cumulet, ArchivePolicy=archive_policy("2"))
    opened_ms = cumulet.now_ms()

    cumulet.advance(days=1)
    within = topic.attributes["BeginningArchiveTime"]
    cumulet.advance(days=2)
    later = topic.attributes["BeginningArchiveTime"]
    topic.set("ArchivePolicy", archive_policy("1"))

    assert (within, later) == (moment(opened_ms), moment(opened_ms + DAY_MS))
    assert topic.attributes["BeginningArchiveTime"] == moment(cumulet.now_ms() - DAY_MS)


def test_a_topic_with_an_archive_cannot_be_deleted_before_its_policy_is_unset(cumulet: Cumulet) -> None:
    topic = fifo(cumulet, ArchivePolicy=archive_policy())

    refused = refusal(lambda: delete(topic))
    topic.set("ArchivePolicy", "{}")
    topic.set("ArchivePolicy", "{}")
    shown = topic.attributes
    delete(topic)

    assert refused == ("InvalidState", 400, "Invalid state: Cannot delete a topic with an ArchivePolicy")
    assert "ArchivePolicy" not in shown
    assert "BeginningArchiveTime" not in shown
    assert topic.client.list_topics()["Topics"] == []


def test_messages_are_gone_once_the_policy_was_unset(cumulet: Cumulet) -> None:
    archived = ArchivedTopic(cumulet)
    archived.publish("before")
    for policy in ("{}", archive_policy()):
        archived.set_archive(policy)
    beginning_ms = archived.publish("after")

    listener = archived.topic.raw_listener(ReplayPolicy=replay_policy(beginning_ms))

    assert archived.status(listener) == "Completed"
    assert emptied(listener) == ["after"]


def test_messages_are_gone_after_the_retention(cumulet: Cumulet) -> None:
    archived = ArchivedTopic(cumulet, days=2)
    archived.publish("first")
    cumulet.advance(days=1)
    archived.publish("second")
    cumulet.advance(days=1)
    archived.publish("third")

    listener = archived.topic.raw_listener(ReplayPolicy=replay_policy(cumulet.now_ms() - 2 * DAY_MS))
    archived.come_to_rest()

    assert emptied(listener) == ["second", "third"]


def test_a_longer_retention_brings_nothing_back_and_keeps_the_rest(cumulet: Cumulet) -> None:
    archived = ArchivedTopic(cumulet, days=1)
    archived.publish("first")
    cumulet.advance(days=2)
    archived.publish("second")
    archived.set_archive(archive_policy("30"))
    cumulet.advance(days=20)

    listener = archived.topic.raw_listener(ReplayPolicy=replay_policy(archived.began_ms))
    archived.come_to_rest()

    assert emptied(listener) == ["second"]


def test_what_is_kept_is_counted(cumulet: Cumulet) -> None:
    archived = ArchivedTopic(cumulet)

    archived.publish("four", "five5")

    assert measured(archived.topic, "NumberOfMessagesArchiveProcessing") == 2
    assert measured(archived.topic, "NumberOfBytesArchiveProcessing") == 9
