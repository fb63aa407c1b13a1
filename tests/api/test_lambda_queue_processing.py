"""Messages run code: what an event source mapping does with a queue's messages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lambda_functions import create
from sqs_queues import Queue

from cumulet.testing import Cumulet

# Tells the queue RESULTS what it was given, then does what the messages say.
SOURCE = """
import json, os, time
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    began = time.time()
    bodies = [record["body"] for record in event["Records"]]
    if any(body.startswith("slow") for body in bodies):
        time.sleep(0.15)
    report = {"bodies": bodies, "began": began, "ended": time.time(), "records": event["Records"],
              "counts": [int(record["attributes"]["ApproximateReceiveCount"]) for record in event["Records"]]}
    sqs.send_message(QueueUrl=os.environ["RESULTS"], MessageBody=json.dumps(report))
    if "fail" in bodies:
        raise ValueError("one of them says so")
    return {"batchItemFailures": [
        {"itemIdentifier": record["messageId"]} for record in event["Records"] if record["body"].startswith("poison")
    ]}
"""
# Tells the first word of each message: large ones fit no report.
BRIEF_SOURCE = """
import json, os, time
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    began = time.time()
    time.sleep(0.15)
    bodies = [record["body"].split()[0] for record in event["Records"]]
    report = {"bodies": bodies, "began": began, "ended": time.time()}
    sqs.send_message(QueueUrl=os.environ["RESULTS"], MessageBody=json.dumps(report))
    if "fail" in bodies:
        raise ValueError("one of them says so")
    return {"batchItemFailures": [
        {"itemIdentifier": record["messageId"]} for record in event["Records"] if record["body"].startswith("poison")
    ]}
"""
# Tells how many there are.
COUNTING_SOURCE = """
import json, os
import boto3

def handler(event, context):
    bodies = [record["body"] for record in event["Records"]]
    report = {"bodies": len(bodies), "different": len(set(bodies))}
    boto3.client("sqs").send_message(QueueUrl=os.environ["RESULTS"], MessageBody=json.dumps(report))
"""
VISIBILITY_SECONDS = 30


class Consumer:
    """A queue whose messages run a function, and what the function told of it."""

    def __init__(
        self, cumulet: Cumulet, *, fifo: bool = False, mapping: dict[str, Any] | None = None, source: str = SOURCE
    ) -> None:
        self.cumulet = cumulet
        self.sqs = cumulet.client("sqs")
        self.client = cumulet.client("lambda")
        suffix = ".fifo" if fifo else ""
        attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS)} | ({"FifoQueue": "true"} if fifo else {})
        self.queue = self.made("orders" + suffix, attributes)
        self.results = self.made("results", {})
        self.function = create(
            cumulet, source=source, Timeout=10, Environment={"Variables": {"RESULTS": self.results.url}}
        )["FunctionName"]
        self.mapping = self.client.create_event_source_mapping(
            EventSourceArn=self.queue.arn, FunctionName=self.function, **(mapping or {})
        )["UUID"]

    def made(self, name: str, attributes: dict[str, str]) -> Queue:
        return Queue(self.sqs, self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def send(self, *bodies: str) -> None:
        """Send messages in batches of ten."""
        for first in range(0, len(bodies), 10):
            some = bodies[first : first + 10]
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(some)]
            self.sqs.send_message_batch(QueueUrl=self.queue.url, Entries=entries)

    def reports(self) -> list[dict[str, Any]]:
        """What the function has told since the last time, once it has nothing to do any more."""
        self.cumulet.advance(seconds=0)
        return list(self._reports())

    def _reports(self) -> Iterator[dict[str, Any]]:
        while messages := self.results.receive():
            self.results.delete(*messages)
            yield from (json.loads(message["Body"]) for message in messages)

    def bodies(self) -> list[str]:
        """All messages that the function has been given since the last time."""
        return [body for report in self.reports() for body in report["bodies"]]


@pytest.fixture(autouse=True)
def no_mapping_stays(cumulet: Cumulet) -> Iterator[None]:
    """A message that fails always would be tried again throughout each later advance of the server's clock."""
    yield
    client = cumulet.client("lambda")
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        client.delete_event_source_mapping(UUID=mapping["UUID"])


