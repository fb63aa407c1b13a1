"""SNS under load."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import boto3

from load import sns_request
from protection import IDENTIFIERS
from rows import BODY, Bench, Row

RAW = {"RawMessageDelivery": "true"}
FILTERS = 1000


class Topics:
    """The rows about topics."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.server, self.measure, self.row = bench.server, bench.measure, bench.row

    def publish(self) -> Iterator[Row]:
        for attributes, what, wanted in ((RAW, "raw", "10,000"), ({}, "in signed envelopes, both cores", "")):
            for server in self.server(is_pinned=attributes is RAW):
                topic = Topic(server.url, [attributes])
                request = topic.publish()
                measured = self.measure(server, lambda n, body: request)
            yield self.row(f"Publish to 1 queue, {what}", wanted, measured, "echo", "/s")

    def protected(self) -> Iterator[Row]:
        """Measure a topic that masks twenty kinds of sensitive data, of which the messages have none."""
        for server in self.server():
            topic = Topic(server.url, [RAW], IDENTIFIERS)
            request = topic.publish()
            measured = self.measure(server, lambda n, body: request)
        what = f"Publish to 1 queue, raw, {len(IDENTIFIERS)} identifiers of sensitive data"
        yield self.row(what, "", measured, "echo", "/s")

    def fan_out(self) -> Iterator[Row]:
        for attributes, what, wanted in ((RAW, "raw", "60,000"), ({}, "in signed envelopes, both cores", "")):
            for server in self.server(is_pinned=attributes is RAW):
                topic = Topic(server.url, [attributes] * 10)
                request = topic.publish()
                measured = self.measure(server, lambda n, body: request)
            yield self.row(f"Publish to 10 queues, {what}", wanted, measured, "commit-64", "deliveries/s", 10)

    def filters(self) -> Iterator[Row]:
        """Measure a topic of which each message matches one of many filter policies."""
        policies = [RAW | {"FilterPolicy": json.dumps({"kind": [f"kind-{n}"]})} for n in range(FILTERS)]
        for server in self.server(quotas={"sns:filter-policies-per-topic": FILTERS}):
            topic = Topic(server.url, policies)
            requests = [topic.publish(kind=f"kind-{n}") for n in range(FILTERS)]
            turn = iter(range(10**9))
            self.measure(server, lambda n, body: requests[next(turn) % FILTERS], requests=FILTERS)  # reads the policies
            measured = self.measure(server, lambda n, body: requests[next(turn) % FILTERS])
        yield self.row(f"Publish, 1 of {FILTERS:,} filter policies matches", "4,000", measured, "echo", "/s")


class Topic:
    """A topic with a queue for each of its subscriptions."""

    def __init__(self, url: str, subscriptions: list[dict[str, str]], masked: Sequence[str] = ()) -> None:
        """Make it; each subscription has these attributes, and these kinds of data are masked."""
        self.url = url
        known: dict[str, Any] = {
            "endpoint_url": url,
            "region_name": "us-east-1",
            "aws_access_key_id": "000000000000",
            "aws_secret_access_key": "secret",
        }
        sns, sqs = boto3.client("sns", **known), boto3.client("sqs", **known)
        protection = json.dumps(_masking(masked)) if masked else ""
        self.arn = sns.create_topic(Name="bench", DataProtectionPolicy=protection)["TopicArn"]
        for number, attributes in enumerate(subscriptions):
            sqs.create_queue(QueueName=f"bench-{number}")
            queue = f"arn:aws:sqs:us-east-1:000000000000:bench-{number}"
            sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=queue, Attributes=attributes)

    def publish(self, **attributes: str) -> bytes:
        """Return the bytes of a request that publishes 1 KB."""
        form = {"Action": "Publish", "TopicArn": self.arn, "Message": BODY}
        for number, (name, value) in enumerate(attributes.items(), 1):
            entry = f"MessageAttributes.entry.{number}"
            form |= {f"{entry}.Name": name, f"{entry}.Value.DataType": "String", f"{entry}.Value.StringValue": value}
        return sns_request(self.url, form)


def _masking(identifiers: Sequence[str]) -> dict[str, Any]:
    """Return the data protection policy that masks some kinds of data."""
    statement = {
        "DataDirection": "Inbound",
        "Principal": ["*"],
        "DataIdentifier": [f"arn:aws:dataprotection::aws:data-identifier/{name}" for name in identifiers],
        "Operation": {"Deidentify": {"MaskConfig": {"MaskWithCharacter": "#"}}},
    }
    return {"Name": "bench", "Version": "2021-06-01", "Statement": [statement]}
