"""A queue and its worker, made, used, changed and removed with the AWS CLI alone."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from cumulet.testing import Cumulet

AWS = Path(sys.executable).with_name("aws")
CONFIGURATION = "[plugins]\ntail = awscli_plugin_logs_tail\n"
"""Version 1 of the CLI has `logs tail` as a plugin."""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
QUEUE_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
WORKER = """
def handler(event, context):
    for record in event.get("Records", []):
        print("packed", record["body"])
    return {"said": "%s", "records": len(event.get("Records", []))}
"""


class Terminal:
    """A folder and the variables that a user has set."""

    def __init__(self, cumulet: Cumulet, folder: Path) -> None:
        self.folder = folder
        (folder / "config").write_text(CONFIGURATION)
        self._command = [str(AWS), "--endpoint-url", cumulet.url]
        self._variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AWS_CONFIG_FILE": str(folder / "config"),
            "PYTHONUNBUFFERED": "1",
            **cumulet.environment(),
        }

    def aws(self, command: str, *arguments: str) -> Any:
        """Type a command; return what it prints, read as JSON."""
        done = subprocess.run(
            [*self._command, *command.split(), *arguments],
            cwd=self.folder,
            env=self._variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    @contextmanager
    def output(self, command: str) -> Iterator[Iterator[str]]:
        """Leave a command running and read the lines it prints, for a minute at most."""
        with subprocess.Popen(
            [*self._command, *command.split()],
            cwd=self.folder,
            env=self._variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            give_up = threading.Timer(60, process.kill)
            give_up.start()
            assert process.stdout is not None
            try:
                yield iter(process.stdout)
            finally:
                give_up.cancel()
                process.kill()

    def pack(self, version: str) -> bytes:
        """Write worker.zip; return its bytes."""
        (self.folder / "worker.py").write_text(WORKER % version)
        subprocess.run([sys.executable, "-m", "zipfile", "-c", "worker.zip", "worker.py"], cwd=self.folder, check=True)
        return (self.folder / "worker.zip").read_bytes()


def test_a_queue_and_its_worker_live_and_end_with_the_command_line(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", clock="real") as cumulet:
        terminal = Terminal(cumulet, tmp_path)
        aws = terminal.aws

        # A role, as functions have one.
        (tmp_path / "trust.json").write_text(json.dumps(TRUST))
        aws("iam create-role --role-name worker --assume-role-policy-document file://trust.json")
        aws("iam attach-role-policy --role-name worker --policy-arn", QUEUE_POLICY)
        role = aws("iam get-role --role-name worker")["Role"]
        attached = aws("iam list-attached-role-policies --role-name worker --query AttachedPolicies[].PolicyArn")
        assert (role["AssumeRolePolicyDocument"], attached) == (TRUST, [QUEUE_POLICY])

        # A function.
        package = terminal.pack("one")
        made = aws(
            "lambda create-function --function-name worker --runtime python3.11 --handler worker.handler "
            "--zip-file fileb://worker.zip --timeout 10 --environment Variables={STAGE=test} --role",
            role["Arn"],
        )
        aws("lambda wait function-active-v2 --function-name worker")
        found = aws("lambda get-function --function-name worker")
        assert made["State"] == "Pending"
        assert found["Configuration"]["State"] == "Active"
        assert found["Configuration"]["Environment"] == {"Variables": {"STAGE": "test"}}
        with urlopen(found["Code"]["Location"]) as download:
            assert download.read() == package
        assert aws("lambda list-functions --query Functions[].FunctionName") == ["worker"]

        invoke = "lambda invoke --function-name worker --log-type Tail answer.json --payload"
        answer = aws(invoke, "{}")
        assert json.loads((tmp_path / "answer.json").read_text()) == {"said": "one", "records": 0}
        assert answer["StatusCode"] == 200
        assert base64.b64decode(answer["LogResult"]).startswith(b"START RequestId: ")

        # A queue that runs it, and its log as it comes.
        queue = aws("sqs create-queue --queue-name orders --attributes VisibilityTimeout=30")["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:{cumulet.account}:orders"
        mapping = aws(
            "lambda create-event-source-mapping --function-name worker --batch-size 5 --event-source-arn", arn
        )["UUID"]
        with terminal.output("logs tail /aws/lambda/worker --follow") as lines:
            assert next(line for line in lines if "INIT_START" in line)
            aws("sqs send-message --message-body tea --queue-url", queue)
            assert next(line for line in lines if "packed tea" in line)
        listed = aws("lambda list-event-source-mappings --function-name worker")["EventSourceMappings"]
        assert [(entry["UUID"], entry["State"], entry["BatchSize"]) for entry in listed] == [(mapping, "Enabled", 5)]
        counts = aws("sqs get-queue-attributes --attribute-names All --queue-url", queue)["Attributes"]
        assert counts["ApproximateNumberOfMessages"] == "0"

        # Another version of the code.
        terminal.pack("two")
        aws("lambda update-function-code --function-name worker --zip-file fileb://worker.zip")
        aws("lambda wait function-updated-v2 --function-name worker")
        aws(invoke, "{}")
        assert json.loads((tmp_path / "answer.json").read_text())["said"] == "two"

        # The end.
        aws("lambda delete-event-source-mapping --uuid", mapping)
        aws("lambda delete-function --function-name worker")
        with pytest.raises(
            RuntimeError, match=r"\(ResourceNotFoundException\).*GetFunction.*Function not found: arn:aws"
        ):
            aws("lambda get-function --function-name worker")
        aws("iam detach-role-policy --role-name worker --policy-arn", QUEUE_POLICY)
        aws("iam delete-role --role-name worker")