def send_large(consumer: Consumer, *words: str) -> None:
    """Send messages of a group, of which six fit an event and a seventh doesn't."""
    for word in words:
        consumer.queue.send(f"{word} {'x' * 900_000}", MessageGroupId="a", MessageDeduplicationId=word)


def most_at_a_time(reports: list[dict[str, Any]]) -> int:
    """How many of the invocations overlapped."""
    moments = sorted([(report["began"], 1) for report in reports] + [(report["ended"], -1) for report in reports])
    running, most = 0, 0
    for _, change in moments:
        running += change
        most = max(most, running)
    return most


def test_a_message_runs_the_function_and_is_deleted(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)

    consumer.send("one")

    [report] = consumer.reports()
    assert report["bodies"] == ["one"]
    assert consumer.queue.counts() == (0, 0, 0)


def test_a_record_is_as_lambda_documents_it(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)
    sent = consumer.queue.send(
        "hello",
        MessageAttributes={
            "colour": {"DataType": "String", "StringValue": "grey"},
            "wing": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
    )

    [report] = consumer.reports()

    [record] = report["records"]
    assert record.pop("receiptHandle").startswith("AQEB")
    attributes = record.pop("attributes")
    assert set(attributes) == {
        "ApproximateReceiveCount",
        "ApproximateFirstReceiveTimestamp",
        "SenderId",
        "SentTimestamp",
    }
    assert record == {
        "messageId": sent["MessageId"],
        "body": "hello",
        "md5OfBody": sent["MD5OfMessageBody"],
        "md5OfMessageAttributes": sent["MD5OfMessageAttributes"],
        "messageAttributes": {
            "colour": {
                "dataType": "String",
                "stringValue": "grey",
                "stringListValues": [],
                "binaryListValues": [],
            },
            "wing": {"dataType": "Binary", "binaryValue": "AP8=", "stringListValues": [], "binaryListValues": []},
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": consumer.queue.arn,
        "awsRegion": "us-east-1",
    }


def test_messages_that_waited_already_are_taken(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, mapping={"Enabled": False})
    consumer.send(*[str(number) for number in range(25)])
    before = consumer.bodies()

    consumer.client.update_event_source_mapping(UUID=consumer.mapping, Enabled=True)

    reports = consumer.reports()
    assert before == []
    assert Counter(body for report in reports for body in report["bodies"]) == Counter(map(str, range(25)))
    assert max(len(report["bodies"]) for report in reports) <= 10
    assert consumer.queue.counts() == (0, 0, 0)


def test_a_disabled_mapping_takes_no_more(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)
    consumer.send("one")
    first = consumer.bodies()

    consumer.client.update_event_source_mapping(UUID=consumer.mapping, Enabled=False)
    consumer.send("two")

    assert (first, consumer.bodies()) == (["one"], [])
    assert consumer.queue.counts() == (1, 0, 0)


def test_a_deleted_mapping_takes_no_more(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)

    consumer.client.delete_event_source_mapping(UUID=consumer.mapping)
    consumer.send("one")

    assert consumer.bodies() == []
    assert consumer.queue.counts() == (1, 0, 0)


def test_a_delayed_message_runs_the_function_when_it_is_due(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)
    consumer.queue.send("later", DelaySeconds=60)

    cumulet.advance(seconds=59)
    before = consumer.bodies()
    cumulet.advance(seconds=1)

    assert (before, consumer.bodies()) == ([], ["later"])


def test_a_batch_that_fails_comes_back_with_its_visibility_timeout(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)
    consumer.send("fail", "good")
    first = consumer.reports()

    cumulet.advance(seconds=VISIBILITY_SECONDS - 1)
    early = consumer.bodies()
    cumulet.advance(seconds=1)

    again = consumer.reports()
    assert sorted(body for report in first for body in report["bodies"]) == ["fail", "good"]
    assert early == []
    assert sorted(body for report in again for body in report["bodies"]) == ["fail", "good"]
    assert {count for report in again for count in report["counts"]} == {2}


def test_a_message_that_always_fails_becomes_a_dead_letter(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)
    dead = consumer.made("dead", {})
    consumer.queue.bury_in(dead, after=2)
    consumer.send("fail")

    for _ in range(3):
        cumulet.advance(seconds=VISIBILITY_SECONDS)

    assert [report["counts"] for report in consumer.reports()] == [[1], [2]]
    assert dead.bodies() == ["fail"]
    assert consumer.queue.counts() == (0, 0, 0)


def test_only_the_failures_that_are_reported_come_back(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, mapping={"FunctionResponseTypes": ["ReportBatchItemFailures"]})
    dead = consumer.made("dead", {})
    consumer.queue.bury_in(dead, after=3)
    consumer.send("good 1", "poison", "good 2")

    for _ in range(3):
        cumulet.advance(seconds=VISIBILITY_SECONDS)

    seen = Counter(consumer.bodies())
    assert seen == {"good 1": 1, "good 2": 1, "poison": 3}
    assert dead.bodies() == ["poison"]


def test_without_reporting_an_answer_says_nothing_of_failures(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)

    consumer.send("poison")

    assert consumer.bodies() == ["poison"]
    assert consumer.queue.counts() == (0, 0, 0)


def test_a_window_gathers_a_batch_until_it_has_passed(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, mapping={"BatchSize": 100, "MaximumBatchingWindowInSeconds": 20})
    consumer.send("one")
    cumulet.advance(seconds=10)
    consumer.send("two")
    cumulet.advance(seconds=9)
    early = consumer.reports()

    cumulet.advance(seconds=1)

    [report] = consumer.reports()
    assert early == []
    assert report["bodies"] == ["one", "two"]


def test_a_window_ends_when_the_batch_is_full(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, mapping={"BatchSize": 25, "MaximumBatchingWindowInSeconds": 300})

    consumer.send(*map(str, range(30)))

    [report] = consumer.reports()
    assert len(report["bodies"]) == 25
    assert consumer.queue.counts() == (0, 5, 0)


def test_two_thousand_messages_of_five_minutes_are_one_batch(cumulet: Cumulet) -> None:
    consumer = Consumer(
        cumulet, mapping={"BatchSize": 10_000, "MaximumBatchingWindowInSeconds": 300}, source=COUNTING_SOURCE
    )
    consumer.queue.set(VisibilityTimeout="900")
    for first in range(0, 2000, 10):
        entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(first, first + 10)]
        consumer.sqs.send_message_batch(QueueUrl=consumer.queue.url, Entries=entries)

    cumulet.advance(seconds=299)
    early = consumer.reports()
    cumulet.advance(seconds=1)

    assert early == []
    assert consumer.reports() == [{"bodies": 2000, "different": 2000}]
    assert consumer.queue.counts() == (0, 0, 0)


def test_what_a_window_holds_is_given_back_when_the_mapping_is_deleted(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, mapping={"BatchSize": 10, "MaximumBatchingWindowInSeconds": 300})
    consumer.send("one", "two")
    cumulet.advance(seconds=0)

    consumer.client.delete_event_source_mapping(UUID=consumer.mapping)

    cumulet.advance(seconds=0)
    assert consumer.queue.counts() == (2, 0, 0)


def test_a_message_that_comes_again_within_a_window_is_in_the_batch_once(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, mapping={"BatchSize": 100, "MaximumBatchingWindowInSeconds": 70})
    consumer.send("one")

    cumulet.advance(seconds=70)

    [report] = consumer.reports()
    assert (report["bodies"], report["counts"]) == (["one"], [3])
    assert consumer.queue.counts() == (0, 0, 0)


def test_what_a_window_has_gathered_is_given_back_when_the_function_was_stopped_meanwhile(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, mapping={"BatchSize": 100, "MaximumBatchingWindowInSeconds": 5})
    consumer.send("one", "deleted")
    cumulet.advance(seconds=1)

    consumer.client.put_function_concurrency(FunctionName=consumer.function, ReservedConcurrentExecutions=0)

    cumulet.advance(seconds=5)
    messages = {message["Body"]: message for message in consumer.queue.receive()}
    consumer.queue.delete(messages.pop("deleted"))
    consumer.queue.hide(messages["one"], 0)
    consumer.client.delete_function_concurrency(FunctionName=consumer.function)
    cumulet.advance(seconds=5)
    assert consumer.bodies() == ["one"]


def test_a_window_begins_with_nothing_while_the_function_is_stopped(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, mapping={"BatchSize": 100, "MaximumBatchingWindowInSeconds": 5})
    consumer.client.put_function_concurrency(FunctionName=consumer.function, ReservedConcurrentExecutions=0)

    consumer.send("one")

    cumulet.advance(seconds=10)
    assert consumer.queue.counts() == (1, 0, 0)


def test_batches_of_a_large_queue_run_side_by_side(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, mapping={"BatchSize": 1, "Enabled": False})
    consumer.send(*[f"slow {number}" for number in range(20)])

    consumer.client.update_event_source_mapping(UUID=consumer.mapping, Enabled=True)

    reports = consumer.reports()
    assert len(reports) == 20
    assert most_at_a_time(reports) >= 3


def test_no_more_run_than_the_mapping_allows(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, mapping={"BatchSize": 1, "Enabled": False, "ScalingConfig": {"MaximumConcurrency": 2}})
    consumer.send(*[f"slow {number}" for number in range(12)])

    consumer.client.update_event_source_mapping(UUID=consumer.mapping, Enabled=True)

    reports = consumer.reports()
    assert len(reports) == 12
    assert most_at_a_time(reports) == 2


def test_reserved_concurrency_holds_messages_back_and_does_not_count_their_receives(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, mapping={"BatchSize": 2, "Enabled": False})
    consumer.client.put_function_concurrency(FunctionName=consumer.function, ReservedConcurrentExecutions=1)
    consumer.send(*[f"slow {number}" for number in range(12)])

    consumer.client.update_event_source_mapping(UUID=consumer.mapping, Enabled=True)

    reports = consumer.reports()
    assert most_at_a_time(reports) == 1
    assert Counter(body for report in reports for body in report["bodies"]) == Counter(
        f"slow {number}" for number in range(12)
    )
    assert {count for report in reports for count in report["counts"]} == {1}


def test_with_nothing_reserved_the_function_stands_still_until_there_is(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)
    consumer.client.put_function_concurrency(FunctionName=consumer.function, ReservedConcurrentExecutions=0)
    consumer.send("one")
    before = consumer.bodies()

    consumer.client.delete_function_concurrency(FunctionName=consumer.function)

    assert (before, consumer.bodies()) == ([], ["one"])


def test_fifo_messages_come_in_the_order_of_their_groups(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, fifo=True)
    expected = {f"group-{number}": [f"{number}.{step}" for step in range(15)] for number in range(4)}

    for group, bodies in expected.items():
        consumer.queue.send_to(group, *bodies)

    seen: dict[str, list[str]] = {group: [] for group in expected}
    for report in sorted(consumer.reports(), key=lambda report: report["began"]):
        for record in report["records"]:
            seen[record["attributes"]["MessageGroupId"]].append(record["body"])
    assert seen == expected


def test_a_fifo_group_waits_for_its_failed_batch(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, fifo=True)
    consumer.queue.send_to("a", "fail")
    first = consumer.bodies()
    consumer.queue.send_to("a", "behind")
    consumer.queue.send_to("b", "free")
    second = consumer.bodies()

    cumulet.advance(seconds=VISIBILITY_SECONDS)

    assert (first, second) == (["fail"], ["free"])
    assert consumer.bodies()[0] == "fail"


def test_fifo_messages_that_fit_no_single_event_keep_their_order(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet, fifo=True, mapping={"Enabled": False}, source=BRIEF_SOURCE)
    send_large(consumer, *map(str, range(8)))

    consumer.client.update_event_source_mapping(UUID=consumer.mapping, Enabled=True)

    reports = sorted(consumer.reports(), key=lambda report: report["began"])
    assert [report["bodies"] for report in reports] == [["0", "1", "2", "3", "4", "5"], ["6", "7"]]
    assert most_at_a_time(reports) == 1
    assert consumer.queue.counts() == (0, 0, 0)


@pytest.mark.parametrize("failure", ["fail", "poison"])
def test_a_fifo_group_waits_for_its_failed_messages_also_with_what_was_received_beside_them(
    cumulet: Cumulet, failure: str
) -> None:
    mapping = {"Enabled": False, "FunctionResponseTypes": ["ReportBatchItemFailures"]}
    consumer = Consumer(cumulet, fifo=True, mapping=mapping, source=BRIEF_SOURCE)
    send_large(consumer, failure, *map(str, range(7)))

    consumer.client.update_event_source_mapping(UUID=consumer.mapping, Enabled=True)

    assert consumer.bodies() == [failure, "0", "1", "2", "3", "4"]
    assert consumer.bodies() == []


def test_a_function_that_is_made_again_goes_on_with_the_queue(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)
    consumer.client.delete_function(FunctionName=consumer.function)
    consumer.send("one")
    before = consumer.bodies()

    create(
        cumulet,
        consumer.function,
        source=SOURCE,
        Timeout=10,
        Environment={"Variables": {"RESULTS": consumer.results.url}},
    )

    assert (before, consumer.bodies()) == ([], ["one"])


def test_a_queue_that_is_made_again_is_read_again(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)
    consumer.sqs.delete_queue(QueueUrl=consumer.queue.url)
    cumulet.advance(seconds=60)

    consumer.made("orders", {"VisibilityTimeout": "30"})
    consumer.send("one")

    assert consumer.bodies() == ["one"]


@pytest.mark.parametrize("stop", ["stop", "kill"])
def test_mappings_go_on_after_a_restart(tmp_path: Path, stop: str) -> None:
    with Cumulet(tmp_path / "data") as cumulet:
        consumer = Consumer(cumulet)
        consumer.send("one")
        before = consumer.bodies()
        getattr(cumulet, stop)()
        cumulet.start()
        consumer.sqs = cumulet.client("sqs")
        consumer.queue = Queue(consumer.sqs, consumer.queue.url)
        consumer.results = Queue(consumer.sqs, consumer.results.url)
        # The address has changed, and functions send to the one in their variables.
        cumulet.client("lambda").update_function_configuration(
            FunctionName=consumer.function, Environment={"Variables": {"RESULTS": consumer.results.url}}
        )

        consumer.send("two")

        assert (before, consumer.bodies()) == (["one"], ["two"])


def test_no_more_run_than_the_mapping_allows_when_it_is_changed_meanwhile(cumulet: Cumulet) -> None:
    settings = {"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 2}}
    consumer = Consumer(cumulet, mapping=settings)
    consumer.send(*[f"slow {number}" for number in range(12)])

    for enabled in (True, False, True):
        consumer.client.update_event_source_mapping(UUID=consumer.mapping, Enabled=enabled, **settings)

    reports = consumer.reports()
    assert Counter(body for report in reports for body in report["bodies"]) == Counter(
        f"slow {number}" for number in range(12)
    )
    assert most_at_a_time(reports) <= 2


def test_a_mapping_can_be_disabled_when_its_queue_or_its_function_is_gone(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)
    consumer.sqs.delete_queue(QueueUrl=consumer.queue.url)
    consumer.client.delete_function(FunctionName=consumer.function)

    disabled = [
        consumer.client.update_event_source_mapping(UUID=consumer.mapping, Enabled=False)["State"] for _ in range(2)
    ]

    assert disabled == ["Disabling", "Updating"]
    assert consumer.client.get_event_source_mapping(UUID=consumer.mapping)["State"] == "Disabled"


def test_a_function_that_can_not_be_run_leaves_its_messages_and_says_why_in_its_log(cumulet: Cumulet) -> None:
    consumer = Consumer(cumulet)
    consumer.client.update_function_configuration(FunctionName=consumer.function, Runtime="ruby3.3")
    consumer.queue.send("one")
    cumulet.advance(seconds=0)
    in_flight = consumer.queue.counts()
    cumulet.advance(seconds=VISIBILITY_SECONDS)
    logs = cumulet.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{consumer.function}")["events"]

    assert (in_flight, consumer.queue.counts()) == ((0, 1, 0), (0, 1, 0))
    assert ["ruby3.3" in event["message"] for event in logs] == [True, True]
