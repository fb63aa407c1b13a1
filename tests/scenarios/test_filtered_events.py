"""Events of a shop, and teams that filter: each gets its own; broken ones reach nobody who filters, and are counted."""

from __future__ import annotations

import json
from typing import Any

from cumulet.testing import Cumulet

FILTERED_OUT = "NumberOfNotificationsFilteredOut"


class Shop:
    """A topic of events, and queues of the teams that care."""

    def __init__(self, cumulet: Cumulet) -> None:
        self.cumulet = cumulet
        self.sns, self.sqs = cumulet.client("sns"), cumulet.client("sqs")
        self.topic = self.sns.create_topic(Name="events")["TopicArn"]

    def team(self, name: str, policy: dict[str, Any] | None = None, scope: str = "MessageAttributes") -> str:
        """Return a queue that gets what a filter policy lets through."""
        url: str = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        attributes = {"RawMessageDelivery": "true"}
        if policy is not None:
            attributes |= {"FilterPolicy": json.dumps(policy), "FilterPolicyScope": scope}
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return url

    def tell(self, text: str, **attributes: str) -> None:
        """Publish an event; an attribute whose name begins with `list_` is an array."""
        given = {
            name.removeprefix("list_"): {
                "DataType": "String.Array" if name.startswith("list_") else "String",
                "StringValue": value,
            }
            for name, value in attributes.items()
        }
        self.sns.publish(TopicArn=self.topic, Message=text, MessageAttributes=given)

    def heard(self, queue: str) -> list[str]:
        """Receive what is in a queue."""
        texts: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            texts += [message["Body"] for message in messages]
        return sorted(texts)

    def counted(self, name: str) -> float:
        answer = self.cumulet.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SNS",
            MetricName=name,
            Dimensions=[{"Name": "TopicName", "Value": "events"}],
            StartTime="2020-01-01T00:00:00Z",
            EndTime="2100-01-01T00:00:00Z",
            Period=86400 * 365,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])


def test_each_team_gets_its_own_events_and_broken_ones_are_counted(cumulet: Cumulet) -> None:
    shop = Shop(cumulet)
    everything = shop.team("everything")
    sales = shop.team("sales", {"kind": ["sale"], "tags": [{"exists": True}]})
    returns = shop.team("returns", {"kind": [{"anything-but": ["sale"]}]})
    large = shop.team("large", {"total": [{"numeric": [">", 100]}]}, "MessageBody")

    shop.tell('{"total": 700}', kind="sale", list_tags='["new"]')
    shop.tell('{"total": 20}', kind="return")
    shop.tell('{"total": 800}', kind="return", list_tags="new, large")  # no JSON
    shop.tell("no JSON", kind="sale", list_tags="[]")
    shop.tell('{"total": 30}')

    assert len(shop.heard(everything)) == 5
    assert shop.heard(sales) == ['{"total": 700}']
    assert shop.heard(returns) == ['{"total": 20}']
    assert shop.heard(large) == ['{"total": 700}', '{"total": 800}']
    assert shop.counted(f"{FILTERED_OUT}-InvalidAttributes") == 2
    assert shop.counted(f"{FILTERED_OUT}-NoMessageAttributes") == 2
    assert shop.counted(f"{FILTERED_OUT}-MessageAttributes") == 4
    assert shop.counted(f"{FILTERED_OUT}-InvalidMessageBody") == 1
    assert shop.counted(f"{FILTERED_OUT}-MessageBody") == 2
    assert shop.counted(FILTERED_OUT) == 6
    assert shop.counted("NumberOfNotificationsDelivered") == 9
    assert shop.counted("NumberOfMessagesPublished") == 5
