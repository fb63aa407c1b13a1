"""SNS: mail addresses are asked, get messages, and say no more. Without a mail server all of it is in the outbox."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from sns_administration import invalid, refusal
from sns_outbox import outbox
from sns_topics import Topic, fifo_topic

from cumulet.testing import Cumulet

ADDRESS = "ann@example.com"
CONFIRMATION = "AWS Notification - Subscription Confirmation"


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


def mails(topic: Topic, kind: str = "Notification") -> list[dict[str, Any]]:
    """Return the mails of a kind, when all that is to be sent now is."""
    topic.cumulet.advance(milliseconds=1)
    return [item for item in outbox(topic.cumulet) if item["kind"] == "email" and item["details"]["type"] == kind]


def link_in(mail: dict[str, Any]) -> str:
    [link] = [line for line in mail["body"].splitlines() if line.startswith("http")]
    return str(link)


def open_link(link: str) -> str:
    with urlopen(link) as answer:
        text: str = answer.read().decode()
        return text


def subscribed(topic: Topic, protocol: str = "email", **attributes: str) -> str:
    """Subscribe an address and confirm as its owner does; return the subscription's ARN."""
    arn = topic.subscribe(protocol, ADDRESS, **attributes)
    [asked] = mails(topic, "SubscriptionConfirmation")
    link = json.loads(asked["body"])["SubscribeURL"] if protocol == "email-json" else link_in(asked)
    assert arn in open_link(link)
    return arn


def state_of(topic: Topic, arn: str) -> dict[str, str]:
    attributes: dict[str, str] = topic.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return attributes


def test_an_address_is_asked_first(topic: Topic) -> None:
    answer = topic.sns.subscribe(TopicArn=topic.arn, Protocol="email", Endpoint=ADDRESS)
    topic.publish("too early")

    [asked] = mails(topic, "SubscriptionConfirmation")
    assert answer["SubscriptionArn"] == "pending confirmation"
    assert (asked["to"], asked["delivered"]) == (ADDRESS, True)
    assert asked["details"]["subject"] == CONFIRMATION
    assert asked["details"]["from"].startswith("AWS Notifications <")
    assert topic.arn in asked["body"]
    assert mails(topic) == []


def test_a_message_comes_as_text_with_a_way_out(topic: Topic) -> None:
    arn = subscribed(topic)
    sent = topic.publish("Two pigeons\nare late", Subject="Delays")

    [mail] = mails(topic)
    assert mail["body"].startswith("Two pigeons\nare late\n")
    assert (mail["details"]["subject"], mail["message_id"]) == ("Delays", sent["MessageId"])
    assert parse_qs(urlsplit(link_in(mail)).query) == {"Action": ["Unsubscribe"], "SubscriptionArn": [arn]}


def test_sender_and_subject_that_nobody_has_chosen(topic: Topic) -> None:
    subscribed(topic)
    topic.publish("one")
    topic.sns.set_topic_attributes(TopicArn=topic.arn, AttributeName="DisplayName", AttributeValue="The\nloft")
    topic.publish("two")

    first, second = mails(topic)
    assert first["details"]["subject"] == "AWS Notification Message"
    assert first["details"]["from"].startswith("AWS Notifications <")
    assert second["details"]["from"].startswith("The loft <")


def test_message_structure_has_a_text_for_mail(topic: Topic) -> None:
    subscribed(topic)

    topic.publish(json.dumps({"default": "for all", "email": "a letter"}), MessageStructure="json")

    [mail] = mails(topic)
    assert mail["body"].startswith("a letter\n")


def test_filter_policies_hold_for_mail(topic: Topic) -> None:
    subscribed(topic, FilterPolicy='{"urgent": ["yes"]}')

    topic.publish("later")
    topic.publish("now", MessageAttributes={"urgent": {"DataType": "String", "StringValue": "yes"}})

    assert [mail["body"].splitlines()[0] for mail in mails(topic)] == ["now"]


def test_email_json_gets_what_endpoints_get(topic: Topic) -> None:
    arn = subscribed(topic, "email-json")
    topic.publish("hello", Subject="greeting")

    [mail] = mails(topic)
    document = json.loads(mail["body"])
    assert {name: document[name] for name in ("Type", "TopicArn", "Subject", "Message")} == {
        "Type": "Notification",
        "TopicArn": topic.arn,
        "Subject": "greeting",
        "Message": "hello",
    }
    assert document["Signature"]
    assert arn in document["UnsubscribeURL"]
    assert mail["details"]["subject"] == "greeting"


