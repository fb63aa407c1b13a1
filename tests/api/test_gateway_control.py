"""The platform's own endpoints: health, the clock, metrics."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from raw_http import exchange, head

from cumulet import __version__
from cumulet.testing import Cumulet

DAY_MS = 86_400_000


def advance(cumulet: Cumulet, body: bytes) -> tuple[int, dict[str, Any]]:
    line = b"POST /_cumulet/clock/advance HTTP/1.1"
    answer = exchange(cumulet.url, head(line, b"Content-Length: %d" % len(body)), body)
    return answer.status, answer.json()


SERVICES = ("cloudwatch", "iam", "lambda", "logs", "sns", "sqs", "sts")


def test_health_says_what_runs_and_how(cumulet: Cumulet) -> None:
    health = cumulet.health()

    assert (health["status"], health["version"], health["degraded"]) == ("ok", __version__, [])
    assert health["services"] == dict.fromkeys(SERVICES, "available")
    assert health["lambda"]["environments"] >= 0
    assert (health["auth"], health["clock"]["name"]) == ("open", "virtual")
    assert (health["store"]["engine"], health["store"]["durability"]) == ("sqlite", "relaxed")
    assert health["uptime_seconds"] > 0
    assert datetime.fromisoformat(health["clock"]["now"])


def test_tools_that_probe_for_an_emulator_find_one_that_is_ready(cumulet: Cumulet) -> None:
    answer = exchange(cumulet.url, head(b"GET /_localstack/health HTTP/1.1"))

    assert answer.json()["services"] == dict.fromkeys(SERVICES, "running")


@pytest.mark.parametrize("path", [b"/_cumulet/", b"/_cumulet/nothing", b"/_cumulet/health/", b"/_localstack/init"])
def test_there_is_no_other_endpoint(cumulet: Cumulet, path: bytes) -> None:
    assert exchange(cumulet.url, head(b"GET " + path + b" HTTP/1.1")).status == 404


def test_an_endpoint_says_which_method_it_takes(cumulet: Cumulet) -> None:
    answer = exchange(cumulet.url, head(b"DELETE /_cumulet/clock/advance HTTP/1.1"))

    assert (answer.status, answer.headers[b"allow"]) == (405, b"POST")


def test_an_advance_moves_the_clock_by_the_sum_of_its_parts(cumulet: Cumulet) -> None:
    before_ms = cumulet.now_ms()

    status, answer = advance(cumulet, b'{"days": 1, "hours": 1, "minutes": 1.5, "seconds": 0.25, "milliseconds": 3}')

    assert status == 200
    assert answer["now_ms"] - before_ms == DAY_MS + 3_600_000 + 90_000 + 250 + 3
    assert answer["busy"] == []
    assert cumulet.now_ms() == answer["now_ms"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"1",
        b"\xff",
        b'{"weeks": 1}',
        b'{"days": "1"}',
        b'{"days": null}',
        b'{"days": -1}',
        b'{"seconds": 1, "hours": -1}',
        b'{"days": 1e400}',
        b'{"days": 1e18}',
        b'{"milliseconds": 99999999999999999999999999}',
        b'{"milliseconds": 253402300799999}',
        b"[" * 10_000,
    ],
)
def test_an_advance_that_makes_no_sense_moves_nothing(cumulet: Cumulet, body: bytes) -> None:
    before_ms = cumulet.now_ms()

    status, answer = advance(cumulet, body)

    assert status == 400
    assert answer["error"]
    assert cumulet.now_ms() == before_ms


def test_the_machines_clock_can_not_be_moved(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", clock="real") as server:
        status, answer = advance(server, b'{"days": 1}')

    assert status == 409
    assert "--clock virtual" in answer["error"]


def test_a_virtual_clock_goes_on_after_a_restart(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        server.advance(days=400)
        stopped_ms = server.now_ms()
    with Cumulet(tmp_path / "data") as server:
        assert server.now_ms() == stopped_ms


def test_what_falls_due_on_the_way_happens_before_the_advance_is_answered(cumulet: Cumulet) -> None:
    sqs = cumulet.client("sqs")
    url = sqs.create_queue(QueueName="expiring", Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]
    for _ in range(25):
        sqs.send_message(QueueUrl=url, MessageBody="x")

    cumulet.advance(minutes=2)

    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "0"


def metrics(cumulet: Cumulet, queue_name: str) -> dict[str, tuple[int, float]]:
    answer: Any = orjson.loads(exchange(cumulet.url, head(b"GET /_cumulet/metrics HTTP/1.1")).body)
    return {
        it["name"]: (it["observations"], it["total"])
        for it in answer["metrics"]
        if it["namespace"] == "AWS/SQS"
        and it["account"] == cumulet.account
        and it["dimensions"] == {"QueueName": queue_name}
    }


def test_what_happens_to_messages_is_measured_by_queue(cumulet: Cumulet) -> None:
    sqs = cumulet.client("sqs")
    url = sqs.create_queue(QueueName="measured")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="12345")
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "1234567890"} for n in range(3)])
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    sqs.receive_message(QueueUrl=url)
    entries = [{"Id": str(n), "ReceiptHandle": it["ReceiptHandle"]} for n, it in enumerate(messages)]
    sqs.delete_message_batch(QueueUrl=url, Entries=entries[:3])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[3]["ReceiptHandle"])

    measured = metrics(cumulet, "measured")

    totals = {name: total for name, (_, total) in measured.items()}
    assert totals == {
        "NumberOfMessagesSent": 4,
        "SentMessageSize": 35,
        "NumberOfMessagesReceived": 4,
        "NumberOfEmptyReceives": 1,
        "NumberOfMessagesDeleted": 4,
    }


def test_metrics_outlive_a_restart(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        sqs = server.client("sqs")
        url = sqs.create_queue(QueueName="kept")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="x")
    with Cumulet(tmp_path / "data") as server:
        assert metrics(server, "kept")["NumberOfMessagesSent"] == (1, 1)
