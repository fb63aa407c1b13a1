"""Extensions through an environment's life: they register, are told of invocations, and of the end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from extension_rig import LOOP, extension, layer, notes
from rig import ARN, Rig, SharedRig, run, until

from cumulet.compute import lifecycle

ECHO = """
def handler(event, context):
    print("working on", event)
    return event
"""


async def reported(rig: Rig, invocations: int = 1) -> None:
    """Wait until so many invocations have come to their end, for the extensions too."""
    await until(lambda: rig.logs.text.count("REPORT RequestId") == invocations)


async def reset(rig: Rig) -> None:
    """Wait until an environment has been reset."""
    await until(lambda: any(pool.reset for pools in rig.compute._pools.values() for pool in pools.values()))


def test_an_external_extension_is_told_of_each_invocation_and_of_the_end(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(ECHO, layers=(layer(tmp_path, {"watcher": extension(LOOP)}),))

        for number in range(3):
            assert await rig.result(function, number) == number
            await reported(rig, number + 1)
        rig.compute.retire(ARN)
        await until(lambda: rig.compute.environments() == 0)

        events = [event for _, event in notes(rig.logs.messages, "watcher")]
        assert [event["eventType"] for event in events] == ["INVOKE"] * 3 + ["SHUTDOWN"]
        starts = [line for line in rig.logs.messages if line.startswith("START")]
        assert [event["requestId"] in line for event, line in zip(events, starts, strict=False)] == [True] * 3
        assert events[0].keys() == {"eventType", "deadlineMs", "requestId", "invokedFunctionArn", "tracing"}
        assert events[0]["tracing"]["type"] == "X-Amzn-Trace-Id"
        assert events[0]["tracing"]["value"].startswith("Root=1-")
        assert events[0]["invokedFunctionArn"] == ARN
        assert events[3].keys() == {"eventType", "deadlineMs", "shutdownReason"}
        assert events[3]["shutdownReason"] == "spindown"
        assert "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n" in rig.logs.messages

    run(tmp_path, test)


def test_the_runtime_starts_when_all_extensions_have_registered(tmp_path: Path) -> None:
    slow = extension('note("starting")\ntime.sleep(0.3)\nnote("registering")\n' + LOOP)

    async def test(rig: Rig) -> None:
        layers = (layer(tmp_path, {"slow": slow}), layer(tmp_path, {"fast": extension(LOOP)}))
        function = rig.function('print("runtime")\n' + ECHO, layers=layers)

        outcome = await rig.invoke(function, 1)
        await reported(rig)

        assert outcome.init_ms is not None and outcome.init_ms > 300
        text = rig.logs.text
        assert text.index('["slow", "registering"]') < text.index("runtime\n") < text.index("EXTENSION\tName: fast")

    run(tmp_path, test)


def test_the_caller_has_the_answer_before_extensions_are_done_and_the_environment_is_free_after(
    tmp_path: Path,
) -> None:
    busy = extension("""
me = register("INVOKE")
while True:
    next_event(me)
    time.sleep(0.5)
    note("done")
""")

    async def test(rig: Rig) -> None:
        function = rig.function(ECHO, layers=(layer(tmp_path, {"busy": busy}),), timeout_seconds=5)

        first = await rig.invoke(function, 1)
        assert notes(rig.logs.messages) == []
        second = await rig.invoke(function, 2)

        assert first.duration_ms < 400 and second.init_ms is not None
        assert rig.compute.environments() == 2
        await reported(rig, 2)
        reports = [line for line in rig.logs.messages if line.startswith("REPORT")]
        assert all(float(line.split("Duration: ")[1].split(" ")[0]) >= 500 for line in reports)
        assert (await rig.invoke(function, 3)).init_ms is None

    run(tmp_path, test)


def test_a_log_tail_waits_for_the_extensions(shared_rig: SharedRig, tmp_path: Path) -> None:
    busy = extension(
        'me = register("INVOKE")\nwhile True:\n    next_event(me)\n    time.sleep(0.2)\n    note("done")\n'
    )

    async def test(rig: Rig) -> None:
        function = rig.function(ECHO, layers=(layer(tmp_path, {"busy": busy}),), timeout_seconds=5)

        outcome = await rig.compute.invoke(function, rig.invocation(1, wants_log_tail=True))

        lines = outcome.log_tail.decode().splitlines()
        assert lines[0].startswith("START") and lines[-1].startswith("REPORT")
        assert '["busy", "done"]' in lines

    shared_rig.run(test)


def test_time_that_extensions_take_counts_for_the_limit(tmp_path: Path) -> None:
    stuck = extension("""