def test_the_link_in_a_mail_ends_the_subscription_and_the_next_one_restores_it(topic: Topic) -> None:
    arn = subscribed(topic, FilterPolicyScope="MessageBody", FilterPolicy='{"size": ["large"]}')
    topic.publish('{"size": "large"}')
    [mail] = mails(topic)

    open_link(link_in(mail))
    topic.publish('{"size": "large"}')
    [ended] = mails(topic, "UnsubscribeConfirmation")
    assert len(mails(topic)) == 1
    assert ended["details"]["subject"] == "AWS Notification - Unsubscribe Confirmation"

    open_link(link_in(ended))
    open_link(link_in(ended))
    topic.publish('{"size": "small"}')
    topic.publish('{"size": "large"}')
    assert len(mails(topic)) == 2
    assert state_of(topic, arn)["PendingConfirmation"] == "false"


@pytest.mark.parametrize("days", [0, 3])
def test_a_subscription_is_not_restored_twice_nor_late(topic: Topic, days: int) -> None:
    subscribed(topic)
    topic.publish()
    [mail] = mails(topic)
    open_link(link_in(mail))
    [ended] = mails(topic, "UnsubscribeConfirmation")
    if days:
        topic.cumulet.advance(days=days)
    else:
        topic.subscribe("email", ADDRESS)

    with pytest.raises(HTTPError) as refused:
        open_link(link_in(ended))

    with refused.value as answer:
        assert b"Invalid parameter: Token" in answer.read()


def test_an_owner_ends_a_subscription_silently(topic: Topic) -> None:
    arn = subscribed(topic)

    topic.sns.unsubscribe(SubscriptionArn=arn)
    topic.publish()

    assert mails(topic, "UnsubscribeConfirmation") == mails(topic) == []


def test_a_link_does_not_end_what_only_its_owner_may_end(topic: Topic) -> None:
    topic.subscribe("email", ADDRESS)
    [asked] = mails(topic, "SubscriptionConfirmation")
    token = parse_qs(urlsplit(link_in(asked)).query)["Token"][0]
    topic.sns.confirm_subscription(TopicArn=topic.arn, Token=token, AuthenticateOnUnsubscribe="true")
    topic.publish()
    [mail] = mails(topic)

    with pytest.raises(HTTPError) as refused:
        open_link(link_in(mail))

    with refused.value as answer:
        assert answer.status == 403
    topic.publish()
    assert len(mails(topic)) == 2


def test_a_link_does_not_make_its_owner_the_only_one_to_end_it(topic: Topic) -> None:
    topic.subscribe("email", ADDRESS)
    [asked] = mails(topic, "SubscriptionConfirmation")

    with pytest.raises(HTTPError) as refused:
        open_link(link_in(asked) + "&AuthenticateOnUnsubscribe=true")

    with refused.value as answer:
        assert answer.status == 403


def test_asked_again_an_address_gets_a_new_link(topic: Topic) -> None:
    for _ in range(2):
        topic.subscribe("email", ADDRESS)
        topic.cumulet.advance(milliseconds=1)

    first, second = mails(topic, "SubscriptionConfirmation")
    with pytest.raises(HTTPError) as refused:
        open_link(link_in(first))
    refused.value.close()
    assert "SubscriptionArn" in open_link(link_in(second))


@pytest.mark.parametrize("protocol", ["email", "email-json"])
@pytest.mark.parametrize(
    "address",
    [
        "ann",
        "@example.com",
        "ann@",
        "ann@localhost",
        "ann@example.com>",
        "ann@example.com\r\nBcc: all@example.com",
        "ann@@example.com",
        "a b@example.com",
        "Ann <ann@example.com>",
        "änn@example.com",
        "a" * 65 + "@example.com",
        "ann@" + "example." * 32 + "com",
    ],
)
def test_what_is_no_address_is_refused(topic: Topic, protocol: str, address: str) -> None:
    refused = [refusal(topic.sns.subscribe, TopicArn=topic.arn, Protocol=protocol, Endpoint=address) for _ in range(2)]

    assert refused == [invalid("Email address")] * 2


def test_mail_has_no_raw_delivery_and_no_empty_address(topic: Topic) -> None:
    subscribe = topic.sns.subscribe
    raw = {"RawMessageDelivery": "true"}

    assert refusal(subscribe, TopicArn=topic.arn, Protocol="email", Endpoint=ADDRESS, Attributes=raw) == invalid(
        "Attributes Reason: Delivery protocol [email] does not support raw message delivery."
    )
    assert refusal(subscribe, TopicArn=topic.arn, Protocol="email", Endpoint="") == invalid("Endpoint")


def test_fifo_topics_send_no_mail(cumulet: Cumulet) -> None:
    topic = fifo_topic(cumulet)

    refused = refusal(topic.sns.subscribe, TopicArn=topic.arn, Protocol="email", Endpoint=ADDRESS)

    assert refused == invalid("Invalid protocol type: email")


def test_the_command_shows_mail_by_line_below_its_subject(topic: Topic) -> None:
    subscribed(topic)
    topic.publish("Two are late", Subject="Delays")
    mails(topic)

    shown = subprocess.run(
        [sys.executable, "-m", "cumulet", "outbox", ADDRESS, "--last", "1", "--url", topic.cumulet.url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert f"  email  {ADDRESS}  Delays\n  Two are late\n  " in shown
