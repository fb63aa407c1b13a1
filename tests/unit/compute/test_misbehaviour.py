"""Functions that do what they should not: AWS's error for the caller, a line in the log, a clean next invocation."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from pathlib import Path

import pytest
from rig import ARN, Rig, SharedRig, processes_with, run, until

from cumulet.compute import environment
from cumulet.compute.runtime_api import MOST_RESPONSE_BYTES

EXIT = "Runtime.ExitError"

ENDS = {
    "exits": ("sys.exit(1)", "Runtime exited with error: exit status 1"),
    "exits in a hurry": ("os._exit(7)", "Runtime exited with error: exit status 7"),
    "exits well": ("sys.exit(0)", "Runtime exited without providing a reason"),
    "exits from a thread": (
        "import threading; threading.Thread(target=os._exit, args=(3,)).start(); time.sleep(9)",
        "3",
    ),
    "kills itself": ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    "terminates itself": ("os.kill(os.getpid(), 15)", "Runtime exited with error: signal: terminated"),
    "segfaults": ("ctypes.string_at(0)", "Runtime exited with error: signal: segmentation fault"),
    "aborts": ("os.abort()", "Runtime exited with error: signal: aborted"),
    "interrupts itself": ("raise KeyboardInterrupt", "signal: interrupt"),
    "replaces itself": ("os.execv('/bin/false', ['/bin/false'])", "Runtime exited with error: exit status 1"),
    "closes what isn't its own": ("os.closerange(3, 1000); os._exit(4)", "exit status 4"),
}
ERRORS = {
    "raises": ("raise ValueError('no ü')", "ValueError", "no ü"),
    "returns what is no JSON": ("return {1, 2}", "Runtime.MarshalError", "Unable to marshal response"),
    "recurses": ("f = lambda n: f(n + 1); f(0)", "RecursionError", "maximum recursion depth"),
    "raises with a long message": ("raise OSError('long' * 500_000)", "OSError", "longlong"),
}
SURVIVED = {
    "closes its output": "os.close(1); os.close(2); sys.stdout = sys.stderr = None",
    "closes the telemetry": "os.close(3)",
    "breaks its output": "sys.stdout.close()",
    "writes binary junk": "os.write(1, bytes(range(256)) * 2000 + b'\\xa5\\x5a\\x00\\x03' * 100)",
    "writes a frame that never ends": "os.write(3, b'\\xa5\\x5a\\x00\\x03\\xff\\xff\\xff\\xff' + "
    "int(time.time() * 1e6).to_bytes(8, 'big') + b'x' * 50_000)",
    "writes one long line": "sys.stdout.write('ü' * 1_000_000)",
    "leaves a thread behind": "import threading; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "leaves a busy child behind": "os.fork() or [os.setsid(), os.fork() or [os.write(1, b'.') for _ in iter(int, 1)]]",
    "floods from a child": "os.fork() or [os.write(1, b'x' * 60_000) for _ in range(300)] and os._exit(0)",
    "fills its /tmp": "open('/tmp/full', 'wb').write(b'x' * 1_000_000)",
    "changes its folder": "os.chdir('/tmp')",
    "clears its variables": "os.environ.clear()",
    "opens files until none is left": "globals().update(kept=[open('/dev/null') for _ in range(900)])",
}
HANDLER = """
import ctypes, os, sys, time
def bad():
    %s
def handler(event, context):
    return bad() if event == "bad" else "good"
