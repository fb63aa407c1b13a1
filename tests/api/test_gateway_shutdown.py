"""How a server ends."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from raw_http import LIST_QUEUES, Closed, RawConnection, form, head, json

from cumulet.kernel.clock import MACHINE
from cumulet.testing import Cumulet

STOP_SECONDS = 5


def end(server: Cumulet, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
    """Send a signal; return the exit code and the seconds it took."""
    assert server.process is not None
    started = MACHINE.monotonic()
    server.process.send_signal(number)
    return server.process.wait(2 * STOP_SECONDS), MACHINE.monotonic() - started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with Cumulet(tmp_path / "data") as server:
        server.client("sqs").create_queue(QueueName="orders")

        code, seconds = end(server, number)

        assert code == 0
        assert seconds < STOP_SECONDS
        assert "Traceback" not in server.log.read_text()


def test_waiting_long_polls_are_answered_empty_at_once(tmp_path: Path) -> None:
    answers: list[dict[str, Any]] = []
    with Cumulet(tmp_path / "data") as server:
        sqs = server.client("sqs", max_pool_connections=20)
        url = sqs.create_queue(QueueName="quiet")["QueueUrl"]

        def poll() -> None:
            answers.append(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20))

        threads = [threading.Thread(target=poll) for _ in range(20)]
        for thread in threads:
            thread.start()
        MACHINE.pause(0.5)

        code, seconds = end(server)
        for thread in threads:
            thread.join()

    assert [(it["ResponseMetadata"]["HTTPStatusCode"], "Messages" in it) for it in answers] == [(200, False)] * 20
    assert (code, seconds < 2) == (0, True)


def test_requests_in_flight_finish(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", durability="full") as server:
        sqs = server.client("sqs")
        url = sqs.create_queue(QueueName="busy")["QueueUrl"]
        request = json(b"SendMessage", b'{"QueueUrl": "%s", "MessageBody": "x"}' % url.encode())
        with RawConnection(server.url) as connection, RawConnection(server.url) as late:
            late.send(request[:-1])
            connection.send(request * 50)
            assert connection.answer().status == 200  # the server is at it
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            MACHINE.pause(0.2)
            acknowledged = 1 + (late.send(request[-1:]).answer().status == 200)
            try:
                while connection.answer().status == 200:
                    acknowledged += 1
            except Closed as closed:
                assert closed.args[0] == b""
            code = server.process.wait(STOP_SECONDS)

    assert code == 0
    with Cumulet(tmp_path / "data") as server:
        attributes = server.client("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        assert int(attributes["ApproximateNumberOfMessages"]) == acknowledged


def test_connections_that_say_nothing_or_never_finish_do_not_hold_the_server_up(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        with (
            RawConnection(server.url) as silent,
            RawConnection(server.url) as idle,
            RawConnection(server.url) as half_head,
            RawConnection(server.url) as half_body,
        ):
            idle.send(form(LIST_QUEUES)).answer()
            half_head.send(head(b"POST / HTTP/1.1")[:-2])
            half_body.send(form(LIST_QUEUES)[:-1])
            MACHINE.pause(0.1)

            code, seconds = end(server)

            assert silent.is_closed_by_server()
            assert half_body.answer().status == 408

        assert (code, seconds < STOP_SECONDS) == (0, True)
        assert "Traceback" not in server.log.read_text()
