"""Payments through a FIFO topic: senders repeat themselves, and each customer's payments are booked once, in order."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from typing import Any

from cumulet.testing import Cumulet

CUSTOMERS = 10
MESSAGES, DUPLICATES = 1000, 100
FIFO = {"FifoQueue": "true"}


class Payments:
    """A FIFO topic, a ledger that is a FIFO queue, and an archive that is a standard one."""

    def __init__(self, cumulet: Cumulet) -> None:
        self.sns, self.sqs = cumulet.client("sns"), cumulet.client("sqs")
        self.topic = self.sns.create_topic(Name="payments.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
        self.ledger = self.listener("ledger.fifo", FIFO)
        self.archive = self.listener("archive", {})

    def listener(self, name: str, attributes: dict[str, str]) -> str:
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        raw = {"RawMessageDelivery": "true"}
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
        return url

    def publish(self, payments: list[dict[str, Any]]) -> list[str]:
        """Publish ten at a time; return the sequence numbers."""
        numbers = []
        for first in range(0, len(payments), 10):
            entries = [
                {
                    "Id": str(place),
                    "Message": json.dumps(payment),
                    "MessageGroupId": f"customer-{payment['customer']}",
                    "MessageDeduplicationId": f"payment-{payment['number']}",
                }
                for place, payment in enumerate(payments[first : first + 10])
            ]
            answer = self.sns.publish_batch(TopicArn=self.topic, PublishBatchRequestEntries=entries)
            assert len(answer["Successful"]) == len(entries)
            numbers += [entry["SequenceNumber"] for entry in answer["Successful"]]
        return numbers

    def held(self, queue: str) -> int:
        name = "ApproximateNumberOfMessages"
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def booked(self, queue: str) -> list[dict[str, Any]]:
        """Receive and delete all that is in a queue."""
        payments = []
        while messages := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            entries = [{"Id": str(n), "ReceiptHandle": found["ReceiptHandle"]} for n, found in enumerate(messages)]
            self.sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
            payments += [json.loads(found["Body"]) for found in messages]
        return payments


def test_each_payment_is_booked_once_in_its_customers_order(cumulet: Cumulet) -> None:
    shop = Payments(cumulet)
    chance = random.Random(23)
    payments = [{"number": n, "customer": chance.randrange(CUSTOMERS)} for n in range(MESSAGES - DUPLICATES)]
    sent = list(payments)
    for place in sorted(chance.sample(range(1, len(sent)), DUPLICATES), reverse=True):
        sent.insert(place, sent[chance.randrange(place)])  # one that was sent before
    assert len(sent) == MESSAGES

    numbers = shop.publish(sent)

    ledger = shop.booked(shop.ledger)
    assert sorted(payment["number"] for payment in ledger) == list(range(MESSAGES - DUPLICATES))
    assert shop.held(shop.archive) == MESSAGES - DUPLICATES
    by_customer = defaultdict(list)
    for payment in ledger:
        by_customer[payment["customer"]].append(payment["number"])
    assert len(by_customer) == CUSTOMERS
    assert all(booked == sorted(booked) for booked in by_customer.values())
    assert len(set(numbers)) == MESSAGES - DUPLICATES
