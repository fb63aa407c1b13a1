"""SNS: endpoints of HTTP are asked, get messages, are tried again, and are told of their end."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from http_endpoint import Endpoint, serving
from sqs_queues import Queues

from cumulet.testing import Cumulet

MINUTE = 60


class Shop:
    """A topic and a subscription of an endpoint."""

    def __init__(self, cumulet: Cumulet, endpoint: Endpoint, **attributes: str) -> None:
        self.cumulet = cumulet
        self.endpoint = endpoint
        self.sns = cumulet.client("sns")
        self.topic: str = self.sns.create_topic(Name="orders")["TopicArn"]
        self.subscription: str = self.sns.subscribe(
            TopicArn=self.topic,
            Protocol=endpoint.url.partition(":")[0],
            Endpoint=endpoint.url,
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]

    def confirmed(self) -> Shop:
        """Confirm as the owner of an endpoint does: by opening the address."""
        [asked] = self.endpoint.wait_for(1, "SubscriptionConfirmation")
        open_link(asked.document["SubscribeURL"])
        return self

    def publish(self, message: str = "hello", **members: Any) -> str:
        message_id: str = self.sns.publish(TopicArn=self.topic, Message=message, **members)["MessageId"]
        return message_id

    def set(self, name: str, value: str) -> None:
        self.sns.set_subscription_attributes(
            SubscriptionArn=self.subscription, AttributeName=name, AttributeValue=value
        )

    def retry(self, retries: int, least: int = 20, most: int = 20, **phases: Any) -> None:
        """Set how messages are tried again."""
        policy = {"numRetries": retries, "minDelayTarget": least, "maxDelayTarget": most, **phases}
        self.set("DeliveryPolicy", json.dumps({"healthyRetryPolicy": policy}))


def open_link(url: str) -> str:
    with urlopen(url) as answer:
        text: str = answer.read().decode()
        return text


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """Return an endpoint that takes everything."""
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def shop(cumulet: Cumulet, endpoint: Endpoint) -> Shop:
    """Return a topic and an endpoint that has confirmed its subscription."""
    return Shop(cumulet, endpoint).confirmed()


def is_signed(document: dict[str, str], *names: str) -> bool:
    """Check the signature of a document by the public rules."""
    with urlopen(document["SigningCertURL"]) as answer:
        key = x509.load_pem_x509_certificate(answer.read()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    text = "".join(f"{name}\n{document[name]}\n" for name in names)
    hash_ = hashes.SHA1() if document["SignatureVersion"] == "1" else hashes.SHA256()
    key.verify(base64.b64decode(document["Signature"]), text.encode(), padding.PKCS1v15(), hash_)
    return True


def test_endpoint_is_asked_whether_it_wants_a_subscription(cumulet: Cumulet, endpoint: Endpoint) -> None:
    shop = Shop(cumulet, endpoint)

    [asked] = endpoint.wait_for(1, "SubscriptionConfirmation")

    assert asked.path == "/hook"
    assert asked.headers["x-amz-sns-topic-arn"] == shop.topic
    assert asked.headers["x-amz-sns-message-id"] == asked.document["MessageId"]
    assert "x-amz-sns-subscription-arn" not in asked.headers
    assert asked.headers["content-type"] == "text/plain; charset=UTF-8"
    assert asked.headers["user-agent"] == "Amazon Simple Notification Service Agent"
    assert list(asked.document) == [
        *("Type", "MessageId", "Token", "TopicArn", "Message", "SubscribeURL", "Timestamp"),
        *("SignatureVersion", "Signature", "SigningCertURL"),
    ]
    assert asked.document["Message"] == (
        f"You have chosen to subscribe to the topic {shop.topic}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    )
    assert is_signed(asked.document, "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def test_nothing_comes_before_it_is_confirmed(cumulet: Cumulet, endpoint: Endpoint) -> None:
    shop = Shop(cumulet, endpoint)
    endpoint.wait_for(1, "SubscriptionConfirmation")
    shop.publish("too early")

    answers = [open_link(endpoint.of("SubscriptionConfirmation")[0].document["SubscribeURL"]) for _ in range(2)]
    shop.publish("in time")

    assert [post.document["Message"] for post in endpoint.wait_for(1)] == ["in time"]
    assert all(f"<SubscriptionArn>{shop.subscription}</SubscriptionArn>" in answer for answer in answers)


def test_nobody_unknown_confirms_for_the_owner_alone(cumulet: Cumulet, endpoint: Endpoint) -> None:
    Shop(cumulet, endpoint)
    [asked] = endpoint.wait_for(1, "SubscriptionConfirmation")

    with pytest.raises(HTTPError) as refused:
        open_link(f"{asked.document['SubscribeURL']}&AuthenticateOnUnsubscribe=true")

    with refused.value as answer:
        assert answer.status == 403
        assert "To disallow anonymous unsubscription, subscriber and confirmer IDs must match" in answer.read().decode()


def test_subscription_is_confirmed_by_its_token_as_well(cumulet: Cumulet, endpoint: Endpoint) -> None:
    shop = Shop(cumulet, endpoint)
    [asked] = endpoint.wait_for(1, "SubscriptionConfirmation")

    confirmed = shop.sns.confirm_subscription(TopicArn=shop.topic, Token=asked.document["Token"])

    assert confirmed["SubscriptionArn"] == shop.subscription
    shop.publish()
    endpoint.wait_for(1)


def test_endpoint_that_is_subscribed_again_is_asked_again(cumulet: Cumulet, endpoint: Endpoint) -> None:
    first = Shop(cumulet, endpoint)
    endpoint.wait_for(1, "SubscriptionConfirmation")

    Shop(cumulet, endpoint)

    old, new = endpoint.wait_for(2, "SubscriptionConfirmation")
    assert old.document["Token"] != new.document["Token"]
    with pytest.raises(HTTPError) as refused:
        open_link(old.document["SubscribeURL"])
    refused.value.close()
    assert first.subscription in open_link(new.document["SubscribeURL"])


@pytest.mark.parametrize(
    "query",
    ["", "Action=Publish", "Action=ConfirmSubscription", "Action=ConfirmSubscription&Token=1", "Action=Unsubscribe"],
)
def test_address_that_nobody_has_given_out_does_nothing(cumulet: Cumulet, query: str) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{cumulet.url}/_cumulet/sns/?{query}")

    with refused.value as answer:
        assert (answer.status, b"<Code>InvalidParameter</Code>" in answer.read()) == (400, True)


def test_notification_has_the_headers_and_the_document_of_sns(shop: Shop) -> None:
    size = {"size": {"DataType": "Number", "StringValue": "3"}}
    message_id = shop.publish("größer", Subject="an order", MessageAttributes=size)

    [post] = shop.endpoint.wait_for(1)

    assert {name: value for name, value in post.headers.items() if name.startswith("x-amz-sns-")} == {
        "x-amz-sns-message-type": "Notification",
        "x-amz-sns-message-id": message_id,
        "x-amz-sns-topic-arn": shop.topic,
        "x-amz-sns-subscription-arn": shop.subscription,
    }
    document = post.document
    assert (document["Type"], document["MessageId"], document["Message"]) == ("Notification", message_id, "größer")
    assert document["MessageAttributes"] == {"size": {"Type": "Number", "Value": "3"}}
    assert is_signed(document, "Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")


def test_raw_message_comes_without_an_envelope(shop: Shop) -> None:
    shop.set("RawMessageDelivery", "true")
    shop.publish("as it is", MessageAttributes={"size": {"DataType": "Number", "StringValue": "3"}})

    [post] = shop.endpoint.wait_for(1)

    assert (post.body, post.headers["x-amz-sns-rawdelivery"]) == ("as it is", "true")


def test_message_structure_has_a_text_for_http(shop: Shop) -> None:
    shop.publish('{"default": "for all", "http": "for you"}', MessageStructure="json")

    assert [post.document["Message"] for post in shop.endpoint.wait_for(1)] == ["for you"]


def test_content_type_is_that_of_the_delivery_policy(shop: Shop) -> None:
    shop.set("DeliveryPolicy", json.dumps({"requestPolicy": {"headerContentType": "application/json"}}))
    shop.publish()

    assert shop.endpoint.wait_for(1)[0].headers["content-type"] == "application/json"


def test_no_policy_changes_the_content_type_of_a_confirmation(cumulet: Cumulet, endpoint: Endpoint) -> None:
    policy = json.dumps({"requestPolicy": {"headerContentType": "application/json"}})

    Shop(cumulet, endpoint, DeliveryPolicy=policy)

    [asked] = endpoint.wait_for(1, "SubscriptionConfirmation")
    assert asked.headers["content-type"] == "text/plain; charset=UTF-8"


def test_endpoint_that_fails_is_tried_three_times_more_by_default(shop: Shop) -> None:
    shop.endpoint.answer(500, stays=True)
    message_id = shop.publish()
    seen = []
    for seconds in (19, 1, 20, 20, 3600):
        shop.cumulet.advance(seconds=seconds)
        seen.append(len(shop.endpoint.of()))

    assert seen == [1, 2, 3, 4, 4]
    assert {post.document["MessageId"] for post in shop.endpoint.of()} == {message_id}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_message_comes_again_until_it_is_taken(shop: Shop, status: int) -> None:
    shop.endpoint.answer(status)
    shop.publish()

    shop.cumulet.advance(seconds=MINUTE)
    shop.cumulet.advance(seconds=MINUTE)

    assert len(shop.endpoint.of()) == 2


@pytest.mark.parametrize("status", [204, 301, 400, 403, 404, 499])
def test_message_to_an_endpoint_that_finds_fault_with_it_is_done(shop: Shop, queues: Queues, status: int) -> None:
    """SNS: a status of 200 to 4xx ends the delivery, and is no failure."""
    letters = queues.standard()
    shop.set("RedrivePolicy", json.dumps({"deadLetterTargetArn": letters.arn}))
    shop.endpoint.answer(status)
    shop.publish()

    shop.cumulet.advance(hours=1)

    assert len(shop.endpoint.of()) == 1
    assert letters.receive() == []


def test_retries_go_through_their_phases(shop: Shop) -> None:
    shop.endpoint.answer(500, stays=True)
    shop.retry(6, 10, 30, numNoDelayRetries=1, numMinDelayRetries=1, numMaxDelayRetries=1, backoffFunction="linear")
    shop.publish()
    seen = []
    for seconds in (0, 9, 1, 9, 1, 19, 1, 29, 1, 29, 1, 3600):
        shop.cumulet.advance(seconds=seconds)
        seen.append(len(shop.endpoint.of()))

    # at once, after 10 s, then growing 10, 20, 30, and after 30
    assert seen == [2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]


def test_endpoint_without_retries_is_tried_once(shop: Shop) -> None:
    shop.endpoint.answer(500, stays=True)
    shop.retry(0)
    shop.publish()

    shop.cumulet.advance(hours=1)

    assert len(shop.endpoint.of()) == 1


@pytest.mark.parametrize("is_raw", [False, True])
def test_message_that_nobody_took_is_on_the_dead_letter_queue(shop: Shop, queues: Queues, is_raw: bool) -> None:
    queue = queues.standard()
    shop.set("RedrivePolicy", json.dumps({"deadLetterTargetArn": queue.arn}))
    shop.set("RawMessageDelivery", str(is_raw).lower())
    shop.endpoint.answer(500)
    shop.retry(0)
    attributes = {"size": {"DataType": "Number", "StringValue": "3"}, "b": {"DataType": "Binary", "BinaryValue": b"\0"}}
    shop.publish("an order", MessageAttributes=attributes)

    shop.cumulet.advance(seconds=1)

    sqs = shop.cumulet.client("sqs")
    [letter] = sqs.receive_message(QueueUrl=queue.url, MessageAttributeNames=["All"])["Messages"]
    if is_raw:
        assert letter["Body"] == "an order"
        assert letter["MessageAttributes"]["size"] == {"DataType": "Number", "StringValue": "3"}
        assert letter["MessageAttributes"]["b"] == {"DataType": "Binary", "BinaryValue": b"\0"}
    else:
        assert json.loads(letter["Body"])["Message"] == "an order"
        assert "MessageAttributes" not in letter


def test_endpoint_that_is_gone_is_tried_again_before_its_message_is_buried(cumulet: Cumulet, queues: Queues) -> None:
    queue = queues.standard()
    with serving() as endpoint:
        shop = Shop(cumulet, endpoint).confirmed()
    shop.set("RedrivePolicy", json.dumps({"deadLetterTargetArn": queue.arn}))
    shop.publish("an order")
    found = []
    for seconds in (59, 1):
        cumulet.advance(seconds=seconds)
        found.append(len(queue.receive()))

    assert found == [0, 1]


def test_endpoint_that_does_not_answer_in_http_has_failed(cumulet: Cumulet, shop: Shop, queues: Queues) -> None:
    queue = queues.standard()
    shop.set("RedrivePolicy", json.dumps({"deadLetterTargetArn": queue.arn}))
    shop.retry(0)
    shop.endpoint.is_silent = True
    shop.publish("an order")

    cumulet.advance(seconds=1)

    assert len(queue.receive()) == 1


def test_messages_come_no_faster_than_the_throttle_policy_allows(shop: Shop) -> None:
    shop.set("DeliveryPolicy", json.dumps({"throttlePolicy": {"maxReceivesPerSecond": 2}}))
    for number in range(5):
        shop.publish(str(number))
    seen = []
    for milliseconds in (0, 502, 502, 502, 502):
        shop.cumulet.advance(milliseconds=milliseconds)
        seen.append(len(shop.endpoint.of()))

    assert seen == [1, 2, 3, 4, 5]


def test_more_endpoints_than_are_served_at_once_all_get_their_message(cumulet: Cumulet, shop: Shop) -> None:
    hook = shop.endpoint.url
    for number in range(250):
        shop.endpoint.url = f"{hook}/{number}"
        Shop(cumulet, shop.endpoint)
    for asked in shop.endpoint.wait_for(251, "SubscriptionConfirmation")[1:]:
        shop.sns.confirm_subscription(TopicArn=shop.topic, Token=asked.document["Token"])

    shop.publish()

    posts = shop.endpoint.wait_for(251)
    assert {post.path for post in posts} == {"/hook", *(f"/hook/{number}" for number in range(250))}


def test_metrics_count_what_endpoints_have_taken_and_refused(shop: Shop) -> None:
    shop.endpoint.answer(200, 404, 500, 500, 200)
    for _ in range(3):
        shop.publish()
        shop.cumulet.advance(minutes=1)

    found = {}
    for name in ("NumberOfNotificationsDelivered", "NumberOfNotificationsFailed"):
        now = datetime.fromtimestamp(shop.cumulet.now_ms() / 1000, UTC)
        points = shop.cumulet.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SNS",
            MetricName=name,
            Dimensions=[{"Name": "TopicName", "Value": "orders"}],
            StartTime=now - timedelta(minutes=10),
            EndTime=now,
            Period=600,
            Statistics=["Sum"],
        )["Datapoints"]
        found[name] = sum(point["Sum"] for point in points)
    assert found == {"NumberOfNotificationsDelivered": 3, "NumberOfNotificationsFailed": 2}


def test_slow_or_dead_endpoint_holds_up_no_other(cumulet: Cumulet, shop: Shop) -> None:
    shop.endpoint.answer(500, stays=True)
    with serving() as other:
        Shop(cumulet, other).confirmed()
        for number in range(20):
            shop.publish(str(number))

        posts = other.wait_for(20)

    assert sorted(int(post.document["Message"]) for post in posts) == list(range(20))


def test_health_counts_endpoints_that_fail_again_and_again(cumulet: Cumulet, shop: Shop) -> None:
    def failing() -> int:
        count: int = cumulet.health()["sns"]["failing_endpoints"]
        return count

    before = failing()
    shop.endpoint.answer(*[500] * 5)
    for number in range(5):
        shop.publish(str(number))
    cumulet.advance(seconds=1)
    assert failing() == before + 1

    cumulet.advance(seconds=20)

    assert failing() == before
    assert len(shop.endpoint.of()) == 10


def test_address_in_a_message_ends_the_subscription(shop: Shop) -> None:
    shop.publish()
    [post] = shop.endpoint.wait_for(1)

    for _ in range(2):
        open_link(post.document["UnsubscribeURL"])
    shop.publish("too late")

    [told] = shop.endpoint.wait_for(1, "UnsubscribeConfirmation")
    shop.cumulet.advance(seconds=1)
    assert shop.sns.list_subscriptions_by_topic(TopicArn=shop.topic)["Subscriptions"] == []
    assert len(shop.endpoint.of()) == 1
    assert told.headers["x-amz-sns-subscription-arn"] == shop.subscription
    assert told.document["Message"].startswith(f"You have chosen to deactivate subscription {shop.subscription}.\n")
    assert is_signed(told.document, "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def test_looking_at_an_address_ends_nothing(shop: Shop) -> None:
    shop.publish()
    [post] = shop.endpoint.wait_for(1)
    host = post.document["UnsubscribeURL"].split("/")[2]
    target = post.document["UnsubscribeURL"].partition(host)[2]

    with socket.create_connection(host.split(":")) as connection:
        connection.sendall(f"HEAD {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")

    assert len(shop.sns.list_subscriptions_by_topic(TopicArn=shop.topic)["Subscriptions"]) == 1


def test_subscription_that_was_confirmed_so_is_ended_by_its_owner_alone(cumulet: Cumulet, endpoint: Endpoint) -> None:
    shop = Shop(cumulet, endpoint)
    [asked] = endpoint.wait_for(1, "SubscriptionConfirmation")
    shop.sns.confirm_subscription(TopicArn=shop.topic, Token=asked.document["Token"], AuthenticateOnUnsubscribe="true")
    shop.publish()
    [post] = endpoint.wait_for(1)

    with pytest.raises(HTTPError) as refused:
        open_link(post.document["UnsubscribeURL"])
    with refused.value as answer:
        assert answer.status == 403
        assert "This subscription may only be deleted by an authorized user." in answer.read().decode()
    shop.sns.unsubscribe(SubscriptionArn=shop.subscription)

    endpoint.wait_for(1, "UnsubscribeConfirmation")


def test_message_that_waits_for_its_retry_survives_a_kill(tmp_path: Path, endpoint: Endpoint) -> None:
    with Cumulet(tmp_path / "data", durability="full") as server:
        shop = Shop(server, endpoint).confirmed()
        endpoint.answer(500)
        shop.publish("precious")
        endpoint.wait_for(1)
        server.kill()

    with Cumulet(tmp_path / "data", durability="full") as server:
        server.advance(seconds=20)

        assert [post.document["Message"] for post in endpoint.wait_for(2)] == ["precious", "precious"]


def test_endpoint_of_https_is_reached_with_a_certificate_that_the_machine_trusts(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(certificate) as endpoint, Cumulet(tmp_path / "data") as server:
        shown = endpoint.url.replace("https://", "https://me:****@")
        endpoint.url = endpoint.url.replace("https://", "https://me:p%40ss@")
        shop = Shop(server, endpoint).confirmed()
        shop.publish("in secret")

        [post] = endpoint.wait_for(1)
        assert post.document["Message"] == "in secret"
        assert post.headers["authorization"] == f"Basic {base64.b64encode(b'me:p@ss').decode()}"
        assert "@" not in post.headers["host"]
        attributes = shop.sns.get_subscription_attributes(SubscriptionArn=shop.subscription)["Attributes"]
        [listed] = shop.sns.list_subscriptions_by_topic(TopicArn=shop.topic)["Subscriptions"]
        assert attributes["Endpoint"] == listed["Endpoint"] == shown


def test_endpoint_of_https_whose_certificate_nobody_knows_gets_nothing(cumulet: Cumulet, certificate: Path) -> None:
    with serving(certificate) as endpoint:
        Shop(cumulet, endpoint)

        cumulet.advance(hours=1)

        assert endpoint.posts == []
