"""What an environment writes into its log stream."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from rig import ACCOUNT, REGION, Rig, run, until

PRINTER = """
import logging, sys, time
print("loading")
def handler(event, context):
    print("one")
    logging.warning("two\\nand a half")
    print("three", file=sys.stderr)
    logging.getLogger().error("four")
    print("five\\n\\nsix", end="")
"""
ID = r"([0-9a-f-]{36})"


def test_lines_and_records_come_in_their_order_between_those_of_aws(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(PRINTER)
        invocation = rig.invocation()

        outcome = await rig.compute.invoke(function, invocation)

        messages = rig.logs.messages
        assert re.fullmatch(
            r"INIT_START Runtime Version: python:3\.11\.v\d+\t"
            rf"Runtime Version ARN: arn:aws:lambda:{REGION}::runtime:[0-9a-f]{{64}}\n",
            messages[0],
        )
        request_id = invocation.request_id
        assert messages[1:4] == ["loading\n", f"START RequestId: {request_id} Version: $LATEST\n", "one\n"]
        assert re.fullmatch(
            rf"\[WARNING\]\t\d{{4}}-\d\d-\d\dT[\d:.]{{12}}Z\t{request_id}\ttwo\nand a half\n", messages[4]
        )
        assert messages[5] == "three\n"
        assert messages[6].startswith("[ERROR]\t")
        assert messages[7:11] == ["five\n", "\n", "six", f"END RequestId: {request_id}\n"]
        report = re.fullmatch(
            rf"REPORT RequestId: {request_id}\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\t"
            r"Memory Size: 128 MB\tMax Memory Used: (\d+) MB\tInit Duration: (\d+\.\d\d) ms\t\n",
            messages[11],
        )
        assert report is not None
        assert abs(float(report[1]) - outcome.duration_ms) < 0.01
        assert float(report[1]) + float(report[4]) <= int(report[2]) < float(report[1]) + float(report[4]) + 1.02
        assert int(report[3]) == outcome.memory_used_mb
        assert outcome.log_tail.decode() == "".join(messages[2:])
        assert len(messages) == 12

    run(tmp_path, test)


def test_a_warm_invocation_is_one_write_with_no_init(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(PRINTER)
        await rig.invoke(function)
        before = len(rig.logs.writes)

        outcome = await rig.invoke(function)

        (write,) = rig.logs.writes[before:]
        account, region, group, stream, events = write
        assert (account, region, group) == (ACCOUNT, REGION, "/aws/lambda/f")
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
        assert {write[3] for write in rig.logs.writes} == {stream}
        assert "".join(event.message for event in events) == outcome.log_tail.decode()
        assert "Init Duration" not in events[-1].message
        times = [event.timestamp_ms for *_, written in rig.logs.writes for event in written]
        assert times == sorted(times)

    run(tmp_path, test)


def test_a_stream_in_a_group_for_several_functions_has_the_functions_name(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.invoke(rig.function(PRINTER, log_group="shop"))

        [(group, stream)] = {(write[2], write[3]) for write in rig.logs.writes}
        assert group == "shop"
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/f\[\$LATEST\][0-9a-f]{32}", stream)

    run(tmp_path, test)


def test_what_is_printed_is_in_the_log_before_the_outcome_is_there(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function("def handler(event, context): print('x' * 50_000); print('last', event)")

        for number in range(50):
            await rig.invoke(function, number)

            assert rig.logs.messages[-3] == f"last {number}\n"

    run(tmp_path, test)


def test_a_long_invocation_shows_its_progress(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function("import time\ndef handler(event, context): print('begun'); time.sleep(2.5)")
        running = asyncio.create_task(rig.invoke(function))

        await until(lambda: "begun\n" in rig.logs.messages)

        assert not running.done()
        outcome = await running
        assert outcome.log_tail.startswith(b"START")
        assert rig.logs.messages.count("begun\n") == 1

    run(tmp_path, test)


def test_what_is_written_between_invocations_is_not_lost(tmp_path: Path) -> None:
    code = """
import threading
def handler(event, context):
    threading.Timer(0.05, print, ["afterwards"]).start()
"""

    async def test(rig: Rig) -> None:
        await rig.invoke(rig.function(code))

        await until(lambda: "afterwards\n" in rig.logs.messages)

        assert rig.logs.messages[-2].startswith("REPORT")

    run(tmp_path, test)


def test_the_tail_is_the_last_four_kilobytes_of_the_invocation(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        code = "def handler(event, context):\n    for n in range(event): print(n, 'ü' * 20)"
        function = rig.function(code)

        many = await rig.invoke(function, 30_000)
        few = await rig.invoke(function, 2)

        assert len(many.log_tail) == 4096
        assert many.log_tail == rig.logs.text.encode()[: -len(few.log_tail)][-4096:]
        assert few.log_tail.count(b"\n") == 5

    run(tmp_path, test)


def test_lines_and_records_above_the_size_of_an_event_are_split(tmp_path: Path) -> None:
    code = """
import logging
def handler(event, context):
    print("ü" * 200_000)
    logging.warning("ä" * 200_000)
"""

    async def test(rig: Rig) -> None:
        await rig.invoke(rig.function(code))

        large = [message for message in rig.logs.messages if len(message) > 1000]
        assert len(large) == 4
        assert all(len(message.encode()) <= 256 * 1024 - 26 for message in large)
        assert "".join(large).count("ü") == "".join(large).count("ä") == 200_000

    run(tmp_path, test)


def test_an_error_of_the_handler_is_one_event_with_its_trace(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        outcome = await rig.invoke(rig.function("def handler(event, context): 1 / 0"))

        assert json.loads(outcome.payload) == {
            "errorMessage": "division by zero",
            "errorType": "ZeroDivisionError",
            "requestId": rig.logs.messages[1].split()[2],
            "stackTrace": ['  File "/var/task/index.py", line 1, in handler\n    def handler(event, context): 1 / 0\n'],
        }
        assert rig.logs.messages[2].startswith("[ERROR] ZeroDivisionError: division by zero\nTraceback (most recent")
        assert rig.logs.messages[3].startswith("END")
        assert rig.logs.messages[4].endswith(" MB\tInit Duration: " + rig.logs.messages[4].split("Init Duration: ")[1])

    run(tmp_path, test)


def test_a_log_that_can_not_be_written_fails_no_invocation(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        reported: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        function = rig.function(PRINTER)
        collect = rig.logs.write

        def fail_at_once(*_: object) -> asyncio.Future[None]:
            raise OSError("full")

        def fail_later(*_: object) -> asyncio.Future[None]:
            written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            written.set_exception(OSError("full"))
            return written

        for write in (fail_at_once, fail_later, collect):
            rig.logs.write = write  # type: ignore[method-assign, assignment]
            assert (await rig.invoke(function)).error is None
        await until(lambda: len(reported) == 2)

        assert all("log of arn:aws:lambda" in context["message"] for context in reported)
        assert rig.logs.messages[0].startswith("START")

    run(tmp_path, test)


def test_an_environment_that_was_free_for_long_is_ended(tmp_path: Path) -> None:
    from cumulet.compute import compute

    async def test(rig: Rig) -> None:
        function = rig.function(PRINTER)
        await rig.invoke(function)

        await until(lambda: rig.compute.environments() == 0)

        assert rig.credentials.valid == {}
        assert (await rig.invoke(function)).init_ms is not None

    import pytest

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute, "IDLE_SECONDS", 0.2)
        run(tmp_path, test)
