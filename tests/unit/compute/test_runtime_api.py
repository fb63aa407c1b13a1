"""The Runtime API as a runtime of any language meets it: raw requests from within a function."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rig import Rig, SharedRig, run, until

RAW = '''
import os, re, socket
HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
def handler(event, context):
    """Send each text on a connection of its own, and return the status lines and bodies of the answers."""
    answers = []
    for text in event["send"]:
        with socket.create_connection((HOST, int(PORT)), 5) as connection:
            for part in text.replace("ID", context.aws_request_id).split("|"):
                connection.sendall(part.encode("latin-1"))
            received = b""
            while received.count(b"HTTP/1.1") < event.get("answers", 1) or not complete(received):
                data = connection.recv(65536)
                if not data:
                    break
                received += data
            answers.append(received.decode("latin-1"))
    return answers
def complete(received):
    head, _, body = received.rpartition(b"\\r\\n\\r\\n")
    length = re.findall(rb"content-length: (\\d+)", head.lower())
    return bool(length) and len(body) >= int(length[-1])
'''
PATH = "/2018-06-01/runtime"


def post(path: str, body: str = "{}", headers: str = "") -> str:
    return f"POST {PATH}{path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n{headers}\r\n{body}"


def get(path: str) -> str:
    return f"GET {PATH}{path} HTTP/1.1\r\nhost: x\r\n\r\n"


def parse(answer: str) -> tuple[int, Any]:
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), json.loads(body) if body else None


def error(error_type: str, message: str) -> dict[str, str]:
    return {"errorMessage": message, "errorType": error_type}


REFUSALS = {
    "the answer to another event": (
        post("/invocation/other/response"),
        400,
        error("InvalidRequestID", "Invalid request ID"),
    ),
    "the error of another event": (
        post("/invocation/other/error"),
        400,
        error("InvalidRequestID", "Invalid request ID"),
    ),
    "an init error after the init": (
        post("/init/error"),
        403,
        error(
            "InvalidStateTransition",
            "State transition from Running to InitError failed for runtime. Error: State transition is not allowed",
        ),
    ),
    "an error that is too large": (
        post("/invocation/ID/error", "x" * 6_291_557),
        413,
        error("RequestEntityTooLarge", "Exceeded maximum allowed payload size (6291556 bytes)."),
    ),
    "nothing that exists": (get("/nothing"), 404, error("NotFound", "404 page not found")),
    "another version": ("GET /2015/x HTTP/1.1\r\n\r\n", 404, error("NotFound", "404 page not found")),
    "an answer to be got": (get("/invocation/ID/response"), 405, error("MethodNotAllowed", "Method not allowed")),
    "an event to be posted": (post("/invocation/next"), 405, error("MethodNotAllowed", "Method not allowed")),
    "no HTTP": ("hello\r\n\r\n", 400, None),
    "a wish for another protocol": (
        "GET /2015/x HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        404,
        error("NotFound", "404 page not found"),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_makes_no_sense_is_refused_and_changes_nothing(shared_rig: SharedRig, name: str) -> None:
    text, status, body = REFUSALS[name]

    async def test(rig: Rig) -> None:
        function = rig.function(RAW, timeout_seconds=10, memory_mb=512)

        first, second = await rig.result(function, {"send": [text, text]})

        assert parse(first) == (status, body)
        assert parse(second) == (status, body)
        assert await rig.result(function, {"send": []}) == []

    shared_rig.run(test)


ANSWERS = {
    "whole": post("/invocation/ID/response", '{"raw": 1}'),
    "in chunks": f"POST {PATH}/invocation/ID/response HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
    '4|\r\n{"ra\r\n6\r\nw": |1}\r\n0\r\n\r\n',
    "with a question before": f"POST {PATH}/invocation/ID/response HTTP/1.1\r\ncontent-length: 10\r\n"
    'expect: 100-continue\r\n\r\n|{"raw": 1}',
    "with a wish for another protocol": post(
        "/invocation/ID/response", '{"raw": 1}', "connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    ),
    "in pieces": "ID".join("|".join(part) for part in post("/invocation/ID/response", '{"raw": 1}').split("ID")),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_in_any_form_of_http_counts_and_a_second_one_does_not(shared_rig: SharedRig, name: str) -> None:
    """Here the runtime's own answer is the second; awslambdaric ends then."""

    async def test(rig: Rig) -> None:
        function = rig.function(RAW, timeout_seconds=10)

        outcome = await rig.invoke(function, {"send": [ANSWERS[name]]})

        assert outcome.error is None
        assert outcome.payload == b'{"raw": 1}'
        assert await rig.result(function, {"send": []}) == []

    shared_rig.run(test)


