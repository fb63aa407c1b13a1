"""Publish: what subscribers get, and what is refused."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sns_topics import Topic

from cumulet.testing import Cumulet


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


def text(value: str) -> dict[str, Any]:
    return {"DataType": "String", "StringValue": value}


def test_a_queue_gets_what_is_published_in_an_envelope(topic: Topic) -> None:
    listener = topic.listener()

    answer = topic.publish("hello", Subject="greeting")

    [envelope] = listener.envelopes()
    assert envelope["MessageId"] == answer["MessageId"]
    assert (envelope["Type"], envelope["TopicArn"]) == ("Notification", topic.arn)
    assert (envelope["Message"], envelope["Subject"]) == ("hello", "greeting")


def test_the_envelope_has_the_members_of_sns_in_their_order(topic: Topic) -> None:
    listener = topic.listener()

    topic.publish("hello", Subject="greeting", MessageAttributes={"color": text("red")})

    [body] = listener.bodies()
    assert body.startswith('{\n  "Type" : "Notification",\n  "MessageId" : "')
    assert body.endswith('"MessageAttributes" : {\n    "color" : {"Type":"String","Value":"red"}\n  }\n}')
    assert list(json.loads(body)) == [
        *("Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature"),
        *("SigningCertURL", "UnsubscribeURL", "MessageAttributes"),
    ]


def test_a_raw_subscriber_gets_the_message_and_its_attributes_alone(topic: Topic) -> None:
    listener = topic.raw_listener()
    attributes = {
        "color": text("red"),
        "count": {"DataType": "Number", "StringValue": "7"},
        "photo": {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"},
    }

    topic.publish("hello", Subject="greeting", MessageAttributes=attributes)

    [message] = listener.receive()
    assert message["Body"] == "hello"
    assert message["MessageAttributes"] == attributes


def test_binary_attributes_are_base64_in_the_envelope(topic: Topic) -> None:
    listener = topic.listener()

    topic.publish(MessageAttributes={"photo": {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"}})

    [envelope] = listener.envelopes()
    assert envelope["MessageAttributes"] == {"photo": {"Type": "Binary", "Value": "AgME"}}


def test_an_envelope_without_subject_and_attributes_has_no_members_for_them(topic: Topic) -> None:
    listener = topic.listener()

    topic.publish()

    [envelope] = listener.envelopes()
    assert not {"Subject", "MessageAttributes", "SequenceNumber"} & envelope.keys()


def test_the_messages_of_a_queue_have_the_service_for_their_sender(topic: Topic) -> None:
    listener = topic.listener()

    topic.publish()

    [message] = listener.receive()
    assert message["Attributes"]["SenderId"] == "AIDAIENQZJOLO23YVJ4VO"


def test_letters_of_all_alphabets_arrive_as_they_were(topic: Topic) -> None:
    listener, raw_listener = topic.listener(), topic.raw_listener()
    message = 'ö§a1"_!?,. £$-\n\t日本 🎉 \\'

    topic.publish(message)

    assert listener.texts() == [message]
    assert raw_listener.bodies() == [message]


def test_all_subscribers_get_a_message_once(topic: Topic) -> None:
    listeners = [topic.listener() for _ in range(5)]

    topic.publish("one")
    topic.publish("two")

    for listener in listeners:
        assert sorted(listener.texts()) == ["one", "two"]


def test_who_subscribes_later_gets_what_is_published_later(topic: Topic) -> None:
    topic.publish("before")
    listener = topic.listener()

    topic.publish("after")

    assert listener.texts() == ["after"]


def test_who_has_unsubscribed_gets_no_more(topic: Topic) -> None:
    listener = topic.raw_listener()
    topic.publish("before")

    topic.sns.unsubscribe(SubscriptionArn=listener.arn)
    topic.publish("after")

    assert listener.bodies() == ["before"]


def test_a_topic_can_be_the_target(topic: Topic) -> None:
    listener = topic.raw_listener()

    topic.sns.publish(TargetArn=topic.arn, Message="hello")

    assert listener.bodies() == ["hello"]


def test_each_protocol_gets_its_own_text_of_a_structured_message(topic: Topic) -> None:
    listener, raw_listener = topic.listener(), topic.raw_listener()
    message = {"default": "for all", "sqs": '{"field": "value"}', "email": "a letter", "number": 7}

    topic.publish(json.dumps(message), MessageStructure="json")
    topic.publish(json.dumps({"default": "for all"}), MessageStructure="json")

    assert sorted(listener.texts()) == ["for all", '{"field": "value"}']
    assert sorted(raw_listener.bodies()) == ["for all", '{"field": "value"}']


@pytest.mark.parametrize(("default", "text"), [("17", "17"), ("null", "null"), ("true", "true"), ('""', "")])
def test_the_default_text_of_a_structured_message_may_be_no_string(topic: Topic, default: str, text: str) -> None:
    listener = topic.listener()

    topic.publish(f'{{"default": {default}}}', MessageStructure="json")

    assert listener.texts() == [text]


@pytest.mark.parametrize("subject", ["x" * 100, "界" * 100, "🦉" * 50])
def test_the_longest_subjects_are_taken(topic: Topic, subject: str) -> None:
    listener = topic.listener()

    topic.publish(Subject=subject)

    assert [envelope["Subject"] for envelope in listener.envelopes()] == [subject]


def test_the_trace_of_the_publisher_goes_with_the_message(topic: Topic) -> None:
    listener = topic.listener()
    trace = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"

    def add_trace(request: Any, **_: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = trace

    topic.sns.meta.events.register("before-send.sns.Publish", add_trace)
    topic.publish()

    [message] = listener.receive()
    assert message["Attributes"]["AWSTraceHeader"] == trace


def test_a_group_of_a_standard_topic_goes_with_the_message(topic: Topic) -> None:
    listener = topic.raw_listener()

    topic.publish(MessageGroupId="tenant-1")

    [message] = listener.receive()
    assert message["Attributes"]["MessageGroupId"] == "tenant-1"


def test_the_largest_message_is_published(topic: Topic) -> None:
    listener = topic.raw_listener()

    topic.publish("x" * 262_144)
    topic.publish("y" * (262_144 - len("nameString") - 5), MessageAttributes={"name": text("value")})

    assert sorted(len(body) for body in listener.bodies()) == [262_129, 262_144]


EMPTY_VALUE = (
    "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type '{}'."
)
WRONG_TYPE = (
    "The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes is "
    "Binary, Number, and String."
)
WRONG_CHARACTER = (
    "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include "
    "alphanumeric characters, hyphens, underscores, or dots."
)
INVALID = "InvalidParameter"
INVALID_VALUE = "ParameterValueInvalid"
WRONG_GROUP = (
    "Invalid parameter: The MessageGroupId parameter can only include alphanumeric and punctuation characters. "
    "1 to 128 in length"
)


def attribute(name: str = "attr1", **members: Any) -> dict[str, Any]:
    return {"MessageAttributes": {name: members}}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"Message": ""}, INVALID, "Invalid parameter: Empty message"),
    ({"Subject": ""}, INVALID, "Invalid parameter: Subject"),
    ({"Subject": "x" * 101}, INVALID, "Invalid parameter: Subject"),
    ({"Subject": "🦉" * 51}, INVALID, "Invalid parameter: Subject"),
    ({"Subject": "two\nlines"}, INVALID, "Invalid parameter: Subject"),
    ({"Message": "x" * 262_145}, INVALID, "Invalid parameter: Message too long"),
    ({"Message": "ö" * 131_073}, INVALID, "Invalid parameter: Message too long"),
    ({"Message": "x" * 262_140, **attribute(**text("value"))}, INVALID, "Invalid parameter: Message too long"),
    (
        {"Message": "{}", "MessageStructure": "json"},
        INVALID,
        "Invalid parameter: Message Structure - No default entry in JSON message body",
    ),
    (
        {"Message": '{"default": {"value": 17}}', "MessageStructure": "json"},
        INVALID,
        "Invalid parameter: Message Structure - No default entry in JSON message body",
    ),
    (
        {"Message": '{"default": [17]}', "MessageStructure": "json"},
        INVALID,
        "Invalid parameter: Message Structure - No default entry in JSON message body",
    ),
    (
        {"Message": "{", "MessageStructure": "json"},
        INVALID,
        "Invalid parameter: Message Structure - JSON message body failed to parse",
    ),
    ({"MessageStructure": "xml"}, INVALID, "Invalid parameter: MessageStructure"),
    (
        {"MessageDeduplicationId": "1"},
        INVALID,
        "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that "
        "is not valid for this topic type",
    ),
    ({"MessageGroupId": "two words"}, INVALID, WRONG_GROUP),
    ({"MessageGroupId": "x" * 129}, INVALID, WRONG_GROUP),
    (attribute(DataType="String", StringValue=""), INVALID_VALUE, EMPTY_VALUE.format("String")),
    (attribute(DataType="String"), INVALID_VALUE, EMPTY_VALUE.format("String")),
    (attribute(DataType="Binary", BinaryValue=b""), INVALID_VALUE, EMPTY_VALUE.format("Binary")),
    (
        attribute(DataType="String", BinaryValue=b"x"),
        INVALID_VALUE,
        "The message attribute 'attr1' with type 'String' must use field 'String'.",
    ),
    (
        attribute(DataType="Number", BinaryValue=b"x"),
        INVALID_VALUE,
        "The message attribute 'attr1' with type 'Number' must use field 'String'.",
    ),
    (
        attribute(DataType="Binary", StringValue="x"),
        INVALID_VALUE,
        "The message attribute 'attr1' with type 'Binary' must use field 'Binary'.",
    ),
    (
        attribute(DataType="Number", StringValue="seven"),
        INVALID_VALUE,
        "Could not cast message attribute 'attr1' value to number.",
    ),
    *[
        (
            attribute(DataType="Number", StringValue=value),
            INVALID_VALUE,
            f"Message attribute 'attr1' number value [{value}] scale must be 10^-128 and 10^126.",
        )
        for value in ("1e-100000", "1e-129", "1e126", "10E126", "0e-129", "0e126", "1e" + "9" * 30, "-1" + "0" * 127)
    ],
    *[
        (
            attribute(DataType="Number", StringValue=value),
            INVALID_VALUE,
            f"Message attribute 'attr1' number value [{value}] must have less than 38 precision digits.",
        )
        for value in ("1" * 39, "1" + "0" * 100, "1." + "0" * 38)
    ],
    (
        attribute(**text("an owl: 🦉")),
        "InvalidParameter",
        "Invalid parameter: Invalid attribute value was passed in for message attribute attr1",
    ),
    (
        attribute("", **text("x")),
        INVALID_VALUE,
        "The request must contain non-empty message attribute name.",
    ),
    (attribute(DataType="Text", StringValue="x"), INVALID_VALUE, WRONG_TYPE),
    (attribute(DataType="Stringprefixed", StringValue="x"), INVALID_VALUE, WRONG_TYPE),
    (
        attribute("x" * 256, **text("x")),
        INVALID_VALUE,
        "Length of message attribute name must be less than 256 bytes.",
    ),
    (attribute("^name", **text("x")), INVALID_VALUE, WRONG_CHARACTER),
    (
        attribute(".name", **text("x")),
        INVALID_VALUE,
        "Invalid message attribute name starting with character '.' was found.",
    ),
    (
        attribute("name.", **text("x")),
        INVALID_VALUE,
        "Invalid message attribute name ending with character '.' was found.",
    ),
    (
        attribute("na..me", **text("x")),
        INVALID_VALUE,
        "Message attribute name can not have successive '.' character.",
    ),
]


@pytest.mark.parametrize(("members", "code", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_publish_that_breaks_a_rule_is_refused_each_time_and_reaches_nobody(
    topic: Topic, members: dict[str, Any], code: str, message: str
) -> None:
    listener = topic.raw_listener()

    for _ in range(2):
        with pytest.raises(topic.sns.exceptions.ClientError) as refusal:
            topic.sns.publish(**{"TopicArn": topic.arn, "Message": "text", **members})
        assert refusal.value.response["Error"]["Code"] == code
        assert refusal.value.response["Error"]["Message"] == message
    topic.publish("good")

    assert listener.bodies() == ["good"]


@pytest.mark.parametrize("data_type", ["String.custom", "Number.float", "Binary.png", "String.Array"])
def test_types_may_have_suffixes(topic: Topic, data_type: str) -> None:
    listener = topic.listener()
    value: dict[str, Any] = {"BinaryValue": b"1"} if data_type.startswith("Binary") else {"StringValue": "1"}

    topic.publish(**attribute(DataType=data_type, **value))

    [envelope] = listener.envelopes()
    assert envelope["MessageAttributes"]["attr1"]["Type"] == data_type


@pytest.mark.parametrize(
    ("arn", "code", "message"),
    [
        ("topic", INVALID, "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"),
        ("", INVALID, "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"),
        ("arn:aws:sns:us-east-1:000000000000:gone", "NotFound", "Topic does not exist"),
    ],
)
def test_a_topic_that_is_not_there_is_refused(cumulet: Cumulet, arn: str, code: str, message: str) -> None:
    sns = cumulet.client("sns")

    with pytest.raises(sns.exceptions.ClientError) as refusal:
        sns.publish(TopicArn=arn, Message="text")

    assert refusal.value.response["Error"]["Code"] == code
    assert refusal.value.response["Error"]["Message"] == message


def test_a_publish_to_nothing_is_refused(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")

    with pytest.raises(sns.exceptions.InvalidParameterException) as refusal:
        sns.publish(Message="text")

    assert "TopicArn or TargetArn Reason: no value for required parameter" in str(refusal.value)


def test_a_deleted_topic_takes_no_messages(topic: Topic) -> None:
    listener = topic.raw_listener()
    topic.publish("before")

    topic.sns.delete_topic(TopicArn=topic.arn)

    with pytest.raises(topic.sns.exceptions.NotFoundException):
        topic.publish("after")
    assert listener.bodies() == ["before"]


NULL = "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null"


@pytest.mark.parametrize(
    ("operation", "members", "place"),
    [
        ("publish", {}, "message"),
        ("publish", {"Message": "x", "MessageAttributes": {"attr1": {}}}, "messageAttributes.attr1.member.dataType"),
        ("publish_batch", {}, "publishBatchRequestEntries"),
        (
            "publish_batch",
            {"PublishBatchRequestEntries": [{"Message": "x"}]},
            "publishBatchRequestEntries.1.member.id",
        ),
        (
            "publish_batch",
            {"PublishBatchRequestEntries": [{"Id": "1"}]},
            "publishBatchRequestEntries.1.member.message",
        ),
        (
            "publish_batch",
            {"PublishBatchRequestEntries": [{"Id": "1", "Message": "x", "MessageAttributes": {"attr1": {}}}]},
            "publishBatchRequestEntries.1.member.messageAttributes.attr1.member.dataType",
        ),
    ],
)
def test_what_is_missing_is_named(topic: Topic, operation: str, members: dict[str, Any], place: str) -> None:
    sns = topic.cumulet.client("sns", parameter_validation=False)

    with pytest.raises(sns.exceptions.ClientError) as refusal:
        getattr(sns, operation)(TopicArn=topic.arn, **members)

    assert refusal.value.response["Error"]["Code"] == "ValidationError"
    assert refusal.value.response["Error"]["Message"] == NULL.format(place)


def test_publishes_at_the_same_time_all_arrive_once(topic: Topic) -> None:
    listener = topic.raw_listener()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: topic.publish(f"{number}"), range(80)))

    found = [message["Body"] for _ in range(10) for message in listener.receive()]
    assert sorted(found, key=int) == [f"{number}" for number in range(80)]
    assert len({answer["MessageId"] for answer in answers}) == 80


def test_what_was_published_is_there_after_a_kill(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", durability="full") as cumulet:
        topic = Topic(cumulet)
        queue = topic.raw_listener().queue
        topic.publish("text")
        assert cumulet.process is not None
        cumulet.process.kill()
        cumulet.process.wait()
        cumulet.start()
        sqs, sns = cumulet.client("sqs"), cumulet.client("sns")

        sns.publish(TopicArn=topic.arn, Message="after")

        found = sqs.receive_message(QueueUrl=queue.name, MaxNumberOfMessages=10)["Messages"]
        assert sorted(message["Body"] for message in found) == ["after", "text"]
