"""Topics: how many of them, of subscriptions and of filter policies there may be, with quotas that a test can reach.

AWS documents the quotas and the codes; its words are not known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from quotas import with_quotas
from sns_administration import refusal

from cumulet.testing import Cumulet

POLICY = {"FilterPolicy": json.dumps({"kind": ["a"]})}
TOPICS_EXCEEDED = ("TopicLimitExceeded", 403)
POLICIES_EXCEEDED = ("FilterPolicyLimitExceeded", 403)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    quotas = {
        "sns:standard-topics": 3,
        "sns:fifo-topics": 1,
        "sns:filter-policies": 4,
        "sns:filter-policies-per-topic": 3,
        "sns:subscriptions-per-fifo-topic": 2,
    }
    with with_quotas(tmp_path_factory.mktemp("strict"), quotas) as server:
        yield server


def topic(sns: Any, name: str) -> str:
    attributes = {"FifoTopic": "true"} if name.endswith(".fifo") else {}
    arn: str = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    return arn


def subscribe(sns: Any, topic_arn: str, number: int, **attributes: str) -> str:
    end = ".fifo" if topic_arn.endswith(".fifo") else ""
    endpoint = f"arn:aws:sqs:us-east-1:{topic_arn.split(':')[4]}:q{number}{end}"
    arn: str = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=endpoint, Attributes=attributes)[
        "SubscriptionArn"
    ]
    return arn


def test_account_has_so_many_topics_of_a_kind(strict: Cumulet) -> None:
    sns = strict.as_account("111111111111").client("sns")
    arns = [topic(sns, name) for name in ("a", "b", "c", "d.fifo")]

    for _ in range(2):
        assert refusal(sns.create_topic, Name="e")[:2] == TOPICS_EXCEEDED
        assert refusal(sns.create_topic, Name="e.fifo", Attributes={"FifoTopic": "true"})[:2] == TOPICS_EXCEEDED
    again = topic(sns, "a")
    for _ in range(2):
        sns.delete_topic(TopicArn=arns[0])
    topic(sns, "e")

    assert again == arns[0]
    assert refusal(sns.create_topic, Name="f")[:2] == TOPICS_EXCEEDED
    assert topic(strict.as_account("111111111112").client("sns"), "a")


def test_topics_count_over_a_restart(tmp_path: Path) -> None:
    server = with_quotas(tmp_path, {"sns:standard-topics": 1})
    with server:
        topic(server.client("sns"), "a")
    with server:
        refused = refusal(server.client("sns").create_topic, Name="b")
        server.client("sns").delete_topic(TopicArn=topic(server.client("sns"), "a"))
        topic(server.client("sns"), "b")

    assert refused[:2] == TOPICS_EXCEEDED


def test_fifo_topic_has_so_many_subscriptions(strict: Cumulet) -> None:
    sns = strict.as_account("222222222222").client("sns")
    fifo, standard = topic(sns, "f.fifo"), topic(sns, "s")
    first, second = (subscribe(sns, fifo, number) for number in range(2))

    code = refusal(subscribe, sns=sns, topic_arn=fifo, number=2)[:2]
    again = subscribe(sns, fifo, 1)
    sns.unsubscribe(SubscriptionArn=first)
    subscribe(sns, fifo, 2)

    assert code == ("SubscriptionLimitExceeded", 403)
    assert again == second
    assert all(subscribe(sns, standard, number) for number in range(3))


def test_topic_and_account_have_so_many_filter_policies(strict: Cumulet) -> None:
    sns = strict.as_account("333333333333").client("sns")
    one, other = topic(sns, "one"), topic(sns, "other")
    filtered = [subscribe(sns, one, number, **POLICY) for number in range(3)]
    plain = subscribe(sns, one, 3)

    def filter_plain() -> tuple[str, int, str]:
        value = POLICY["FilterPolicy"]
        set_it = sns.set_subscription_attributes
        return refusal(set_it, SubscriptionArn=plain, AttributeName="FilterPolicy", AttributeValue=value)

    full = [refusal(subscribe, sns=sns, topic_arn=one, number=4, **POLICY)[:2], filter_plain()[:2]]
    subscribe(sns, other, 0, **POLICY)
    full.append(refusal(subscribe, sns=sns, topic_arn=other, number=1, **POLICY)[:2])
    sns.unsubscribe(SubscriptionArn=filtered[0])
    sns.set_subscription_attributes(SubscriptionArn=filtered[1], AttributeName="FilterPolicy", AttributeValue="{}")
    sns.set_subscription_attributes(SubscriptionArn=filtered[2], AttributeName="FilterPolicy", AttributeValue="{}")
    for number in (1, 2):
        subscribe(sns, other, number, **POLICY)

    assert full == [POLICIES_EXCEEDED] * 3
    assert "FilterPolicy" not in sns.get_subscription_attributes(SubscriptionArn=plain)["Attributes"]


def test_policies_that_nobody_confirms_count_no_more(strict: Cumulet) -> None:
    sns = strict.as_account("555555555555").client("sns")
    arn = topic(sns, "pending")

    def ask(number: int) -> Any:
        endpoint = f"http://127.0.0.1:9/{number}"
        return sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=endpoint, Attributes=POLICY)

    for _ in range(2):
        for number in range(3):
            ask(number)
            ask(number)

        assert refusal(ask, number=3)[:2] == POLICIES_EXCEEDED
        strict.advance(days=3)


def test_policies_of_a_deleted_topic_count_no_more(strict: Cumulet) -> None:
    sns = strict.as_account("444444444444").client("sns")
    for _ in range(3):
        gone = topic(sns, "gone")
        for number in range(3):
            subscribe(sns, gone, number, **POLICY)

        sns.delete_topic(TopicArn=gone)
        strict.advance(seconds=1)
