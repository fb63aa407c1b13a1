"""FilterCriteria of queues: which messages a function gets, what happens to the others, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create
from quotas import with_quotas
from sqs_queues import Queue

from cumulet.testing import Cumulet

# Tells the queue RESULTS what it was given.
SOURCE = """
import json, os
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    for record in event["Records"]:
        sqs.send_message(QueueUrl=os.environ["RESULTS"], MessageBody=record["body"])
"""
INVALID = "Invalid filter pattern definition."


def criteria(*patterns: Any) -> dict[str, Any]:
    texts = [pattern if isinstance(pattern, str) else json.dumps(pattern) for pattern in patterns]
    return {"Filters": [{"Pattern": text} for text in texts]}


class Filtered:
    """A queue whose messages run a function if they match."""

    def __init__(self, cumulet: Cumulet, *patterns: Any, fifo: bool = False, **mapping: Any) -> None:
        self.cumulet = cumulet
        self.sqs = cumulet.client("sqs")
        self.client = cumulet.client("lambda")
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}
        self.queue = self._made("orders.fifo" if fifo else "orders", attributes)
        self.results = self._made("results", {})
        function = create(cumulet, source=SOURCE, Timeout=10, Environment={"Variables": {"RESULTS": self.results.url}})
        self.function = function["FunctionName"]
        self.mapping = self.client.create_event_source_mapping(
            EventSourceArn=self.queue.arn,
            FunctionName=self.function,
            FilterCriteria=criteria(*patterns),
            **mapping,
        )

    def _made(self, name: str, attributes: dict[str, str]) -> Queue:
        return Queue(self.sqs, self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def send(self, *bodies: Any, **wanted: Any) -> None:
        for body in bodies:
            self.queue.send(body if isinstance(body, str) else json.dumps(body), **wanted)

    def seen(self) -> list[Any]:
        """All bodies that the function was given since the last time, once it has nothing to do."""
        self.cumulet.advance(seconds=0)
        bodies = []
        while messages := self.results.receive():
            self.results.delete(*messages)
            bodies += [message["Body"] for message in messages]
        return sorted(bodies)


@pytest.fixture(autouse=True)
def no_mapping_stays(cumulet: Cumulet) -> Iterator[None]:
    yield
    client = cumulet.client("lambda")
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        client.delete_event_source_mapping(UUID=mapping["UUID"])


def test_only_matching_messages_run_the_function_and_the_others_are_deleted(cumulet: Cumulet) -> None:
    filtered = Filtered(
        cumulet,
        {"body": {"file": [{"suffix": ".png"}]}},
        {"body": {"state": [{"equals-ignore-case": "ready"}]}},
        {"body": {"$or": [{"priority": [1]}, {"customer": ["Ada"]}]}},
    )

    filtered.send({"file": "a.png"}, {"file": "a.txt"}, {"state": "READY"}, {"state": "no"})
    filtered.send({"priority": 1}, {"priority": 2}, {"customer": "Ada"}, {"customer": "Bob"}, "no JSON")

    assert filtered.seen() == sorted(
        map(json.dumps, [{"file": "a.png"}, {"state": "READY"}, {"priority": 1}, {"customer": "Ada"}])
    )
    assert filtered.queue.counts() == (0, 0, 0)


def test_messages_that_match_nothing_do_not_run_the_function(cumulet: Cumulet) -> None:
    filtered = Filtered(cumulet, {"body": {"a": [1]}})

    filtered.send(*[{"a": 2}] * 25)
    cumulet.advance(seconds=0)

    assert filtered.queue.counts() == (0, 0, 0)
    assert cumulet.client("logs").describe_log_groups()["logGroups"] == []


@pytest.mark.parametrize(
    ("pattern", "seen"),
    [
        ({"body": {"a": [1]}}, ['{"a": 1}']),
        ({"body": {"a": [{"exists": False}]}}, ["[]", '[{"b": 1}]', "{}"]),
        ({"body": ["plain"]}, ["plain"]),
        ({"body": [{"prefix": ""}]}, ["7", "plain"]),
        ({"body": [{"anything-but": "plain"}]}, ["7"]),
        ({"messageAttributes": {"colour": {"stringValue": ["grey"]}}}, ["[]"]),
        ({"eventSource": ["aws:sqs"]}, ["7", "[]", '[{"b": 1}]', "plain", "{}", '{"a": 1}']),
        ({"body": {"b": [1]}}, ['[{"b": 1}]']),
    ],
)
def test_bodies_are_json_or_strings_as_the_pattern_is(cumulet: Cumulet, pattern: Any, seen: list[str]) -> None:
    filtered = Filtered(cumulet, pattern)

    filtered.send("plain", "7", "{}", '{"a": 1}', '[{"b": 1}]')
    filtered.send("[]", MessageAttributes={"colour": {"DataType": "String", "StringValue": "grey"}})

    assert filtered.seen() == sorted(seen)
    assert filtered.queue.counts() == (0, 0, 0)


def test_a_fifo_queue_goes_on_behind_messages_that_do_not_match(cumulet: Cumulet) -> None:
    filtered = Filtered(cumulet, {"body": {"ok": [True]}}, fifo=True)

    filtered.send({"ok": True, "n": 1}, {"ok": False}, {"ok": True, "n": 2}, MessageGroupId="a")

    assert filtered.seen() == ['{"ok": true, "n": 1}', '{"ok": true, "n": 2}']
    assert filtered.queue.counts() == (0, 0, 0)


def test_a_window_gathers_only_what_matches(cumulet: Cumulet) -> None:
    filtered = Filtered(cumulet, {"body": {"a": [1]}}, BatchSize=2, MaximumBatchingWindowInSeconds=20)

    filtered.send({"a": 1}, {"a": 2}, {"a": 2})
    before = filtered.seen()
    filtered.send({"a": 1})

    assert (before, filtered.seen()) == ([], ['{"a": 1}', '{"a": 1}'])


def test_filters_are_shown_changed_and_cleared(cumulet: Cumulet) -> None:
    first, second = '{"body":  {"a": [1]}}', '{"body": {"a": [2]}}'
    filtered = Filtered(cumulet, first)
    uuid = filtered.mapping["UUID"]

    changed = filtered.client.update_event_source_mapping(UUID=uuid, FilterCriteria=criteria(second, first))
    kept = filtered.client.update_event_source_mapping(UUID=uuid, BatchSize=5)
    filtered.client.update_event_source_mapping(UUID=uuid, FilterCriteria=criteria(second))
    filtered.send({"a": 1}, {"a": 2})
    after_change = filtered.seen()
    cleared = filtered.client.update_event_source_mapping(UUID=uuid, FilterCriteria={})
    filtered.send({"a": 1}, "plain")

    assert filtered.mapping["FilterCriteria"] == criteria(first)
    assert changed["FilterCriteria"] == kept["FilterCriteria"] == criteria(second, first)
    assert after_change == ['{"a": 2}']
    assert "FilterCriteria" not in cleared
    assert "FilterCriteria" not in filtered.client.get_event_source_mapping(UUID=uuid)
    assert filtered.seen() == ["plain", '{"a": 1}']


@pytest.mark.parametrize(
    "pattern",
    [
        "null",
        "simple string",
        "{}",
        "",
        '{"body": "a"}',
        '{"body": {"a": []}}',
        '{"body": {"a": [{"unknown": 1}]}}',
        '{"body": {"a": [{"numeric": [">", 5, "<", 1]}]}}',
        '[{"body": ["a"]}]',
        '{"body": {"a": [1]}',
    ],
)
def test_a_pattern_that_is_none_is_refused(cumulet: Cumulet, pattern: str) -> None:
    filtered = Filtered(cumulet, {"body": {"a": [1]}})
    uuid = filtered.mapping["UUID"]

    for refused in (criteria(pattern), criteria({"body": ["a"]}, pattern)):
        with pytest.raises(ClientError) as caught:
            filtered.client.update_event_source_mapping(UUID=uuid, FilterCriteria=refused)
        error = caught.value.response["Error"]
        assert (error["Code"], error["Message"]) == ("InvalidParameterValueException", INVALID)
    assert filtered.client.get_event_source_mapping(UUID=uuid)["FilterCriteria"] == filtered.mapping["FilterCriteria"]


def test_a_filter_without_a_pattern_is_refused(cumulet: Cumulet) -> None:
    filtered = Filtered(cumulet, {"body": {"a": [1]}})

    with pytest.raises(ClientError, match=INVALID):
        filtered.client.update_event_source_mapping(UUID=filtered.mapping["UUID"], FilterCriteria={"Filters": [{}]})


def test_a_pattern_has_4096_characters_at_most(cumulet: Cumulet) -> None:
    filtered = Filtered(cumulet, {"body": ["x" * 4082]})

    with pytest.raises(ClientError) as caught:
        filtered.client.update_event_source_mapping(
            UUID=filtered.mapping["UUID"], FilterCriteria=criteria({"body": ["x" * 4084]})
        )

    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert "Member must have length less than or equal to 4096" in caught.value.response["Error"]["Message"]


def test_there_are_five_filters_at_most_or_what_the_quota_says(cumulet: Cumulet, tmp_path: Path) -> None:
    filtered = Filtered(cumulet, *[{"body": ["a"]}] * 5)

    with pytest.raises(ClientError) as caught:
        filtered.client.update_event_source_mapping(
            UUID=filtered.mapping["UUID"], FilterCriteria=criteria(*[{"body": ["a"]}] * 6)
        )

    assert caught.value.response["Error"]["Message"] == "Number of filters exceeds the limit of 5."
    with with_quotas(tmp_path, {"lambda:filters-per-mapping": 10}) as own:
        assert len(Filtered(own, *[{"body": ["a"]}] * 10).mapping["FilterCriteria"]["Filters"]) == 10


def test_other_settings_are_stored_and_shown(cumulet: Cumulet) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    filtered = Filtered(
        cumulet,
        {"body": ["a"]},
        KMSKeyArn=key,
        MetricsConfig={"Metrics": ["EventCount"]},
        ProvisionedPollerConfig={"MinimumPollers": 2, "MaximumPollers": 20},
        Tags={"team": "pigeons"},
    )
    got = filtered.client.get_event_source_mapping(UUID=filtered.mapping["UUID"])
    cleared = filtered.client.update_event_source_mapping(
        UUID=filtered.mapping["UUID"], KMSKeyArn="", MetricsConfig={"Metrics": []}, ProvisionedPollerConfig={}
    )

    assert (got["KMSKeyArn"], got["MetricsConfig"]) == (key, {"Metrics": ["EventCount"]})
    assert got["ProvisionedPollerConfig"] == {"MinimumPollers": 2, "MaximumPollers": 20}
    assert not {"KMSKeyArn", "MetricsConfig", "ProvisionedPollerConfig"} & cleared.keys()


def test_filters_outlive_a_restart(tmp_path: Path) -> None:
    with Cumulet(tmp_path) as first:
        uuid = Filtered(first, {"body": {"a": [1]}}).mapping["UUID"]

    with Cumulet(tmp_path) as again:
        sqs = again.client("sqs")
        queue = Queue(sqs, sqs.get_queue_url(QueueName="orders")["QueueUrl"])
        queue.send('{"a": 2}')
        again.advance(seconds=0)

        shown = again.client("lambda").get_event_source_mapping(UUID=uuid)
        assert shown["FilterCriteria"] == criteria({"body": {"a": [1]}})
        assert queue.counts() == (0, 0, 0)
        assert again.client("logs").describe_log_groups()["logGroups"] == []