"""


@pytest.mark.parametrize("name", ENDS)
def test_an_end_of_the_runtime_is_the_end_of_the_invocation(shared_rig: SharedRig, name: str) -> None:
    code, message = ENDS[name]

    async def test(rig: Rig) -> None:
        function = rig.function(HANDLER % code, timeout_seconds=10)
        invocation = rig.invocation("bad")

        outcome = await rig.compute.invoke(function, invocation)

        assert outcome.error == "Unhandled"
        error = json.loads(outcome.payload)
        assert list(error) == ["errorType", "errorMessage"]
        assert error["errorType"] == EXIT
        assert re.fullmatch(f"RequestId: {invocation.request_id} Error: .*({message})", error["errorMessage"])
        assert f"{error['errorMessage']}\n{EXIT}\n" in rig.logs.messages
        assert rig.logs.messages[-1].endswith("Status: error\tError Type: Runtime.ExitError\n")
        assert await rig.result(function) == "good"
        assert rig.compute.environments(ARN) == 1

    shared_rig.run(test)


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_of_the_handler_is_the_answer_and_the_environment_stays(shared_rig: SharedRig, name: str) -> None:
    code, error_type, message = ERRORS[name]

    async def test(rig: Rig) -> None:
        function = rig.function(HANDLER % code)

        outcome = await rig.invoke(function, "bad")

        assert outcome.error == "Unhandled"
        error = json.loads(outcome.payload)
        assert error["errorType"] == error_type
        assert message in error["errorMessage"]
        assert any(line.startswith(f"[ERROR] {error_type}: ") for line in rig.logs.messages)
        assert await rig.result(function) == "good"
        assert rig.logs.text.count("INIT_START") == 1

    shared_rig.run(test)


@pytest.mark.parametrize("name", SURVIVED)
def test_bad_manners_do_no_harm(shared_rig: SharedRig, name: str) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(HANDLER % SURVIVED[name], timeout_seconds=10)

        assert (await rig.invoke(function, "bad")).error is None

        for _ in range(3):
            assert await rig.result(function) == "good"
        assert rig.compute.environments(ARN) == 1

    shared_rig.run(test)


@pytest.mark.parametrize("code", ["time.sleep(60)", "any(iter(int, 1))", "os.kill(os.getpid(), 19)"])
def test_a_handler_that_takes_too_long_is_killed(shared_rig: SharedRig, code: str) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(HANDLER % f"print('begun'); {code}", timeout_seconds=1)
        await rig.result(function)
        invocation = rig.invocation("bad")
        began_at = time.monotonic()

        outcome = await rig.compute.invoke(function, invocation)

        assert 1 <= time.monotonic() - began_at < 2
        assert outcome.duration_ms == 1000
        message = "Task timed out after 1.00 seconds"
        assert json.loads(outcome.payload) == {
            "errorType": "Sandbox.Timedout",
            "errorMessage": f"RequestId: {invocation.request_id} Error: {message}",
        }
        _, begun, said, _, report = rig.logs.messages[-5:]
        assert begun == "begun\n"
        assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z {invocation.request_id} {message}\n\n", said)
        assert report.endswith("\tStatus: timeout\n")
        assert await rig.result(function) == "good"
        assert rig.compute.environments(ARN) == 1

    shared_rig.run(test)


@pytest.mark.parametrize(
    "code",
    [
        "kept = bytearray(300_000_000); time.sleep(60)",
        "kept = bytearray(300_000_000)",
        "[os.fork() or [bytearray(90_000_000), time.sleep(60)] for _ in range(3)]; time.sleep(60)",
    ],
)
def test_a_handler_that_uses_too_much_memory_is_killed(shared_rig: SharedRig, code: str) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(HANDLER % code, memory_mb=200, timeout_seconds=20)

        outcome = await rig.invoke(function, "bad")

        error = json.loads(outcome.payload)
        assert error["errorType"] == EXIT
        assert error["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
        assert outcome.memory_used_mb == 200
        assert "Memory Size: 200 MB\tMax Memory Used: 200 MB" in rig.logs.messages[-1]
        assert outcome.duration_ms < 10_000
        assert await rig.result(function) == "good"

    shared_rig.run(test)


def test_children_that_share_memory_are_not_counted_for_each(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        code = "kept = b'x' * 100_000_000; [os.fork() or time.sleep(60) for _ in range(5)]; time.sleep(0.3)"
        function = rig.function(HANDLER % code, memory_mb=256)

        assert (await rig.invoke(function, "bad")).error is None

    run(tmp_path, test)


def test_a_hundred_megabytes_of_output_go_to_the_log_in_bounded_time_and_memory(tmp_path: Path) -> None:
    code = "line = 'x' * 99 + '\\n'; [sys.stdout.write(line * 100) for _ in range(10_000)]"

    async def test(rig: Rig) -> None:
        function = rig.function(HANDLER % code, timeout_seconds=60)
        size = 0

        def write(*arguments: object) -> asyncio.Future[None]:
            nonlocal size
            *_, events = arguments
            assert isinstance(events, list)
            size += sum(len(event.message) for event in events)
            written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(0.001, written.set_result, None)
            return written

        rig.logs.write = write  # type: ignore[method-assign]
        before_kb = resident_kb()
        began_at = time.monotonic()

        outcome = await rig.invoke(function, "bad")

        assert outcome.error is None
        assert size > 100_000_000
        assert time.monotonic() - began_at < 20
        assert resident_kb() - before_kb < 60_000

    run(tmp_path, test)


def test_a_log_that_takes_nothing_holds_the_function_up_and_no_one_else(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(HANDLER % "[print('x' * 1000) for _ in range(30_000)]", timeout_seconds=60)
        collect, held = rig.logs.write, []

        def hold(*arguments: object) -> asyncio.Future[None]:
            collect(*arguments)  # type: ignore[arg-type]
            held.append(asyncio.get_running_loop().create_future())
            return held[-1]

        rig.logs.write = hold  # type: ignore[method-assign, assignment]
        running = asyncio.create_task(rig.invoke(function, "bad"))
        await until(lambda: len(rig.logs.text) > 8_000_000)
        await asyncio.sleep(0.2)
        assert len(rig.logs.text) < 11_000_000
        assert not running.done()

        rig.logs.write = collect  # type: ignore[method-assign]
        for future in held:
            future.set_result(None)

        assert (await running).error is None
        assert len(rig.logs.text) > 30_000_000

    run(tmp_path, test)


def test_a_response_above_the_limit_is_refused(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function("def handler(event, context): return 'x' * event", timeout_seconds=10)

        outcome = await rig.invoke(function, MOST_RESPONSE_BYTES)

        assert outcome.error == "Unhandled"
        assert json.loads(outcome.payload) == {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        }
        assert await rig.result(function, 3) == "xxx"
        assert len(await rig.result(function, MOST_RESPONSE_BYTES - 2)) == MOST_RESPONSE_BYTES - 2

    run(tmp_path, test)


INIT_FAILURES = {
    "no module": (
        {"other.py": ""},
        "Runtime.ImportModuleError",
        "Unable to import module 'index': No module named 'index'",
    ),
    "no dependency": ("import msgspec", "Runtime.ImportModuleError", "No module named 'msgspec'"),
    "no handler": ("x = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'index'"),
    "no Python": ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index'"),
    "an error": ("raise ValueError('at once')", "ValueError", "at once"),
    "an exit": ("import sys; sys.exit(5)", EXIT, "Runtime exited with error: exit status 5"),
    "a crash": ("import ctypes; ctypes.string_at(0)", EXIT, "signal: segmentation fault"),
    "too much memory": ("kept = bytearray(300_000_000); import time; time.sleep(9)", EXIT, "signal: killed"),
}


@pytest.mark.parametrize("name", INIT_FAILURES)
def test_an_init_that_fails_is_tried_once_more_and_then_the_answer(shared_rig: SharedRig, name: str) -> None:
    code, error_type, message = INIT_FAILURES[name]

    async def test(rig: Rig) -> None:
        function = rig.function(code)  # type: ignore[arg-type]

        for attempts in (["init", "invoke"], ["invoke"]):
            rig.logs.writes.clear()
            outcome = await rig.invoke(function)

            assert outcome.error == "Unhandled"
            assert outcome.init_ms is None
            error = json.loads(outcome.payload)
            assert error["errorType"] == error_type
            assert message in error["errorMessage"]
            assert rig.compute.environments(ARN) == 1
            lines = [line.split()[0] for line in rig.logs.messages]
            assert [line for line in lines if line in ("INIT_START", "INIT_REPORT", "START", "END", "REPORT")] == [
                *(["INIT_START"] if "init" in attempts else []),
                *(["INIT_REPORT"] * len(attempts)),
                "START",
                "END",
                "REPORT",
            ]
            reports = [line for line in rig.logs.messages if line.startswith("INIT_REPORT")]
            for phase, report in zip(attempts, reports, strict=True):
                assert f"Phase: {phase}\tStatus: error\tError Type: {error_type}\n" in report

    shared_rig.run(test)


def test_an_init_that_takes_too_long_is_tried_again_within_the_time_of_the_invocation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "INIT_SECONDS", 0.5)

    async def test(rig: Rig) -> None:
        code = (
            "import time\nprint('loading')\ntime.sleep(%s)\ndef handler(e, c): return c.get_remaining_time_in_millis()"
        )

        slow = await rig.invoke(rig.function(code % 0.8, timeout_seconds=5))
        hanging = await rig.invoke(rig.function(code % 60, timeout_seconds=1))

        assert slow.error is None
        assert 3000 < int(slow.payload) < 4200
        assert slow.duration_ms > 800
        assert json.loads(hanging.payload)["errorType"] == "Sandbox.Timedout"
        assert rig.logs.messages.count("loading\n") == 4
        assert "Phase: init\tStatus: timeout\n" in rig.logs.text
        assert "Phase: invoke\tStatus: timeout\n" in rig.logs.text

    run(tmp_path, test)


def test_children_that_have_left_their_session_end_with_the_environment(tmp_path: Path) -> None:
    code = "os.fork() or [os.setsid(), os.fork() and os._exit(0), os.execv('/bin/sleep', ['renamed', '500.25'])]"

    async def test(rig: Rig) -> None:
        function = rig.function(HANDLER % code)
        assert (await rig.invoke(function, "bad")).error is None
        await until(lambda: processes_with("500.25"))
        assert await rig.result(function) == "good"

        rig.compute.retire(ARN)

        await until(lambda: not processes_with("500.25"))

    run(tmp_path, test)


def resident_kb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
