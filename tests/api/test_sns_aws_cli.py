"""SNS through the real AWS CLI; each invocation starts a process, so a few have to do."""

from __future__ import annotations

import json

import pytest
from sqs_queues import Queues
from test_sqs_aws_cli import aws

from cumulet.testing import Cumulet

CLAIM = '{ "claim_type": "collision", "registration": "AB123CDE" }'


def test_claim_reaches_a_queue_by_the_command_line(cumulet: Cumulet) -> None:
    queue = Queues(cumulet).fifo("AutoInsuranceClaimsQueue.fifo")
    attributes = "FifoTopic=true,ContentBasedDeduplication=true,DisplayName=Auto Insurance Claims Topic"

    created = aws(cumulet, "sns", "create-topic", "--name", "AutoInsuranceClaimsTopic.fifo", "--attributes", attributes)
    topic = ("--topic-arn", created["TopicArn"])
    aws(cumulet, "sns", "subscribe", *topic, "--protocol", "sqs", "--notification-endpoint", queue.arn)
    published = aws(cumulet, "sns", "publish", *topic, "--message", CLAIM, "--message-group-id", "group1")
    shown = aws(cumulet, "sns", "get-topic-attributes", *topic)["Attributes"]

    [received] = queue.receive(1)
    envelope = json.loads(received["Body"])
    assert (envelope["Message"], envelope["MessageId"]) == (CLAIM, published["MessageId"])
    assert (shown["DisplayName"], shown["SubscriptionsConfirmed"]) == ("Auto Insurance Claims Topic", "1")


def test_error_of_the_command_line_has_the_words_of_the_service(cumulet: Cumulet) -> None:
    topic = aws(cumulet, "sns", "create-topic", "--name", "t", "--tags", "Key=a,Value=1")["TopicArn"]
    archive = ("--attribute-name", "ArchivePolicy", "--attribute-value", '{"MessageRetentionPeriod":"30"}')

    with pytest.raises(RuntimeError, match="Invalid parameter: AttributeName"):
        aws(cumulet, "sns", "set-topic-attributes", "--topic-arn", topic, *archive)
