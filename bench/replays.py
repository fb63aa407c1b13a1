"""Replays of what is in a topic's archive."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3

from load import sns_request
from processes import Server
from rows import BODY, Bench, Row

MESSAGES = 50_000
GROUPS = 50
RAW = {"RawMessageDelivery": "true"}
POLL_SECONDS = 0.02


class Replays:
    """The rows about replays."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def replay(self) -> Iterator[Row]:
        """Measure how fast a new queue gets what is in an archive, and what archiving costs a publish."""
        for server in self.bench.server():
            archive = Archive(server)
            filling = self.bench.measure(server, archive.batch, seconds=300, requests=MESSAGES // 10)
            yield self.bench.row("PublishBatch of 10 into an archive", "", filling, "commit-64", "messages/s", 10)
            for queue, attributes, what in (
                ("bench.fifo", {}, "a FIFO queue, in envelopes"),
                ("bench", RAW, "a standard queue, raw"),
            ):
                cpu_before, began = server.cpu_seconds(), time.perf_counter()
                archive.replay(queue, attributes)
                seconds, cpu = time.perf_counter() - began, server.cpu_seconds() - cpu_before
                yield Row(
                    f"replay of {MESSAGES:,} into {what}",
                    f"{MESSAGES / seconds:,.0f} messages/s",
                    "20,000",
                    cpu=f"{cpu / MESSAGES * 1e6:.0f} µs",
                    floor=self.bench.floors.get("commit-64", ""),
                )


class Archive:
    """A topic with an archive."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        known: dict[str, Any] = {
            "endpoint_url": server.url,
            "region_name": "us-east-1",
            "aws_access_key_id": "000000000000",
            "aws_secret_access_key": "secret",
        }
        self.sns, self.sqs = boto3.client("sns", **known), boto3.client("sqs", **known)
        attributes = {
            "FifoTopic": "true",
            "FifoThroughputScope": "MessageGroup",
            "ArchivePolicy": json.dumps({"MessageRetentionPeriod": "30"}),
        }
        self.arn = self.sns.create_topic(Name="bench.fifo", Attributes=attributes)["TopicArn"]
        self._numbers = iter(range(10**9))

    def batch(self, number: int, body: bytes | None) -> bytes:
        """Return the bytes of a request that publishes ten messages of 1 KB, to groups in turn."""
        form = {"Action": "PublishBatch", "Version": "2010-03-31", "TopicArn": self.arn}
        for entry in range(1, 11):
            name, message = f"PublishBatchRequestEntries.member.{entry}", next(self._numbers)
            form |= {
                f"{name}.Id": str(entry),
                f"{name}.Message": BODY,
                f"{name}.MessageGroupId": str(message % GROUPS),
                f"{name}.MessageDeduplicationId": str(message),
            }
        return sns_request(self.url, form)

    def replay(self, queue: str, attributes: dict[str, str]) -> None:
        """Subscribe a new queue from the beginning, and wait until it has everything."""
        self.sqs.create_queue(QueueName=queue, Attributes={"FifoQueue": "true"} if queue.endswith(".fifo") else {})
        beginning = self.sns.get_topic_attributes(TopicArn=self.arn)["Attributes"]["BeginningArchiveTime"]
        policy = json.dumps({"PointType": "Timestamp", "StartingPoint": beginning})
        subscription = self.sns.subscribe(
            TopicArn=self.arn,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:us-east-1:000000000000:{queue}",
            Attributes={**attributes, "ReplayPolicy": policy},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        while self._status(subscription) != "Completed":
            time.sleep(POLL_SECONDS)

    def _status(self, subscription: str) -> str:
        attributes = self.sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
        return str(attributes["ReplayStatus"])
