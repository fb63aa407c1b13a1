"""HTTP endpoints are asked first: until they have confirmed, their subscription is pending."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue as Inbox
from typing import Any

import pytest
from sns_administration import invalid, refusal

from cumulet.testing import Cumulet


class Endpoint:
    """An HTTP server that keeps what comes."""

    def __init__(self) -> None:
        inbox: Inbox[dict[str, Any]] = Inbox()
        self.inbox = inbox

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                inbox.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def token(self) -> str:
        """Wait for the question whether the endpoint wants its subscription, and return what confirms it."""
        return str(self.inbox.get(timeout=10)["Token"])

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    opened = Endpoint()
    yield opened
    opened.close()


@pytest.fixture
def sns(cumulet: Cumulet) -> Any:
    return cumulet.client("sns")


@pytest.fixture
def topic_arn(sns: Any) -> str:
    return str(sns.create_topic(Name="orders")["TopicArn"])


def subscribe(sns: Any, topic_arn: str, endpoint: Endpoint, **attributes: str) -> str:
    """Ask for a subscription and return its ARN."""
    answer = sns.subscribe(
        TopicArn=topic_arn,
        Protocol="http",
        Endpoint=endpoint.url,
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )
    return str(answer["SubscriptionArn"])


def attributes_of(sns: Any, arn: str) -> dict[str, str]:
    return dict(sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"])


def test_a_subscription_is_pending_until_its_token_comes_back(sns: Any, topic_arn: str, endpoint: Endpoint) -> None:
    arn = subscribe(sns, topic_arn, endpoint)
    pending = attributes_of(sns, arn)
    listed = sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]

    answer = sns.confirm_subscription(TopicArn=topic_arn, Token=endpoint.token())

    assert pending["PendingConfirmation"] == "true"
    assert [entry["SubscriptionArn"] for entry in listed] == ["PendingConfirmation"]
    assert answer["SubscriptionArn"] == arn
    assert attributes_of(sns, arn)["PendingConfirmation"] == "false"
    assert attributes_of(sns, arn)["ConfirmationWasAuthenticated"] == "false"
    listed = sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]
    assert [entry["SubscriptionArn"] for entry in listed] == [arn]


def test_the_arn_of_a_pending_subscription_is_told_when_asked_for(sns: Any, topic_arn: str, endpoint: Endpoint) -> None:
    answer = sns.subscribe(TopicArn=topic_arn, Protocol="http", Endpoint=endpoint.url)

    assert answer["SubscriptionArn"] == "pending confirmation"
    assert subscribe(sns, topic_arn, endpoint).startswith(f"{topic_arn}:")


def test_confirming_twice_is_no_error(sns: Any, topic_arn: str, endpoint: Endpoint) -> None:
    arn = subscribe(sns, topic_arn, endpoint)
    token = endpoint.token()

    answers = [sns.confirm_subscription(TopicArn=topic_arn, Token=token)["SubscriptionArn"] for _ in range(2)]

    assert answers == [arn, arn]


def test_of_the_topic_that_a_confirmation_names_the_region_counts(sns: Any, topic_arn: str, endpoint: Endpoint) -> None:
    arn = subscribe(sns, topic_arn, endpoint)
    token = endpoint.token()

    refused = [
        refusal(sns.confirm_subscription, TopicArn=wrong, Token=token)
        for wrong in ("not-an-arn", topic_arn.replace("us-east-1", "eu-central-1"))
    ]

    assert refused == [invalid("Topic")] * 2
    assert sns.confirm_subscription(TopicArn=f"{topic_arn}-other", Token=token)["SubscriptionArn"] == arn


def test_a_confirmation_can_demand_that_only_owners_end_it(sns: Any, topic_arn: str, endpoint: Endpoint) -> None:
    arn = subscribe(sns, topic_arn, endpoint)

    sns.confirm_subscription(TopicArn=topic_arn, Token=endpoint.token(), AuthenticateOnUnsubscribe="true")

    assert attributes_of(sns, arn)["ConfirmationWasAuthenticated"] == "true"


def test_subscribing_again_sends_a_new_token_and_the_old_one_is_void(
    sns: Any, topic_arn: str, endpoint: Endpoint
) -> None:
    arn = subscribe(sns, topic_arn, endpoint)
    old = endpoint.token()

    again = subscribe(sns, topic_arn, endpoint)
    new = endpoint.token()

    assert again == arn
    assert refusal(sns.confirm_subscription, TopicArn=topic_arn, Token=old) == invalid("Token")
    assert sns.confirm_subscription(TopicArn=topic_arn, Token=new)["SubscriptionArn"] == arn


def test_a_token_is_good_for_two_days(cumulet: Cumulet, sns: Any, topic_arn: str, endpoint: Endpoint) -> None:
    arn = subscribe(sns, topic_arn, endpoint)
    token = endpoint.token()

    cumulet.advance(days=2, seconds=-5)

    assert sns.confirm_subscription(TopicArn=topic_arn, Token=token)["SubscriptionArn"] == arn


def test_what_is_not_confirmed_for_two_days_is_gone(
    cumulet: Cumulet, sns: Any, topic_arn: str, endpoint: Endpoint
) -> None:
    queue = f"arn:aws:sqs:us-east-1:{cumulet.account}:orders"
    confirmed = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]
    subscribe(sns, topic_arn, endpoint)
    token = endpoint.token()

    cumulet.advance(days=2, seconds=1)

    listed = sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]
    assert [entry["SubscriptionArn"] for entry in listed] == [confirmed]
    assert refusal(sns.confirm_subscription, TopicArn=topic_arn, Token=token) == invalid("Token")


def test_a_new_token_begins_two_more_days(cumulet: Cumulet, sns: Any, topic_arn: str, endpoint: Endpoint) -> None:
    arn = subscribe(sns, topic_arn, endpoint)
    endpoint.token()
    cumulet.advance(days=1)
    subscribe(sns, topic_arn, endpoint)

    cumulet.advance(days=1, hours=1)

    assert sns.confirm_subscription(TopicArn=topic_arn, Token=endpoint.token())["SubscriptionArn"] == arn


def test_pending_subscriptions_are_given_up_after_a_restart_too(tmp_path: Path, endpoint: Endpoint) -> None:
    with Cumulet(tmp_path, durability="full") as cumulet:
        sns = cumulet.client("sns")
        topic_arn = sns.create_topic(Name="orders")["TopicArn"]
        subscribe(sns, topic_arn, endpoint)
        endpoint.token()

    with Cumulet(tmp_path, durability="full") as cumulet:
        before = cumulet.client("sns").list_subscriptions()["Subscriptions"]
        cumulet.advance(days=2, seconds=1)
        after = cumulet.client("sns").list_subscriptions()["Subscriptions"]

    assert [entry["SubscriptionArn"] for entry in before] == ["PendingConfirmation"]
    assert after == []


def test_a_pending_subscription_cannot_be_ended(sns: Any, topic_arn: str, endpoint: Endpoint) -> None:
    arn = subscribe(sns, topic_arn, endpoint)

    refused = [refusal(sns.unsubscribe, SubscriptionArn=arn) for _ in range(2)]

    text = "SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation"
    assert refused == [invalid(text)] * 2


def test_what_has_ended_is_restored_by_its_token(sns: Any, topic_arn: str, endpoint: Endpoint) -> None:
    arn = subscribe(sns, topic_arn, endpoint, RawMessageDelivery="true")
    token = endpoint.token()
    sns.confirm_subscription(TopicArn=topic_arn, Token=token)
    sns.unsubscribe(SubscriptionArn=arn)
    told = endpoint.inbox.get(timeout=10)

    restored = sns.confirm_subscription(TopicArn=topic_arn, Token=told["Token"])

    assert (told["Type"], restored["SubscriptionArn"]) == ("UnsubscribeConfirmation", arn)
    assert attributes_of(sns, arn)["RawMessageDelivery"] == "true"


def test_a_deleted_topic_restores_nothing(sns: Any, topic_arn: str, endpoint: Endpoint) -> None:
    arn = subscribe(sns, topic_arn, endpoint)
    token = endpoint.token()
    sns.confirm_subscription(TopicArn=topic_arn, Token=token)
    sns.unsubscribe(SubscriptionArn=arn)
    sns.delete_topic(TopicArn=topic_arn)
    sns.create_topic(Name="orders")

    assert refusal(sns.confirm_subscription, TopicArn=topic_arn, Token=token) == invalid("Token")


@pytest.mark.parametrize("url", ["https://example.com", "ftp://example.com", "example.com", ""])
def test_an_address_is_of_its_protocol(sns: Any, topic_arn: str, url: str) -> None:
    refused = refusal(sns.subscribe, TopicArn=topic_arn, Protocol="http", Endpoint=url)

    assert refused == invalid("Endpoint must match the specified protocol" if url else "Endpoint")


def test_what_is_confirmed_is_not_confirmed_again_for_its_owner_alone(
    sns: Any, topic_arn: str, endpoint: Endpoint
) -> None:
    arn = subscribe(sns, topic_arn, endpoint)
    given = {"TopicArn": topic_arn, "Token": endpoint.token()}
    sns.confirm_subscription(**given, AuthenticateOnUnsubscribe="true")

    refused = refusal(sns.confirm_subscription, **given, AuthenticateOnUnsubscribe="true")

    assert refused == ("AuthorizationError", 403, "Subscription already confirmed")
    assert sns.confirm_subscription(**given)["SubscriptionArn"] == arn
    assert attributes_of(sns, arn)["ConfirmationWasAuthenticated"] == "true"


def test_a_name_and_a_password_go_by_https_alone(sns: Any, topic_arn: str) -> None:
    refused = refusal(sns.subscribe, TopicArn=topic_arn, Protocol="http", Endpoint="http://me:secret@example.com")

    assert refused == invalid("Endpoint Reason: Please use HTTPS for subscriptions that contain inline credentials")


@pytest.mark.parametrize("url", ["http://", "http:///hook", "http://example.com:99999/", "http://example.com/a b"])
def test_an_address_is_whole(sns: Any, topic_arn: str, url: str) -> None:
    refused = refusal(sns.subscribe, TopicArn=topic_arn, Protocol="http", Endpoint=url)

    assert refused == invalid("Endpoint")


def test_the_effective_delivery_policy_is_shown(sns: Any, topic_arn: str, endpoint: Endpoint) -> None:
    retry = {"minDelayTarget": 5, "maxDelayTarget": 10, "numRetries": 4}
    arn = subscribe(sns, topic_arn, endpoint, DeliveryPolicy=json.dumps({"healthyRetryPolicy": retry}))

    shown = attributes_of(sns, arn)

    assert json.loads(shown["DeliveryPolicy"]) == {
        "healthyRetryPolicy": retry,
        "sicklyRetryPolicy": None,
        "throttlePolicy": None,
        "requestPolicy": None,
        "guaranteed": False,
    }
    assert json.loads(shown["EffectiveDeliveryPolicy"])["healthyRetryPolicy"].items() >= retry.items()
