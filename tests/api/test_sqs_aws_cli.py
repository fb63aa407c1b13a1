"""SQS through the real AWS CLI; each invocation starts a process, so a few have to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqs_queues import Queue, Queues

from cumulet.testing import Cumulet

AWS = Path(sys.executable).with_name("aws")


def aws(cumulet: Cumulet, *arguments: str) -> Any:
    """Run one `aws` command and return its JSON; CLI version 1 wants the endpoint said."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(cumulet.folder), **cumulet.environment()}
    command = [str(AWS), "--endpoint-url", cumulet.url, "--output", "json", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_queue_is_created_from_a_file_of_attributes(cumulet: Cumulet, tmp_path: Path) -> None:
    attributes = tmp_path / "attributes.json"
    attributes.write_text(json.dumps({"FifoQueue": "true", "ContentBasedDeduplication": "true"}))

    made = aws(cumulet, "sqs", "create-queue", "--queue-name", "q.fifo", "--attributes", f"file://{attributes}")

    queue = Queue(cumulet.client("sqs"), made["QueueUrl"])
    assert queue.attribute("ContentBasedDeduplication") == "true"


def test_message_goes_through_the_command_line(cumulet: Cumulet, queue: Queue) -> None:
    attribute = '{"city":{"DataType":"String","StringValue":"Anywhere"}}'

    sent = aws(
        cumulet,
        "sqs",
        "send-message",
        "--queue-url",
        queue.url,
        "--message-body",
        "ünï",
        "--message-attributes",
        attribute,
    )
    received = aws(cumulet, "sqs", "receive-message", "--queue-url", queue.url, "--message-attribute-names", "All")

    [message] = received["Messages"]
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "ünï")
    assert message["MessageAttributes"]["city"]["StringValue"] == "Anywhere"
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]


def test_list_is_paged_by_the_command_line(cumulet: Cumulet, queues: Queues) -> None:
    made = [queues.standard(f"q{number}").url for number in range(5)]

    listed = aws(cumulet, "sqs", "list-queues", "--page-size", "2")

    assert listed["QueueUrls"] == made


def test_purge_says_why_it_is_refused(cumulet: Cumulet, queue: Queue) -> None:
    queue.sqs.purge_queue(QueueUrl=queue.url)

    with pytest.raises(RuntimeError, match=r"\(AWS.SimpleQueueService.PurgeQueueInProgress\).*PurgeQueue operation"):
        aws(cumulet, "sqs", "purge-queue", "--queue-url", queue.url)


def test_caller_identity_is_the_account(cumulet: Cumulet) -> None:
    assert aws(cumulet, "sts", "get-caller-identity")["Account"] == cumulet.account
