"""SNS: making, finding, listing and deleting topics."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sns_administration import NO_TOPIC, Refusal, Topic, fifo, invalid, refusal, tags
from sqs_wire import Wire

from cumulet.testing import Cumulet

DIFFERENT_ATTRIBUTES = invalid("Attributes Reason: Topic already exists with different attributes")
DIFFERENT_TAGS = invalid("Tags Reason: Topic already exists with different tags")


@pytest.mark.parametrize("name", ["a", "A-b_9", "x" * 256])
def test_topic_is_named_by_its_arn(cumulet: Cumulet, name: str) -> None:
    topic = Topic(cumulet, name)

    assert topic.arn == f"arn:aws:sns:us-east-1:{cumulet.account}:{name}"
    assert topic.attributes["TopicArn"] == topic.arn


@pytest.mark.parametrize("name", ["", "a b", "a.b", "ä", "x" * 257, "name.fifo", "a/b", "a:b", "t\n"])
def test_bad_name_is_refused(cumulet: Cumulet, name: str) -> None:
    sns = cumulet.client("sns")

    assert refusal(sns.create_topic, Name=name) == invalid("Topic Name")
    assert sns.list_topics()["Topics"] == []


@pytest.mark.parametrize("name", ["name", "a.b.fifo", ".fifo", "x" * 252 + ".fifo", "name.FIFO", "name.fifo\n"])
def test_bad_fifo_name_is_refused(cumulet: Cumulet, name: str) -> None:
    sns = cumulet.client("sns")

    assert refusal(sns.create_topic, Name=name, Attributes={"FifoTopic": "true"}) == invalid("Topic Name")
    assert sns.list_topics()["Topics"] == []


def test_longest_fifo_name_is_taken(cumulet: Cumulet) -> None:
    assert fifo(cumulet, "x" * 251 + ".fifo").attributes["FifoTopic"] == "true"


@pytest.mark.parametrize(
    "again",
    [
        {},
        {"Tags": []},
        {"Tags": tags(a="1")},
        {"Attributes": {"DisplayName": "d"}},
        {"Attributes": {"FifoTopic": "false", "SignatureVersion": "1"}},
        {"Attributes": {"DeliveryPolicy": '{"http": {}}'}},
    ],
)
def test_topic_that_is_there_is_found_again(cumulet: Cumulet, again: dict[str, Any]) -> None:
    attributes = {"DisplayName": "d", "DeliveryPolicy": '{"http":{}}'}
    topic = Topic(cumulet, "t", Attributes=attributes, Tags=tags(a="1", b="2"))

    assert topic.client.create_topic(Name="t", **again)["TopicArn"] == topic.arn
    assert (topic.attributes["DisplayName"], topic.tags) == ("d", {"a": "1", "b": "2"})


@pytest.mark.parametrize(
    ("again", "refused"),
    [
        ({"Attributes": {"DisplayName": "{"}}, DIFFERENT_ATTRIBUTES),
        ({"Attributes": {"DeliveryPolicy": '{"http":{}}'}}, DIFFERENT_ATTRIBUTES),
        ({"Attributes": {"SignatureVersion": "2"}}, DIFFERENT_ATTRIBUTES),
        ({"Tags": tags(a="2")}, DIFFERENT_TAGS),
        ({"Tags": tags(a="1", b="1")}, DIFFERENT_TAGS),
    ],
)
def test_topic_that_is_there_otherwise_is_refused(cumulet: Cumulet, again: dict[str, Any], refused: object) -> None:
    topic = Topic(cumulet, "t", Attributes={"DisplayName": "d"}, Tags=tags(a="1"))

    assert refusal(topic.client.create_topic, Name="t", **again) == refused
    assert refusal(topic.client.create_topic, Name="t", **again) == refused
    assert (topic.attributes["DisplayName"], topic.tags) == ("d", {"a": "1"})


@pytest.mark.parametrize(
    ("members", "refused"),
    [
        ({"Attributes": {"Nonsense": "1"}}, invalid("Attributes Reason: Unknown attribute Nonsense")),
        ({"Attributes": {"TopicArn": "1"}}, invalid("Attributes Reason: Unknown attribute TopicArn")),
        (
            {"Attributes": {"FifoTopic": "yes"}},
            invalid("Attributes Reason: FifoTopic: Invalid value [yes]. Must be true or false."),
        ),
        (
            {"Attributes": {"SignatureVersion": "3"}},
            invalid("Attributes Reason: SignatureVersion Reason: must be one of 1, 2"),
        ),
        (
            {"Attributes": {"TracingConfig": "active"}},
            invalid("Attributes Reason: Invalid tracing config value: active"),
        ),
        (
            {"Attributes": {"ContentBasedDeduplication": "true"}},
            invalid("Attributes Reason: ContentBasedDeduplication is only supported for FIFO topics"),
        ),
        ({"Tags": [*tags(a="1"), *tags(a="2")]}, invalid("Duplicated keys are not allowed.")),
        (
            {"Tags": [{"Key": f"k{number}", "Value": ""} for number in range(51)]},
            ("TagLimitExceeded", 400, "Could not complete request: tag quota of per resource exceeded"),
        ),
    ],
)
def test_bad_members_make_no_topic(cumulet: Cumulet, members: dict[str, Any], refused: object) -> None:
    sns = cumulet.client("sns")

    assert refusal(sns.create_topic, Name="t", **members) == refused
    assert sns.list_topics()["Topics"] == []
    assert sns.create_topic(Name="t")["TopicArn"].endswith(":t")


def test_topic_is_made_by_a_plain_form(wire: Wire) -> None:
    answer = wire.post("/", signed=False, Action="CreateTopic", Version="2010-03-31", Name="plain-form")

    [arn] = answer.texts("TopicArn")
    assert answer.status == 200
    assert arn is not None
    assert arn.endswith(":plain-form")


def test_refusal_has_the_members_of_aws(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")

    with pytest.raises(sns.exceptions.NotFoundException) as refused:
        sns.get_topic_attributes(TopicArn=f"arn:aws:sns:us-east-1:{cumulet.account}:none")

    assert refused.value.response["Error"] == {"Type": "Sender", "Code": "NotFound", "Message": "Topic does not exist"}


def test_deleted_topic_is_gone(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)

    topic.client.delete_topic(TopicArn=topic.arn)
    topic.client.delete_topic(TopicArn=topic.arn)

    assert refusal(topic.client.get_topic_attributes, TopicArn=topic.arn) == NO_TOPIC
    assert topic.client.list_topics()["Topics"] == []


def test_topic_made_again_has_nothing_of_the_old_one(cumulet: Cumulet) -> None:
    topic = Topic(cumulet, "t", Attributes={"DisplayName": "d"}, Tags=tags(a="1"))
    queue = f"arn:aws:sqs:us-east-1:{cumulet.account}:q"
    topic.client.subscribe(TopicArn=topic.arn, Protocol="sqs", Endpoint=queue)
    topic.client.delete_topic(TopicArn=topic.arn)

    again = Topic(cumulet, "t", Tags=tags(b="2"))

    assert (again.attributes["DisplayName"], again.tags) == ("", {"b": "2"})
    assert again.client.list_subscriptions_by_topic(TopicArn=again.arn)["Subscriptions"] == []


def test_subscriptions_of_a_deleted_topic_are_collected(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    for number in range(3):
        endpoint = f"arn:aws:sqs:us-east-1:{cumulet.account}:q{number}"
        topic.client.subscribe(TopicArn=topic.arn, Protocol="sqs", Endpoint=endpoint)

    topic.client.delete_topic(TopicArn=topic.arn)
    cumulet.advance(seconds=1)

    assert topic.client.list_subscriptions()["Subscriptions"] == []


def test_topics_are_listed_by_name_in_pages(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")
    arns = sorted(sns.create_topic(Name=f"t{number}")["TopicArn"] for number in range(101))

    first = sns.list_topics()
    second = sns.list_topics(NextToken=first["NextToken"])

    assert len(first["Topics"]) == 100
    assert [topic["TopicArn"] for topic in [*first["Topics"], *second["Topics"]]] == arns
    assert "NextToken" not in second


@pytest.mark.parametrize("token", ["x", "bm8=", "ä"])
def test_token_of_no_list_is_refused(cumulet: Cumulet, token: str) -> None:
    assert refusal(cumulet.client("sns").list_topics, NextToken=token) == invalid("NextToken")


def test_topics_of_other_regions_are_not_seen(cumulet: Cumulet) -> None:
    topic, elsewhere = Topic(cumulet), cumulet.client("sns", region="eu-west-1")

    assert elsewhere.list_topics()["Topics"] == []
    assert refusal(elsewhere.get_topic_attributes, TopicArn=topic.arn) == invalid("TopicArn")


def short_arn(elements: int) -> object:
    return invalid(f"TopicArn Reason: An ARN must have at least 6 elements, not {elements}")


@pytest.mark.parametrize("operation", ["get_topic_attributes", "delete_topic", "set_topic_attributes"])
@pytest.mark.parametrize(
    ("arn", "refused"),
    [
        ("", short_arn(1)),
        ("topic", short_arn(1)),
        ("arn:aws", short_arn(2)),
        ("arn:aws:sns:us-east-1:000000000000", short_arn(5)),
        ("arn:aws:sqs:us-east-1:000000000000:t", invalid("TopicArn")),
        ("arn:aws:sns:us-east-1:000000000000:", invalid("TopicArn")),
        ("arn:aws:sns:us-east-1:000000000000:t:u", invalid("TopicArn")),
        ("arn:aws-cn:sns:us-east-1:000000000000:t", invalid("TopicArn")),
    ],
)
def test_bad_arn_is_refused(cumulet: Cumulet, operation: str, arn: str, refused: object) -> None:
    members = {"AttributeName": "DisplayName", "AttributeValue": "d"} if operation == "set_topic_attributes" else {}

    assert refusal(getattr(cumulet.client("sns"), operation), TopicArn=arn, **members) == refused


def test_one_of_several_that_make_a_topic_at_once_decides(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns", max_pool_connections=8)

    def make(name: str) -> str | Refusal:
        try:
            answer = sns.create_topic(Name="t", Attributes={"DisplayName": name})
        except sns.exceptions.InvalidParameterException:
            return DIFFERENT_ATTRIBUTES
        return str(answer["TopicArn"])

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(make, "abcdefgh"))

    [arn] = [answer for answer in made if answer != DIFFERENT_ATTRIBUTES]
    shown = sns.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"]
    assert made["abcdefgh".index(shown)] == arn


def test_topics_survive_a_restart(tmp_path: Path) -> None:
    server = Cumulet(tmp_path / "data", durability="full")
    server.start()
    try:
        kept = Topic(server, "kept", Attributes={"DisplayName": "d"}, Tags=tags(a="1"))
        deleted = Topic(server, "deleted")
        kept.client.add_permission(TopicArn=kept.arn, Label="l", AWSAccountId=["111122223333"], ActionName=["Publish"])
        deleted.client.delete_topic(TopicArn=deleted.arn)
        attributes = kept.attributes
    finally:
        server.stop()
    server = Cumulet(tmp_path / "data", durability="full")
    server.start()
    try:
        again = server.client("sns")
        assert again.get_topic_attributes(TopicArn=kept.arn)["Attributes"] == attributes
        assert again.list_tags_for_resource(ResourceArn=kept.arn)["Tags"] == tags(a="1")
        assert [topic["TopicArn"] for topic in again.list_topics()["Topics"]] == [kept.arn]
    finally:
        server.stop()


def test_many_subscriptions_of_a_deleted_topic_are_collected_after_a_kill(tmp_path: Path) -> None:
    server = Cumulet(tmp_path / "data", durability="full")
    server.start()
    try:
        topic = Topic(server)
        for number in range(450):
            endpoint = f"arn:aws:sqs:us-east-1:{server.account}:q{number}"
            topic.client.subscribe(TopicArn=topic.arn, Protocol="sqs", Endpoint=endpoint)
        topic.client.delete_topic(TopicArn=topic.arn)
        server.kill()
        server.start()

        server.advance(seconds=1)

        assert server.client("sns").list_subscriptions()["Subscriptions"] == []
    finally:
        server.stop()
