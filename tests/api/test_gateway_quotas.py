"""Rates of requests that a configuration limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from quotas import with_quotas

from cumulet.testing import Cumulet


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    """Return a server with quotas."""
    quotas = {"sqs:SendMessage": 5, "sts:GetCallerIdentity": 1, "sqs:PurgeQueue": 0}
    with with_quotas(tmp_path_factory.mktemp("limited"), quotas) as server:
        yield server


def test_requests_over_the_rate_are_throttled_until_time_passes(limited: Cumulet) -> None:
    sqs = limited.client("sqs", account="111111111111")
    url = sqs.create_queue(QueueName="limited")["QueueUrl"]
    for _ in range(5):
        sqs.send_message(QueueUrl=url, MessageBody="x")

    with pytest.raises(ClientError) as throttled:
        sqs.send_message(QueueUrl=url, MessageBody="x")
    limited.advance(seconds=1)
    for _ in range(5):
        sqs.send_message(QueueUrl=url, MessageBody="x")

    response = throttled.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == ("RequestThrottled", 403)
    assert response["Error"]["Message"] == "Request is throttled."


def test_a_rate_holds_for_each_account_and_operation_alone(limited: Cumulet) -> None:
    first, second = (limited.client("sqs", account=it) for it in ("222222222222", "333333333333"))
    first_url, second_url = (sqs.create_queue(QueueName="limited")["QueueUrl"] for sqs in (first, second))
    for _ in range(5):
        first.send_message(QueueUrl=first_url, MessageBody="x")

    second.send_message(QueueUrl=second_url, MessageBody="x")
    entries = [{"Id": "1", "MessageBody": "x"}]
    assert "Failed" not in first.send_message_batch(QueueUrl=first_url, Entries=entries)


def test_the_query_protocol_throttles_in_its_own_words(limited: Cumulet) -> None:
    sts = limited.client("sts", account="444444444444")
    sts.get_caller_identity()

    with pytest.raises(ClientError, match="Rate exceeded") as throttled:
        sts.get_caller_identity()

    response = throttled.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == ("Throttling", 400)


def test_a_client_that_retries_gets_through(limited: Cumulet) -> None:
    sqs = limited.client("sqs", account="555555555555", retries={"mode": "standard", "max_attempts": 3})
    url = sqs.create_queue(QueueName="limited")["QueueUrl"]
    for _ in range(5):
        sqs.send_message(QueueUrl=url, MessageBody="x")
    sqs.meta.events.register_first("needs-retry.sqs.SendMessage", lambda **_: limited.advance(seconds=1))

    sent = sqs.send_message(QueueUrl=url, MessageBody="x")

    assert sent["ResponseMetadata"]["RetryAttempts"] == 1


def test_a_rate_of_nothing_refuses_all(limited: Cumulet) -> None:
    sqs = limited.client("sqs", account="666666666666")
    url = sqs.create_queue(QueueName="limited")["QueueUrl"]

    with pytest.raises(ClientError, match="throttled"):
        sqs.purge_queue(QueueUrl=url)
