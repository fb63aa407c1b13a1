"""Answers that a runtime streams: in pieces to whoever wants them so, gathered for others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from rig import Rig, SharedRig, run, until

BOOTSTRAP = """
import base64, http.client, json, os, sys, time
API = os.environ["AWS_LAMBDA_RUNTIME_API"]
def next_event():
    connection = http.client.HTTPConnection(API)
    connection.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = connection.getresponse()
    return answer.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(answer.read())
def respond(request_id, chunks, trailers=(), mode="streaming", end=True):
    connection = http.client.HTTPConnection(API)
    connection.putrequest("POST", f"/2018-06-01/runtime/invocation/{request_id}/response")
    connection.putheader("Lambda-Runtime-Function-Response-Mode", mode)
    connection.putheader("Content-Type", "text/marked")
    connection.putheader("Transfer-Encoding", "chunked")
    if trailers:
        connection.putheader("Trailer", ", ".join(dict(trailers)))
    connection.endheaders()
    for chunk in chunks:
        connection.send(b"%x\\r\\n%b\\r\\n" % (len(chunk), chunk))
    if not end:
        connection.sock.close()
        return None
    tail = "".join(f"{name}: {value}\\r\\n" for name, value in trailers)
    connection.send(b"0\\r\\n" + tail.encode() + b"\\r\\n")
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())
"""
"""A runtime in the package's module: its import never ends."""


class Taker:
    """Takes a streamed answer."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.chunks: list[bytes] = []

    def on_response_start(self, content_type: str) -> None:
        self.started.append(content_type)

    def on_chunk(self, chunk: bytes) -> None:
        self.chunks.append(chunk)


def streaming(code: str) -> str:
    return BOOTSTRAP + "while True:\n    request_id, event = next_event()\n    " + code.replace("\n", "\n    ")


def test_chunks_come_as_they_are_sent(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        code = streaming(
            'def parts():\n    yield b"one"\n    time.sleep(0.3)\n    yield b"two"\nrespond(request_id, parts())'
        )
        taker, times = Taker(), []

        def take(chunk: bytes) -> None:
            taker.on_chunk(chunk)
            times.append(asyncio.get_running_loop().time())

        invocation = rig.invocation(1, on_chunk=take, on_response_start=taker.on_response_start)
        outcome = await rig.compute.invoke(rig.function(code), invocation)

        assert (taker.started, taker.chunks) == (["text/marked"], [b"one", b"two"])
        assert times[1] - times[0] > 0.2
        assert (outcome.payload, outcome.error) == (b"", None)

    shared_rig.run(test)


def test_a_streamed_answer_is_gathered_where_nobody_takes_it(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(streaming('print(respond(request_id, [b"[1,", b"2]"]))'))

        assert await rig.result(function) == [1, 2]
        assert await rig.result(function) == [1, 2]

        assert "(202, {'status': 'OK'})\n" in rig.logs.messages

    shared_rig.run(test)


def test_an_answer_that_is_not_streamed_comes_whole(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        taker = Taker()
        function = rig.function("def handler(event, context):\n    return 5")

        outcome = await rig.compute.invoke(
            function, rig.invocation(1, on_chunk=taker.on_chunk, on_response_start=taker.on_response_start)
        )

        assert (outcome.payload, taker.started, taker.chunks) == (b"5", [], [])

    shared_rig.run(test)


def test_an_error_in_the_trailers_fails_the_invocation(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        code = streaming("""body = base64.b64encode(json.dumps({"errorType": "Late", "errorMessage": "oh"}).encode()).decode()
names = "Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"
respond(request_id, [b"half"], list(zip(names, ("Runtime.Late", body))))""")
        taker = Taker()

        outcome = await rig.compute.invoke(rig.function(code), rig.invocation(1, on_chunk=taker.on_chunk))

        assert taker.chunks == [b"half"]
        assert outcome.error == "Unhandled"
        assert json.loads(outcome.payload) == {"errorType": "Late", "errorMessage": "oh"}

    shared_rig.run(test)


def test_an_answer_that_breaks_off_is_an_error(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        taker = Taker()
        function = rig.function(streaming('respond(request_id, [b"half"], end=False)'))

        outcome = await rig.compute.invoke(function, rig.invocation(1, on_chunk=taker.on_chunk))

        assert taker.chunks == [b"half"]
        assert json.loads(outcome.payload)["errorType"] == "Runtime.TruncatedResponse"

    shared_rig.run(test)


@pytest.mark.parametrize("way", ["import os; os._exit(1)", "time.sleep(9)"])
def test_a_runtime_that_ends_while_it_streams_fails_the_invocation(shared_rig: SharedRig, way: str) -> None:
    async def test(rig: Rig) -> None:
        taker = Taker()
        code = streaming(
            f'def parts():\n    yield b"half"\n    time.sleep(0.1)\n    {way}\nrespond(request_id, parts())'
        )

        outcome = await rig.compute.invoke(
            rig.function(code, timeout_seconds=1), rig.invocation(1, on_chunk=taker.on_chunk)
        )

        assert taker.chunks == [b"half"]
        assert outcome.error == "Unhandled"
        assert json.loads(outcome.payload)["errorType"] in ("Runtime.ExitError", "Sandbox.Timedout")

    shared_rig.run(test)


def test_whoever_takes_slowly_holds_the_function_up(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        taken, may_go_on = [], asyncio.Event()

        async def take(chunk: bytes) -> None:
            taken.append(len(chunk))
            await may_go_on.wait()

        code = streaming("""count = 0
def parts():
    global count
    for count in range(160):
        print("sent", count)
        yield bytes(100_000)
respond(request_id, parts())""")
        running = asyncio.ensure_future(
            rig.compute.invoke(rig.function(code, timeout_seconds=20), rig.invocation(1, on_chunk=take))
        )
        await until(lambda: taken)
        await asyncio.sleep(0.5)  # long enough for all, if nothing held it up
        assert len(taken) == 1
        assert "sent 150\n" not in rig.logs.messages
        may_go_on.set()

        outcome = await running

        assert outcome.error is None
        assert sum(taken) == 16_000_000

    run(tmp_path, test)


def test_a_taker_that_fails_does_not_fail_the_function(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        async def take(chunk: bytes) -> None:
            raise ConnectionResetError

        function = rig.function(streaming('respond(request_id, [b"a", b"b"])'))

        outcome = await rig.compute.invoke(function, rig.invocation(1, on_chunk=take))

        assert outcome.error is None

    shared_rig.run(test)


@pytest.mark.parametrize(("is_taken", "megabytes"), [(True, 21), (False, 7)])
def test_more_than_may_be_streamed_is_an_error(shared_rig: SharedRig, is_taken: bool, megabytes: int) -> None:
    async def test(rig: Rig) -> None:
        more: dict[str, Any] = {"on_chunk": Taker().on_chunk} if is_taken else {}
        code = streaming(f"respond(request_id, (bytes(1024 * 1024) for _ in range({megabytes})))")

        outcome = await rig.compute.invoke(rig.function(code, timeout_seconds=20), rig.invocation(1, **more))

        assert outcome.error == "Unhandled"
        assert json.loads(outcome.payload)["errorType"] == "Function.ResponseSizeTooLarge"

    shared_rig.run(test)


def test_an_unknown_mode_is_refused(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(
            streaming('print(respond(request_id, [b"1"], mode="other"))\nrespond(request_id, [b"2"])')
        )

        assert await rig.result(function) == 2

        [refusal] = [line for line in rig.logs.messages if line.startswith("(4")]
        assert refusal.startswith("(400, {'errorMessage': 'Invalid function response mode'")

    shared_rig.run(test)