def test_two_answers_in_a_row_are_accepted_and_refused(tmp_path: Path) -> None:
    code = RAW.replace("return answers", "print(*' '.join(answers).split())")

    async def test(rig: Rig) -> None:
        function = rig.function(code, timeout_seconds=10)
        both = post("/invocation/ID/response", "1") + post("/invocation/ID/response", "2")

        outcome = await rig.invoke(function, {"send": [both], "answers": 2})

        assert outcome.payload == b"1"
        await until(lambda: "InvalidStateTransition" in rig.logs.text)
        (line,) = [message for message in rig.logs.messages if message.startswith("HTTP/1.1 202 Accepted")]
        assert '{"status":"OK"}' in line
        assert "HTTP/1.1 403 Forbidden" in line
        assert "from ResponseSent to InvocationResponse failed" in line

    run(tmp_path, test)


def test_an_error_may_be_answered_with_its_type(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(RAW, timeout_seconds=10)
        text = post("/invocation/ID/error", '{"errorType":"Mine"}', "lambda-runtime-function-error-type: Mine\r\n")

        outcome = await rig.invoke(function, {"send": [text]})

        assert outcome.error == "Unhandled"
        assert outcome.payload == b'{"errorType":"Mine"}'

    run(tmp_path, test)


def test_what_is_no_json_is_passed_on_as_it_is(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(RAW, timeout_seconds=10)

        outcome = await rig.invoke(function, {"send": [post("/invocation/ID/response", "no {json")]})

        assert outcome.error is None
        assert outcome.payload == b"no {json"

    run(tmp_path, test)


def test_a_runtime_that_asks_again_gets_the_same_event_again(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(RAW, timeout_seconds=10)
        event = {"send": [get("/invocation/next"), get("/invocation/next")]}

        first, second = await rig.result(function, event)

        assert first.endswith(json.dumps(event))
        assert second == first

    run(tmp_path, test)


def test_connections_beyond_what_a_runtime_needs_are_closed(tmp_path: Path) -> None:
    code = """
import os, socket
HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
def handler(event, context):
    connections = [socket.create_connection((HOST, int(PORT)), 5) for _ in range(100)]
    return sum(connection.recv(1) == b"" for connection in connections[50:])
"""

    async def test(rig: Rig) -> None:
        function = rig.function(code, timeout_seconds=10)

        assert await rig.result(function) == 50
        assert await rig.result(function) == 50

    run(tmp_path, test)


@pytest.mark.parametrize("part", ["GET /", "GET /x HTTP/1.1\r\nlong: "])
def test_a_head_without_an_end_is_broken_off(shared_rig: SharedRig, part: str) -> None:
    code = """
import os, socket
HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
def handler(event, context):
    connection = socket.create_connection((HOST, int(PORT)), 5)
    connection.sendall(event.encode())
    try:
        for _ in range(100):
            connection.sendall(b"x" * 1_000_000)
        return "sent"
    except OSError:
        return "broken off"
"""

    async def test(rig: Rig) -> None:
        assert await rig.result(rig.function(code, timeout_seconds=10), part) == "broken off"

    shared_rig.run(test)


def test_many_wishes_for_another_protocol_do_no_harm(shared_rig: SharedRig) -> None:
    code = """
import os, socket
HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
def handler(event, context):
    connection = socket.create_connection((HOST, int(PORT)), 5)
    connection.sendall(b"GET /x HTTP/1.1\\r\\nconnection: upgrade\\r\\nupgrade: x\\r\\n\\r\\n" * event)
    received = b""
    while received.count(b"404 Not Found") < event and (data := connection.recv(1_000_000)):
        received += data
    return received.count(b"404 Not Found")
"""

    async def test(rig: Rig) -> None:
        assert await rig.result(rig.function(code, timeout_seconds=10), 500) == 500

    shared_rig.run(test)
