"""Resets: what stays of an environment in which something went wrong, and what begins anew."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from extension_rig import LOOP, extension, layer, notes
from rig import ARN, Rig, kill, processes_with, run, until

KEEPER = """
import ctypes, os, sys, time
count = 0
def handler(event, context):
    global count
    count += 1
    with open("/tmp/seen", "a") as file:
        file.write(".")
    if event == "crash":
        os._exit(1)
    if event == "sleep":
        time.sleep(60)
    if event == "bomb":
        kept = bytearray(b"x") * 400_000_000
    if event == "leave":
        os.fork() or [os.setsid(), os.fork() and os._exit(0), time.sleep(500)]
        os._exit(1)
    return [context.log_stream_name, len(open("/tmp/seen").read()), count]
"""
BEGINS_BADLY = """
import os, time
open("/tmp/begun", "a").write(".")
begun = len(open("/tmp/begun").read())
if begun <= 3:
    raise ValueError(f"attempt {begun}")
def handler(event, context):
    return [context.log_stream_name, begun]
"""


def streams(rig: Rig) -> set[str]:
    return {stream for _, _, _, stream, _ in rig.logs.writes}


@pytest.mark.parametrize("how", ["crash", "sleep", "bomb", "leave"])
def test_after_a_reset_the_log_stream_and_tmp_are_the_same_and_the_runtime_is_a_new_one(
    tmp_path: Path, how: str
) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(KEEPER, timeout_seconds=2)
        stream, *_ = await rig.result(function)

        for seen in (2, 4):
            assert (await rig.invoke(function, how)).error == "Unhandled"
            assert await rig.result(function) == [stream, seen + 1, 1]

        assert streams(rig) == {stream}
        assert rig.compute.environments(ARN) == 1
        assert rig.logs.text.count("INIT_START") == 1
        assert "INIT_REPORT" not in rig.logs.text

    run(tmp_path, test)


def test_the_init_after_a_reset_is_part_of_the_invocation(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        code = "import os, time\ntime.sleep(0.3)\ndef handler(event, context): event and os._exit(1)"
        function = rig.function(code)
        first = await rig.invoke(function, "crash")

        second = await rig.invoke(function)

        assert first.init_ms is not None
        assert second.init_ms is None
        assert second.duration_ms > 300
        first_report, second_report = (line for line in rig.logs.messages if line.startswith("REPORT"))
        assert "Init Duration" in first_report
        assert "Init Duration" not in second_report
        assert float(re.findall(r"\tDuration: ([\d.]+) ms", second_report)[0]) > 300
        assert "Billed Duration: 3" in second_report

    run(tmp_path, test)


def test_the_init_after_a_reset_keeps_to_the_functions_timeout(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        code = (
            "import os, time\nif os.path.exists('/tmp/slow'): time.sleep(60)\n"
            "def handler(event, context): open('/tmp/slow', 'w'); os._exit(1)"
        )
        function = rig.function(code, timeout_seconds=1)
        await rig.invoke(function)
        rig.logs.writes.clear()

        outcome = await rig.invoke(function)

        assert json.loads(outcome.payload)["errorType"] == "Sandbox.Timedout"
        assert re.search(r"INIT_REPORT Init Duration: 1\d\d\d.\d\d ms\tPhase: invoke\tStatus: timeout\n", rig.logs.text)
        assert rig.logs.messages[-1].endswith("Status: timeout\n")
        assert rig.compute.environments(ARN) == 1

    run(tmp_path, test)


def test_an_init_that_fails_is_tried_again_in_the_same_environment_with_each_invocation(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(BEGINS_BADLY)

        messages = [json.loads((await rig.invoke(function)).payload)["errorMessage"] for _ in range(2)]
        stream, begun = await rig.result(function)

        assert messages == ["attempt 2", "attempt 3"]
        assert begun == 4
        assert streams(rig) == {stream}
        phases = re.findall(r"INIT_REPORT .*Phase: (\w+)\tStatus: error", rig.logs.text)
        assert phases == ["init", "invoke", "invoke"]

    run(tmp_path, test)


def test_extensions_are_told_the_reason_and_begin_again(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(KEEPER, timeout_seconds=2, layers=(layer(tmp_path, {"watcher": extension(LOOP)}),))
        stream, *_ = await rig.result(function)

        pool = rig.compute._pools[ARN][function.revision]
        for how in ("crash", "sleep"):
            await until(lambda: pool.ready)
            await rig.invoke(function, how)
            await until(lambda: pool.reset)
            assert (await rig.result(function))[::2] == [stream, 1]
        await until(lambda: pool.ready)

        events = [event for what, event in notes(rig.logs.messages) if what == "event"]
        told = [event.get("shutdownReason", event["eventType"]) for event in events]
        assert told == ["INVOKE", "INVOKE", "failure", "INVOKE", "INVOKE", "timeout", "INVOKE"]
        assert streams(rig) == {stream}
        assert rig.logs.text.count("EXTENSION\tName: watcher\tState: Ready") == 3

    run(tmp_path, test)


def test_while_extensions_are_shut_down_another_environment_takes_the_invocation(tmp_path: Path) -> None:
    slow = "me = register('SHUTDOWN')\nnext_event(me)\ntime.sleep(60)"

    async def test(rig: Rig) -> None:
        function = rig.function(KEEPER, layers=(layer(tmp_path, {"slow": extension(slow)}),))
        stream, *_ = await rig.result(function)
        await rig.invoke(function, "crash")

        other, seen, _ = await rig.result(function)

        assert other != stream
        assert seen == 1
        await until(lambda: len(rig.compute._pools[ARN][function.revision].reset) == 1)
        assert (await rig.result(function))[0] == other, "one that runs is preferred"

    run(tmp_path, test)


@pytest.mark.parametrize("layers", [False, True])
def test_an_environment_that_is_retired_during_its_reset_ends(tmp_path: Path, layers: bool) -> None:
    async def test(rig: Rig) -> None:
        more: dict[str, Any] = {"layers": (layer(tmp_path, {"watcher": extension(LOOP)}),)} if layers else {}
        function = rig.function(KEEPER, **more)
        crash = asyncio.create_task(rig.invoke(function, "crash"))
        await until(lambda: "START" in rig.logs.text or crash.done())

        rig.compute.retire(ARN)

        await crash
        await until(lambda: rig.compute.environments(ARN) == 0)
        assert rig.credentials.valid == {}

    run(tmp_path, test)


def test_an_environment_that_waits_after_its_reset_ends_with_its_function(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(KEEPER)
        await rig.invoke(function, "crash")
        await until(lambda: len(rig.compute._pools[ARN][function.revision].reset) == 1)

        rig.compute.retire(ARN)

        await until(lambda: rig.compute.environments(ARN) == 0)
        assert rig.credentials.valid == {}

    run(tmp_path, test)


def test_a_box_that_is_lost_after_the_reset_is_replaced(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(KEEPER)
        await rig.invoke(function, "crash")
        await until(lambda: len(rig.compute._pools[ARN][function.revision].reset) == 1)
        (lost,) = rig.compute._pools[ARN][function.revision].reset
        assert lost._home.box is not None
        assert lost._home.box._first is not None
        assert lost._home.box._first.pid is not None
        kill(lost._home.box._first.pid)
        await until(lambda: not lost.is_alive)

        assert (await rig.result(function))[1:] == [1, 1]
        assert rig.compute.environments(ARN) == 1

    run(tmp_path, test)


def test_nothing_that_ran_before_a_reset_is_left(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(KEEPER, variables={"MARKER": "marker-of-resets"})

        await rig.invoke(function, "leave")

        assert len(processes_with("marker-of-resets")) == 0
        assert (await rig.result(function))[1:] == [2, 1]

    run(tmp_path, test)


def test_what_the_runtime_sent_before_a_reset_is_of_no_concern_after_it(tmp_path: Path) -> None:
    code = """
import os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
def handler(event, context):
    if event == "crash":
        for _ in range(20):
            connection = socket.create_connection((host, int(port)))
            connection.send(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        os._exit(1)
    return "fine"
"""

    async def test(rig: Rig) -> None:
        function = rig.function(code, timeout_seconds=5)

        for _ in range(5):
            assert (await rig.invoke(function, "crash")).error == "Unhandled"
            assert await rig.result(function) == "fine"

        assert len(streams(rig)) == 1

    run(tmp_path, test)
