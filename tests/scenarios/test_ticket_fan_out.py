"""Airline tickets: a topic takes each sale to the payment and the fraud queue, as long as their policy lets it.

The resources are those of the published template, without its archive: one queue policy, written without a Version and
with a single statement, for both queues.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3

from cumulet.testing import Cumulet

SALES = 1000


def root_client(server: Cumulet, service: str) -> Any:
    lines = (server.folder / "root-credentials").read_text().splitlines()
    credentials = dict(line.split(" = ") for line in lines if " = " in line)
    return boto3.Session().client(service, endpoint_url=server.url, region_name="us-east-1", **credentials)


class Ticketing:
    """The resources of the template, made one by one."""

    def __init__(self, server: Cumulet) -> None:
        self.server = server
        self.sns, self.sqs, self.metrics = (root_client(server, name) for name in ("sns", "sqs", "cloudwatch"))
        self.topic = self.sns.create_topic(Name="ticketTopic")["TopicArn"]
        self.payment, self.fraud, self.failed = map(self.queue, ("ticketPayment", "ticketFraud", "ticketsFailed"))
        self.allow(self.payment, self.fraud, self.failed)
        redrive = json.dumps({"deadLetterTargetArn": self.arn(self.failed)})
        for queue in (self.payment, self.fraud):
            attributes = {"RedrivePolicy": redrive}
            self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self.arn(queue), Attributes=attributes)

    def queue(self, name: str) -> str:
        url: str = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        return url

    def arn(self, queue: str) -> str:
        return f"arn:aws:sqs:us-east-1:000000000000:{queue.rpartition('/')[2]}"

    def allow(self, *queues: str) -> None:
        """Give queues the template's policy."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": ["sqs:SendMessage"],
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:SourceArn": self.topic}},
        }
        for queue in queues:
            text = json.dumps({"Statement": statement})
            self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": text})

    def delete_policy(self, *queues: str) -> None:
        for queue in queues:
            self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})

    def sell(self, count: int) -> None:
        """Publish tickets, ten at a time."""
        for first in range(0, count, 10):
            tickets = [{"destination": "Lisbon", "price": 99, "customer": n} for n in range(first, first + 10)]
            entries = [{"Id": str(ticket["customer"]), "Message": json.dumps(ticket)} for ticket in tickets]
            answer = self.sns.publish_batch(TopicArn=self.topic, PublishBatchRequestEntries=entries)
            assert len(answer["Successful"]) == 10

    def held(self, queue: str) -> int:
        name = "ApproximateNumberOfMessages"
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def sum(self, metric: str) -> float:
        """Return how often something has happened to the topic."""
        answer = self.metrics.get_metric_statistics(
            Namespace="AWS/SNS",
            MetricName=metric,
            Dimensions=[{"Name": "TopicName", "Value": "ticketTopic"}],
            StartTime="2020-01-01T00:00:00Z",
            EndTime="2100-01-01T00:00:00Z",
            Period=86400 * 365,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])


def test_tickets_reach_both_queues_as_long_as_their_policy_lets_them(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", auth="enforce") as server:
        tickets = Ticketing(server)

        tickets.sell(SALES)
        both = tickets.held(tickets.payment), tickets.held(tickets.fraud)
        tickets.delete_policy(tickets.payment)
        tickets.sell(10)
        tickets.delete_policy(tickets.fraud)
        tickets.sell(10)
        without = tickets.held(tickets.payment), tickets.held(tickets.fraud)
        tickets.allow(tickets.payment)
        tickets.sell(10)
        server.advance(minutes=1)

        assert both == (SALES, SALES)
        assert without == (SALES, SALES + 10)
        assert tickets.held(tickets.payment) == SALES + 10
        assert tickets.held(tickets.failed) == 40
        assert tickets.sum("NumberOfMessagesPublished") == SALES + 30
        assert tickets.sum("NumberOfNotificationsDelivered") == 2 * SALES + 20
        assert tickets.sum("NumberOfNotificationsFailed") == 40
        assert tickets.sum("NumberOfNotificationsRedrivenToDlq") == 40
