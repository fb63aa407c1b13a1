"""Replays: what is delivered again, in which order, and how live delivery goes on.

AWS (recorded): messages of the starting point are replayed and those of the ending point are not. Once it has met a
message of its end or later the subscription gets nothing, until another policy is set; one that has met none is live.
The envelope has a member `Replayed`. Unlike AWS's, a replay delivers nothing twice, and what a FIFO queue has had
within five minutes again.
"""

from __future__ import annotations

import threading
from collections import defaultdict

import pytest
from sns_archives import ArchivedTopic, emptied, replay_policy
from sns_topics import Listener

from cumulet.testing import Cumulet

RED = {"color": {"DataType": "String", "StringValue": "red"}}


@pytest.fixture
def archived(cumulet: Cumulet) -> ArchivedTopic:
    return ArchivedTopic(cumulet)


@pytest.fixture
def listener(archived: ArchivedTopic) -> Listener:
    """Return a queue that gets messages as they were published."""
    return archived.topic.raw_listener()


def test_a_new_subscription_gets_what_was_published_before(archived: ArchivedTopic) -> None:
    archived.publish("first", "second")

    new = archived.late()

    assert archived.status(new) == "Completed"
    assert emptied(new) == ["first", "second"]


def test_a_message_before_the_archive_is_not_replayed(archived: ArchivedTopic) -> None:
    archived.set_archive("{}")
    archived.publish("before")
    archived.set_archive('{"MessageRetentionPeriod":"30"}')

    assert emptied(archived.late(archived.cumulet.now_ms())) == []


def test_live_messages_follow_those_that_were_replayed(archived: ArchivedTopic, listener: Listener) -> None:
    archived.publish("first")
    new = archived.late()

    archived.publish("second", "third")

    assert emptied(new) == ["first", "second", "third"]
    assert emptied(listener) == ["first", "second", "third"]


def test_a_replay_begins_and_ends_at_its_points(archived: ArchivedTopic, listener: Listener) -> None:
    archived.publish("zero")
    first_ms = archived.publish("first", "second", "third")
    emptied(listener)

    archived.replay(listener, first_ms, first_ms + 2000)

    assert archived.status(listener) == "Completed"
    assert emptied(listener) == ["first", "second"]


def test_after_a_replay_with_an_end_the_subscription_rests_until_another(
    archived: ArchivedTopic, listener: Listener
) -> None:
    first_ms = archived.publish("first", "second")
    archived.replay(listener, first_ms, first_ms + 1000)
    emptied(listener)
    archived.publish("third")
    at_rest = emptied(listener)

    archived.replay(listener, first_ms + 1000)
    archived.publish("fourth")

    assert at_rest == []
    assert emptied(listener) == ["second", "third", "fourth"]


def test_a_replay_that_met_no_message_of_its_end_goes_live(archived: ArchivedTopic, listener: Listener) -> None:
    first_ms = archived.publish("first", "second")
    emptied(listener)

    archived.replay(listener, first_ms, archived.cumulet.now_ms())
    archived.publish("third")

    assert emptied(listener) == ["first", "second", "third"]


def test_without_replay_policy_live_messages_come_again(archived: ArchivedTopic, listener: Listener) -> None:
    first_ms = archived.publish("before")
    emptied(listener)
    archived.replay(listener, first_ms, first_ms)
    archived.publish("while it rests")

    archived.set_policy(listener, "{}")
    archived.set_policy(listener, "{}")
    archived.publish("live")

    assert emptied(listener) == ["live"]
    assert {"ReplayPolicy", "ReplayStatus"} & archived.attributes(listener).keys() == set()


@pytest.mark.parametrize("is_fifo", [True, False])
def test_the_same_queue_gets_its_messages_again_at_once(archived: ArchivedTopic, is_fifo: bool) -> None:
    queues = archived.topic.queues
    queue = queues.fifo() if is_fifo else queues.standard()
    listener = archived.topic.listener(queue, RawMessageDelivery="true")
    archived.publish("first", "second")
    live = emptied(listener)

    archived.replay(listener)
    again = emptied(listener)
    archived.replay(listener)

    assert live == again == emptied(listener) == ["first", "second"]


def test_a_queue_that_knows_messages_by_their_content_gets_them_again(archived: ArchivedTopic) -> None:
    queue = archived.topic.queues.fifo(ContentBasedDeduplication="true")
    listener = archived.topic.listener(queue, RawMessageDelivery="true")
    archived.publish("text")
    emptied(listener)

    archived.replay(listener)

    assert emptied(listener) == ["text"]


def test_messages_of_equal_deduplication_ids_are_all_replayed(archived: ArchivedTopic) -> None:
    for text in ("first", "second"):
        archived.topic.publish(text, MessageGroupId="g", MessageDeduplicationId="same")
        archived.cumulet.advance(minutes=6)

    assert emptied(archived.late()) == ["first", "second"]