me = register("INVOKE", "SHUTDOWN")
next_event(me)
time.sleep(3)
note("event", next_event(me))
""")

    async def test(rig: Rig) -> None:
        function = rig.function(ECHO, layers=(layer(tmp_path, {"stuck": stuck}),), timeout_seconds=1)

        outcome = await rig.invoke(function, 1)
        await reset(rig)

        assert (outcome.error, outcome.payload) == (None, b"1")
        assert "Task timed out after 1.00 seconds" in rig.logs.text
        assert "Status: timeout" in rig.logs.text

    run(tmp_path, test)


def test_after_a_timeout_extensions_are_told_why_it_ends(shared_rig: SharedRig, tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        code = "import time\ndef handler(event, context):\n    time.sleep(30)"
        layers = (layer(tmp_path, {"watcher": extension(LOOP)}),)
        function = rig.function(code, layers=layers, timeout_seconds=1)

        outcome = await rig.invoke(function, 1)
        await reset(rig)

        assert json.loads(outcome.payload)["errorType"] == "Sandbox.Timedout"
        assert notes(rig.logs.messages, "watcher")[-1][1]["shutdownReason"] == "timeout"

    shared_rig.run(test)


def test_after_a_crash_extensions_are_told_of_a_failure(shared_rig: SharedRig, tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        code = "import os\ndef handler(event, context):\n    os._exit(3)"
        function = rig.function(code, layers=(layer(tmp_path, {"watcher": extension(LOOP)}),))

        outcome = await rig.invoke(function, 1)
        await reset(rig)

        assert json.loads(outcome.payload)["errorType"] == "Runtime.ExitError"
        assert notes(rig.logs.messages, "watcher")[-1][1]["shutdownReason"] == "failure"

    shared_rig.run(test)


@pytest.mark.parametrize(
    ("code", "error_type", "message", "state"),
    [
        ("sys.exit(0)", "Extension.Crash", "exit code 0", "Exited"),
        ("sys.exit(7)", "Extension.Crash", "exit status 7", "Exited"),
        ("os.kill(os.getpid(), 9)", "Extension.Crash", "signal: killed", "Exited"),
        ('register("INVOKE")\nsys.exit(1)', "Extension.Crash", "exit status 1", "Exited"),
        (
            'me = register("INVOKE")\n'
            'ask("POST", "/2020-01-01/extension/init/error", "{}", Lambda_Extension_Identifier=me,'
            ' Lambda_Extension_Function_Error_Type="Mine.Bad")\nsys.exit(1)',
            "Extension.InitError",
            "exit status 1",
            "InitError",
        ),
        (
            'me = register("INVOKE")\n'
            'ask("POST", "/2020-01-01/extension/exit/error", "{}", Lambda_Extension_Identifier=me,'
            ' Lambda_Extension_Function_Error_Type="Mine.Bad")\ntime.sleep(30)',
            "Extension.ExitError",
            "exit code 0",
            "ExitError",
        ),
    ],
)
def test_an_extension_that_fails_in_the_init_fails_the_invocation(
    shared_rig: SharedRig, tmp_path: Path, code: str, error_type: str, message: str, state: str
) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(ECHO, layers=(layer(tmp_path, {"broken": extension(code)}),))

        invocation = rig.invocation(1)
        outcome = await rig.compute.invoke(function, invocation)

        assert outcome.error == "Unhandled"
        said = json.loads(outcome.payload)
        assert said == {"errorType": error_type, "errorMessage": f"RequestId: {invocation.request_id} Error: {message}"}
        assert rig.logs.text.count("INIT_REPORT") == 2
        assert f"Phase: init\tStatus: error\tError Type: {error_type}" in rig.logs.text
        assert f"Phase: invoke\tStatus: error\tError Type: {error_type}" in rig.logs.text
        assert f"EXTENSION\tName: broken\tState: {state}\t" in rig.logs.text
        assert rig.compute.environments() == 1

    shared_rig.run(test)


def test_what_is_left_of_a_failed_init_does_not_touch_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "GOODBYE_SECONDS", 0.2)
    code = """me = register("INVOKE", "SHUTDOWN")
