"""SQS messages through boto3."""

from __future__ import annotations

from cumulet.testing import Cumulet


def test_sent_message_is_received_once_and_gone_after_delete(cumulet: Cumulet) -> None:
    sqs = cumulet.client("sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sent = sqs.send_message(QueueUrl=url, MessageBody="one")

    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "one")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)

    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    cumulet.advance(days=1)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
