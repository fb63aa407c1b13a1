"""Ticket sales: a function publishes each ticket that it sells; two systems of a queue and a function process them."""

from __future__ import annotations

import json
from typing import Any

from deployed import Deployed

from cumulet.testing import Cumulet

SELLER = """
import json, os, boto3
sns = boto3.client("sns")
def handler(tickets, context):
    for ticket in tickets:
        sns.publish(TopicArn=os.environ["TOPIC"], Message=json.dumps(ticket), Subject="ticket")
"""
PROCESSOR = """
import json, os, boto3
sqs = boto3.client("sqs")
def handler(event, context):
    for record in event["Records"]:
        envelope = json.loads(record["body"])
        assert envelope["Type"] == "Notification" and envelope["Subject"] == "ticket"
        sqs.send_message(QueueUrl=os.environ["RESULTS"], MessageBody=envelope["Message"])
"""
TICKETS = [{"number": number, "price": 100 * number} for number in range(20)]


class Airline:
    """The topic, the seller, and who processes tickets."""

    def __init__(self, cumulet: Cumulet) -> None:
        self.cumulet = cumulet
        self.sns, self.sqs, self.functions = map(cumulet.client, ("sns", "sqs", "lambda"))
        self.topic = self.sns.create_topic(Name="tickets")["TopicArn"]
        self.seller = Deployed(cumulet, "seller", SELLER, Environment={"Variables": {"TOPIC": self.topic}})

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """Return a new queue's URL and ARN."""
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def system(self, name: str, **attributes: str) -> str:
        """Return the queue with what a new system has processed; its subscription has these attributes."""
        results, _ = self.queue(f"{name}-results")
        _, arn = self.queue(name, VisibilityTimeout="60")
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        Deployed(self.cumulet, name, PROCESSOR, Environment={"Variables": {"RESULTS": results}})
        self.functions.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, BatchSize=10)
        return results

    def processed(self, results: str, count: int) -> list[int]:
        """Return the numbers of the tickets, when there are so many."""
        numbers: list[int] = []
        while len(numbers) < count:
            answer = self.sqs.receive_message(QueueUrl=results, MaxNumberOfMessages=10, WaitTimeSeconds=20)
            found = answer.get("Messages")
            assert found, f"{len(numbers)} have come"
            numbers += [json.loads(message["Body"])["number"] for message in found]
        return sorted(numbers)

    def sum(self, metric: str) -> float:
        points: list[dict[str, Any]] = self.cumulet.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SNS",
            MetricName=metric,
            Dimensions=[{"Name": "TopicName", "Value": "tickets"}],
            StartTime="2020-01-01T00:00:00Z",
            EndTime="2100-01-01T00:00:00Z",
            Period=86400 * 365,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)


def test_each_ticket_that_is_sold_is_processed_by_both_systems(cumulet: Cumulet) -> None:
    airline = Airline(cumulet)
    payment = airline.system("payment")
    policy = {"price": [{"numeric": [">=", 1000]}]}
    fraud = airline.system("fraud", FilterPolicy=json.dumps(policy), FilterPolicyScope="MessageBody")

    airline.seller.invoke(TICKETS)

    assert airline.processed(payment, 20) == list(range(20))
    assert airline.processed(fraud, 10) == list(range(10, 20))
    assert airline.sum("NumberOfMessagesPublished") == 20
    assert airline.sum("NumberOfNotificationsDelivered") == 30
    assert airline.sum("NumberOfNotificationsFilteredOut") == 10