if not os.path.exists("/tmp/failed"):
    open("/tmp/failed", "w").close()
    ask("POST", "/2020-01-01/extension/exit/error", "{}", Lambda_Extension_Identifier=me,
        Lambda_Extension_Function_Error_Type="Mine.Bad")
    sys.exit(1)
time.sleep(0.6)
idle(me)"""

    async def test(rig: Rig) -> None:
        function = rig.function(ECHO, layers=(layer(tmp_path, {"broken": extension(code)}),), timeout_seconds=10)

        assert await rig.result(function, 1) == 1

        assert rig.logs.text.count("Phase: init\tStatus: error\tError Type: Extension.ExitError") == 1
        assert rig.logs.text.count("INIT_REPORT") == 1

    run(tmp_path, test)


def test_a_file_that_cannot_be_run_is_a_launch_error(shared_rig: SharedRig, tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(ECHO, layers=(layer(tmp_path, {"broken": "#!/no/such/program\n"}),))

        outcome = await rig.invoke(function, 1)

        said = json.loads(outcome.payload)
        assert said["errorType"] == "Extension.LaunchError"
        assert said["errorMessage"].endswith("fork/exec /opt/extensions/broken: no such file or directory")
        assert "EXTENSION\tName: broken\tState: LaunchError\tEvents: []\tError Type: UnknownError" in rig.logs.text

    shared_rig.run(test)


def test_an_extension_that_never_registers_holds_the_init_up_to_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cumulet.compute import environment

    monkeypatch.setattr(environment, "INIT_SECONDS", 0.5)

    async def test(rig: Rig) -> None:
        code = extension('note("here")\ntime.sleep(60)')
        function = rig.function(ECHO, layers=(layer(tmp_path, {"mute": code}),), timeout_seconds=1)

        outcome = await rig.invoke(function, 1)

        assert json.loads(outcome.payload)["errorType"] == "Sandbox.Timedout"
        assert "Phase: init\tStatus: timeout" in rig.logs.text
        assert "working on" not in rig.logs.text
        assert notes(rig.logs.messages) == [["here"], ["here"]]

    run(tmp_path, test)


def test_an_extension_that_crashes_later_fails_the_invocation_and_the_next_begins_anew(
    shared_rig: SharedRig, tmp_path: Path
) -> None:
    code = extension('me = register("INVOKE")\nnext_event(me)\nnext_event(me)\nsys.exit(4)')

    async def test(rig: Rig) -> None:
        slow = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return event"
        function = rig.function(slow, layers=(layer(tmp_path, {"broken": code}),), timeout_seconds=5)
        assert await rig.result(function, 0) == 0
        await reported(rig)

        outcome = await rig.invoke(function, 3)

        assert json.loads(outcome.payload)["errorType"] == "Extension.Crash"
        assert json.loads(outcome.payload)["errorMessage"].endswith("Error: exit status 4")
        assert (await rig.invoke(function, 0)).init_ms is not None

    shared_rig.run(test)


def test_an_internal_extension_is_told_of_invocations_and_holds_the_environment(tmp_path: Path) -> None:
    code = """
import http.client, json, os, threading, time
API = os.environ["AWS_LAMBDA_RUNTIME_API"]
def ask(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(API)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), json.loads(answer.read())
def register(*events, name="inside"):
    return ask("POST", "/2020-01-01/extension/register", json.dumps({"events": events}), Lambda_Extension_Name=name)