def test_a_duplicate_is_not_archived(archived: ArchivedTopic) -> None:
    for text in ("first", "again"):
        archived.topic.publish(text, MessageGroupId="g", MessageDeduplicationId="same")

    assert emptied(archived.late()) == ["first"]


def test_groups_keep_their_order_over_many_steps(archived: ArchivedTopic) -> None:
    texts = archived.publish_many(1000, "abc")

    new = archived.late()
    archived.topic.publish("a-live", MessageGroupId="a", MessageDeduplicationId="live")

    assert archived.status(new) == "Completed"
    found = emptied(new)
    for group in "abc":
        expected = [text for text in texts if text[0] == group] + ["a-live"] * (group == "a")
        assert [text for text in found if text[0] == group] == expected


def test_a_replay_can_begin_anywhere(archived: ArchivedTopic) -> None:
    texts = [f"{number}" for number in range(13)]
    first_ms = archived.publish(*texts)

    found = {number: emptied(archived.late(first_ms + number * 1000)) for number in (0, 1, 5, 12)}

    assert found == {number: texts[number:] for number in found}


def test_a_new_replay_replaces_the_one_under_way(archived: ArchivedTopic, listener: Listener) -> None:
    first_ms = archived.publish("first", "second", "third")
    emptied(listener)

    archived.set_policy(listener, replay_policy(first_ms, first_ms + 1000))
    archived.replay(listener, first_ms + 2000)
    archived.publish("fourth")

    assert emptied(listener)[-2:] == ["third", "fourth"]


def test_the_same_subscribe_starts_no_second_replay(archived: ArchivedTopic) -> None:
    archived.publish("text")
    new = archived.late()

    found = Listener(
        new.queue,
        archived.topic.subscribe(
            "sqs", new.queue.arn, RawMessageDelivery="true", ReplayPolicy=replay_policy(archived.began_ms)
        ),
    )

    assert found.arn == new.arn
    assert emptied(new) == ["text"]


def test_many_replays_are_all_completed(archived: ArchivedTopic) -> None:
    archived.publish("text")
    policy = replay_policy(archived.began_ms)

    listeners = [archived.topic.raw_listener(ReplayPolicy=policy) for _ in range(10)]

    assert [archived.status(listener) for listener in listeners] == ["Completed"] * 10
    assert [emptied(listener) for listener in listeners] == [["text"]] * 10


def test_a_subscription_at_rest_is_live_without_the_archive(archived: ArchivedTopic, listener: Listener) -> None:
    first_ms = archived.publish("first")
    archived.replay(listener, first_ms, first_ms)
    emptied(listener)

    archived.set_archive("{}")
    archived.publish("live")
    archived.set_archive('{"MessageRetentionPeriod":"30"}')
    archived.publish("archived")

    assert emptied(listener) == ["live", "archived"]
    assert archived.status(listener) == "Completed"


def test_a_subscription_that_ended_is_not_replayed_to(archived: ArchivedTopic, listener: Listener) -> None:
    archived.publish("text")
    archived.replay(listener)
    emptied(listener)
    archived.topic.sns.unsubscribe(SubscriptionArn=listener.arn)

    again = archived.topic.listener(listener.queue, RawMessageDelivery="true")

    assert "ReplayStatus" not in archived.attributes(again)
    archived.publish("live")
    assert emptied(again) == ["live"]


def test_nothing_is_missing_twice_or_late_while_messages_keep_coming(archived: ArchivedTopic) -> None:
    """Two publishers never rest while queues subscribe and replay, again and again."""
    texts: dict[str, list[str]] = defaultdict(list)
    is_over = threading.Event()

    def publish(group: str) -> None:
        sns = archived.cumulet.client("sns")
        for number in range(10_000):
            if is_over.is_set():
                return
            text = f"{group}-{number}"
            sns.publish(TopicArn=archived.topic.arn, Message=text, MessageGroupId=group, MessageDeduplicationId=text)
            texts[group].append(text)

    publishers = [threading.Thread(target=publish, args=(group,)) for group in "ab"]
    for publisher in publishers:
        publisher.start()
    try:
        policy = replay_policy(archived.began_ms)
        listeners = [archived.topic.raw_listener(ReplayPolicy=policy) for _ in range(8)]
        archived.set_policy(listeners[0], policy)
    finally:
        is_over.set()
        for publisher in publishers:
            publisher.join()
    statuses = {archived.status(listener) for listener in listeners}

    assert statuses == {"Completed"}
    assert all(len(found) > 5 for found in texts.values())
    for listener in listeners[1:]:
        found = emptied(listener)
        assert {group: [text for text in found if text[0] == group] for group in "ab"} == texts
