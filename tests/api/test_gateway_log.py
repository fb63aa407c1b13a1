"""What the server writes while it serves."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from botocore.exceptions import ClientError
from lambda_functions import create
from raw_http import LIST_QUEUES, RawConnection, exchange, form, head, json

from cumulet.gateway.body import MOST_BODY_BYTES
from cumulet.kernel.clock import MACHINE
from cumulet.testing import Cumulet


def lines(server: Cumulet) -> list[dict[str, object]]:
    """Return the log lines of a server that has ended."""
    return [orjson.loads(line) for line in server.log.read_bytes().splitlines() if line.startswith(b"{")]


def test_each_request_is_one_json_line(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        sqs = server.client("sqs", account="111122223333")
        answer = sqs.create_queue(QueueName="orders")
        with pytest.raises(ClientError):
            sqs.get_queue_url(QueueName="nothing")
        exchange(server.url, head(b"GET /_cumulet/health HTTP/1.1"))

    created, refused = lines(server)
    assert {"service": "sqs", "operation": "CreateQueue", "status": 200, "account": "111122223333"}.items() <= (
        created.items()
    )
    assert created["request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert isinstance(created["ms"], float)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(created["time"]))
    assert (refused["operation"], refused["status"]) == ("GetQueueUrl", 400)


def test_what_is_told_without_a_failure_of_the_platform_has_no_error(tmp_path: Path) -> None:
    nobody = {"OnSuccess": {"Destination": "arn:aws:sns:us-east-1:000000000000:nobody"}}
    with Cumulet(tmp_path / "data") as server:
        name = create(server)["FunctionName"]
        functions = server.client("lambda")
        functions.put_function_event_invoke_config(FunctionName=name, DestinationConfig=nobody)
        functions.invoke(FunctionName=name, InvocationType="Event", Payload="{}")
        server.advance(seconds=0)

    [line] = [line for line in lines(server) if "message" in line]
    assert "could not be sent" in str(line["message"])
    assert set(line) == {"time", "message"}


def test_refused_requests_say_what_they_asked_for(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        with pytest.raises(ClientError):
            server.client("dynamodb").list_tables()
        exchange(server.url, json(b'Make"Coffee\\', b"{}"))
        exchange(server.url, head(b"POST / HTTP/1.1", b"Content-Length: %d" % (MOST_BODY_BYTES + 1)))
        exchange(server.url, head(b"GET / HTTP/1.1"))

    assert [(it["service"], it["operation"], it["status"]) for it in lines(server)] == [
        ("DynamoDB_20120810", "ListTables", 501),
        ("sqs", "Make?Coffee?", 404),
        ("-", "-", 413),
        ("-", "-", 404),
    ]


def test_a_log_that_nobody_reads_any_more_does_not_stop_the_server(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cumulet", "start", "--port", "0", "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        found = re.search(rb"http://\S+", process.stderr.readline())
        assert found
        process.stderr.close()
        url = found[0].decode()
        statuses = []
        with RawConnection(url) as connection:
            for _ in range(3):
                statuses.append(connection.send(form(LIST_QUEUES)).answer().status)
                MACHINE.pause(0.15)
        process.terminate()
        code = process.wait(5)

    assert (statuses, code) == ([200, 200, 200], 0)


def test_a_terminal_shows_lines_for_people(tmp_path: Path) -> None:
    terminal, side = pty.openpty()
    command = [sys.executable, "-m", "cumulet", "start", "--port", "0", "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, stderr=side, stdout=side, stdin=subprocess.DEVNULL) as process:
        os.close(side)
        shown = b""
        while b"AWS_DEFAULT_REGION" not in shown:
            shown += os.read(terminal, 4096)
        found = re.search(rb"http://\S+", shown)
        assert found
        url = found[0].decode()
        exchange(url, form(LIST_QUEUES))
        exchange(url, form(b"Action=Nonsense&Version=2012-11-05"))
        while b"Nonsense" not in shown:
            shown += os.read(terminal, 4096)
        process.terminate()
        assert process.wait(5) == 0
    os.close(terminal)

    text = shown.decode()
    assert re.search(r"\d\d:\d\d:\d\d\.\d{3}  \x1b\[32m200\x1b\[0m  sqs\.ListQueues +\d+\.\d\d ms", text)
    assert re.search(r"\x1b\[33m400\x1b\[0m  sqs\.Nonsense", text)
    assert "request_id" not in text