refused = register("INVOKE", "SHUTDOWN")
status, headers, body = register("INVOKE")
me = headers["Lambda-Extension-Identifier"]
def watch():
    while True:
        event = ask("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=me)[2]
        seen.append(event["requestId"])
seen = []
threading.Thread(target=watch, daemon=True).start()
def handler(event, context):
    late = register("INVOKE", name="late")
    time.sleep(0.05)
    return [refused[0], refused[2], body, seen[-1] == context.aws_request_id, late[0], late[2]]
"""

    async def test(rig: Rig) -> None:
        function = rig.function(code)

        refused, refusal, registered, has_seen, late, closed = await rig.result(function)

        assert (refused, refusal["errorType"]) == (403, "Extension.InvalidEventType")
        assert registered == {"functionName": "f", "functionVersion": "$LATEST", "handler": "index.handler"}
        await reported(rig)
        assert has_seen
        assert (late, closed["errorType"]) == (403, "Extension.RegistrationClosed")
        assert "EXTENSION\tName: inside\tState: Ready\tEvents: [INVOKE]" in rig.logs.text

    run(tmp_path, test)


def test_the_runtime_has_time_to_end_when_there_are_extensions(tmp_path: Path) -> None:
    code = """
import signal, sys
def goodbye(*_):
    print("runtime ends", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, goodbye)
def handler(event, context):
    return event
"""

    async def test(rig: Rig) -> None:
        # Newer runtime clients wait for events in a thread of its own: signals are heard.
        layers = (layer(tmp_path, {"watcher": extension(LOOP)}),)
        function = rig.function(code, layers=layers, runtime="python3.13")
        await rig.invoke(function)
        await reported(rig)

        rig.compute.retire(ARN)
        await until(lambda: rig.compute.environments() == 0)

        text = rig.logs.text
        assert text.index("runtime ends") < text.index('"SHUTDOWN"')

    run(tmp_path, test)


@pytest.mark.parametrize(("has_extension", "least", "most"), [(True, 0.45, 1.5), (False, 0, 0.4)])
def test_a_runtime_has_half_a_second_with_internal_extensions_alone_and_no_time_without(
    tmp_path: Path, has_extension: bool, least: float, most: float
) -> None:
    register = """
import http.client, json, os
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
headers = {"Lambda-Extension-Name": "inside"}
connection.request("POST", "/2020-01-01/extension/register", json.dumps({"events": []}), headers)
me = connection.getresponse().headers["Lambda-Extension-Identifier"]
headers = {"Lambda-Extension-Identifier": me}
waiting = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
waiting.request("GET", "/2020-01-01/extension/event/next", headers=headers)
"""
    code = (
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ndef handler(event, context):\n    return event\n"
    )

    async def test(rig: Rig) -> None:
        await rig.invoke(rig.function((register if has_extension else "") + code))
        await reported(rig)
        assert ("Name: inside\tState: Ready" in rig.logs.text) == has_extension
        loop = asyncio.get_running_loop()
        began = loop.time()

        rig.compute.retire(ARN)
        await until(lambda: rig.compute.environments() == 0)

        assert least < loop.time() - began < most

    run(tmp_path, test)


@pytest.mark.parametrize("ignored", ["signal.signal(signal.SIGTERM, signal.SIG_IGN)", "pass"])
def test_a_shutdown_that_is_ignored_ends_after_two_seconds(tmp_path: Path, ignored: str) -> None:
    code = extension('me = register("SHUTDOWN")\nnote("event", next_event(me))\ntime.sleep(30)')

    async def test(rig: Rig) -> None:
        runtime = f"import signal\n{ignored}\ndef handler(event, context):\n    return event"
        function = rig.function(runtime, layers=(layer(tmp_path, {"stubborn": code}),))
        await rig.invoke(function)
        await reported(rig)
        loop = asyncio.get_running_loop()
        began = loop.time()

        rig.compute.retire(ARN)
        await until(lambda: rig.compute.environments() == 0)

        assert 1.9 < loop.time() - began < 3
        assert notes(rig.logs.messages)[-1][1]["eventType"] == "SHUTDOWN"

    run(tmp_path, test)


def test_more_than_ten_extensions_are_too_many(shared_rig: SharedRig, tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        extensions = {f"extension-{number}": extension(LOOP) for number in range(11)}
        function = rig.function(ECHO, layers=(layer(tmp_path, extensions),))

        outcome = await rig.invoke(function, 1)

        assert json.loads(outcome.payload)["errorType"] == "Extension.LaunchError"

    shared_rig.run(test)
