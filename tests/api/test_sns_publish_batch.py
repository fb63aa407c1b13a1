"""PublishBatch: up to ten messages, and which of them fail alone."""

from __future__ import annotations

from typing import Any

import pytest
from sns_topics import Topic, fifo_topic

from cumulet.testing import Cumulet


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


def entry(number: int, **members: Any) -> dict[str, Any]:
    return {"Id": f"id-{number}", "Message": f"text {number}", **members}


def test_all_messages_of_a_batch_arrive(topic: Topic) -> None:
    listener = topic.listener()

    answer = topic.publish_batch(*(entry(number) for number in range(10)))

    assert answer["Failed"] == []
    assert [sent["Id"] for sent in answer["Successful"]] == [f"id-{number}" for number in range(10)]
    found = {envelope["MessageId"]: envelope["Message"] for envelope in listener.envelopes()}
    assert found == {sent["MessageId"]: f"text {number}" for number, sent in enumerate(answer["Successful"])}


def test_each_message_has_its_own_subject_and_attributes(topic: Topic) -> None:
    listener = topic.listener()
    color = {"DataType": "String", "StringValue": "red"}

    topic.publish_batch(entry(1, Subject="first"), entry(2, MessageAttributes={"color": color}))

    first, second = sorted(listener.envelopes(), key=lambda envelope: str(envelope["Message"]))
    assert (first["Subject"], "MessageAttributes" in first) == ("first", False)
    assert ("Subject" in second, second["MessageAttributes"]["color"]["Value"]) == (False, "red")


REFUSED: list[tuple[list[dict[str, Any]], str, str]] = [
    (
        [entry(number) for number in range(11)],
        "TooManyEntriesInBatchRequest",
        "The batch request contains more entries than permissible.",
    ),
    (
        [entry(1), entry(1)],
        "BatchEntryIdsNotDistinct",
        "Two or more batch entries in the request have the same Id.",
    ),
    (
        [entry(1), {"Id": "two words", "Message": "text"}],
        "InvalidBatchEntryId",
        "The Id of a batch entry in a batch request doesn't abide by the specification.",
    ),
    ([entry(1), {"Id": "x" * 81, "Message": "text"}], "InvalidBatchEntryId", "The Id of a batch entry"),
    ([entry(1), {"Id": "", "Message": "text"}], "InvalidBatchEntryId", "The Id of a batch entry"),
    (
        [entry(1, Message="x" * 131_073), entry(2, Message="x" * 131_073)],
        "BatchRequestTooLong",
        "The length of all the messages put together is more than the limit.",
    ),
    (
        [entry(1), entry(2, MessageAttributes={"a": {"DataType": "String", "StringValue": ""}})],
        "ParameterValueInvalid",
        "The message attribute 'a' must contain non-empty message attribute value",
    ),
]
FAILED_ALONE: list[tuple[dict[str, Any], str]] = [
    ({"Message": ""}, "Empty message"),
    ({"Subject": ""}, "Subject"),
    ({"Subject": "two\nlines"}, "Subject"),
    ({"MessageStructure": "json", "Message": "{}"}, "Message Structure - No default entry in JSON message body"),
    (
        {"MessageGroupId": "two words"},
        "The MessageGroupId parameter can only include alphanumeric and punctuation characters. 1 to 128 in length",
    ),
    (
        {"MessageDeduplicationId": "1"},
        "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for "
        "this topic type",
    ),
]


@pytest.mark.parametrize(("members", "reason"), FAILED_ALONE)
def test_an_entry_that_breaks_a_rule_fails_alone(topic: Topic, members: dict[str, Any], reason: str) -> None:
    listener = topic.raw_listener()
    refused = {"Id": "id-2", "Code": "InvalidParameter", "Message": f"Invalid parameter: {reason}", "SenderFault": True}

    answer = topic.publish_batch(entry(1), entry(2, **members), entry(3))
    alone = topic.publish_batch(entry(2, **members))

    assert answer["Failed"] == [refused]
    assert [sent["Id"] for sent in answer["Successful"]] == ["id-1", "id-3"]
    assert (alone.get("Successful", []), alone["Failed"]) == ([], [refused])
    assert sorted(listener.bodies()) == ["text 1", "text 3"]


def test_attributes_that_break_a_rule_fail_the_batch_beside_other_failures(topic: Topic) -> None:
    for value, code in (("", "ParameterValueInvalid"), ("🦉", "InvalidParameter")):
        broken = {"a": {"DataType": "String", "StringValue": value}}

        with pytest.raises(topic.sns.exceptions.ClientError) as refusal:
            topic.publish_batch(entry(1, Subject=""), entry(2, MessageAttributes=broken))

        assert refusal.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(("entries", "code", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_batch_that_breaks_a_rule_is_refused_as_a_whole_each_time(
    topic: Topic, entries: list[dict[str, Any]], code: str, message: str
) -> None:
    listener = topic.raw_listener()

    for _ in range(2):
        with pytest.raises(topic.sns.exceptions.ClientError) as refusal:
            topic.publish_batch(*entries)
        assert refusal.value.response["Error"]["Code"] == code
        assert refusal.value.response["Error"]["Message"].startswith(message)
    topic.publish_batch(entry(9))

    assert listener.bodies() == ["text 9"]


def test_an_empty_batch_is_refused(cumulet: Cumulet, topic: Topic) -> None:
    with pytest.raises(topic.sns.exceptions.EmptyBatchRequestException) as refusal:
        topic.publish_batch()

    assert "The batch request doesn't contain any entries." in str(refusal.value)


def test_a_topic_that_is_not_there_is_refused(topic: Topic) -> None:
    with pytest.raises(topic.sns.exceptions.NotFoundException) as refusal:
        topic.sns.publish_batch(TopicArn=f"{topic.arn}-gone", PublishBatchRequestEntries=[entry(1)])

    assert "Topic does not exist" in str(refusal.value)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"),
        (
            {"MessageGroupId": "g"},
            "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly",
        ),
    ],
)
def test_a_batch_for_a_fifo_topic_needs_groups_and_deduplication(
    cumulet: Cumulet, members: dict[str, str], message: str
) -> None:
    topic = fifo_topic(cumulet)
    listener = topic.raw_listener()
    good = {"MessageGroupId": "g", "MessageDeduplicationId": "1"}

    with pytest.raises(topic.sns.exceptions.InvalidParameterException) as refusal:
        topic.publish_batch(entry(1, **good), entry(2, **members))

    assert refusal.value.response["Error"]["Message"] == message
    assert listener.bodies() == []


def test_the_messages_of_a_batch_keep_their_order_in_a_fifo_topic(cumulet: Cumulet) -> None:
    topic = fifo_topic(cumulet, ContentBasedDeduplication="true")
    listener = topic.raw_listener()

    answer = topic.publish_batch(*(entry(number, MessageGroupId="g") for number in range(10)))

    numbers = [int(sent["SequenceNumber"]) for sent in answer["Successful"]]
    assert numbers == sorted(set(numbers))
    assert listener.bodies() == [f"text {number}" for number in range(10)]


def test_a_batch_again_is_answered_as_before_and_goes_to_nobody(cumulet: Cumulet) -> None:
    topic = fifo_topic(cumulet, ContentBasedDeduplication="true")
    listener = topic.raw_listener()
    entries = [entry(number, MessageGroupId="g") for number in range(3)]

    first = topic.publish_batch(*entries)["Successful"]
    again = topic.publish_batch(*entries)["Successful"]

    assert again == first
    assert len(listener.bodies()) == 3
