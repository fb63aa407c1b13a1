"""Invocations that go well: environments are made, used again and retired."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from rig import ARN, Rig, run, until

from cumulet.compute import CannotRun
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import VirtualClock

COUNTER = """
import os
print("init")
count = 0
def handler(event, context):
    global count
    count += 1
    return {"count": count, "pid": os.getpid(), "event": event}
"""
WAITER = """
import os, time
def handler(event, context):
    time.sleep(event)
    return os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
"""
CONTEXT = """
import json, os, time
def handler(event, context):
    return {
        "id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "name": context.function_name,
        "version": context.function_version,
        "memory": context.memory_limit_in_mb,
        "group": context.log_group_name,
        "stream": context.log_stream_name,
        "left": context.get_remaining_time_in_millis(),
        "deadline": context._epoch_deadline_time_in_ms,
        "client": context.client_context and context.client_context.custom,
        "trace": os.environ["_X_AMZN_TRACE_ID"],
    }
"""


def test_an_environment_is_used_again_and_its_init_happens_once(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(COUNTER)

        results = [await rig.result(function, number) for number in range(5)]

        assert [result["count"] for result in results] == [1, 2, 3, 4, 5]
        assert [result["event"] for result in results] == [0, 1, 2, 3, 4]
        assert rig.compute.environments(ARN) == 1
        assert rig.logs.messages.count("init\n") == 1

    run(tmp_path, test)


def test_only_the_first_outcome_of_an_environment_has_an_init(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(COUNTER)

        first, second = await rig.invoke(function), await rig.invoke(function)

        assert first.init_ms is not None and first.init_ms > 1
        assert second.init_ms is None
        assert first.error is second.error is None
        assert 5 < second.memory_used_mb < 60
        assert 0 < second.duration_ms < 1000

    run(tmp_path, test)


def test_events_at_the_same_time_run_in_environments_of_their_own(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(WAITER)

        streams = await asyncio.gather(*(rig.result(function, 0.3) for _ in range(4)))

        assert len(set(streams)) == 4
        assert rig.compute.environments(ARN) == 4

    run(tmp_path, test)


def test_an_invocation_right_after_another_needs_no_second_environment(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(COUNTER)

        for _ in range(200):
            await rig.result(function)

        assert rig.compute.environments(ARN) == 1

    run(tmp_path, test)


def test_the_environment_used_last_is_the_first_to_be_used_again(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(WAITER)
        await asyncio.gather(*(rig.result(function, 0.3) for _ in range(3)))
        streams = set()

        for _ in range(5):
            await asyncio.sleep(0.2)  # so that all have asked for an event
            streams.add(await rig.result(function, 0.01))

        assert len(streams) == 1

    run(tmp_path, test)


def test_the_context_says_what_is_invoked_and_how_long_it_may_run(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(CONTEXT, memory_mb=192, timeout_seconds=7)
        invocation = rig.invocation(client_context='{"custom":\n{"k": "ü"}}', trace_id="Root=1-2-3;Sampled=1")
        before_ms = time.time() * 1000

        outcome = await rig.compute.invoke(function, invocation)

        context = json.loads(outcome.payload)
        assert context["id"] == invocation.request_id
        assert (context["arn"], context["name"], context["version"]) == (ARN, "f", "$LATEST")
        assert context["memory"] == "192"
        assert context["group"] == "/aws/lambda/f"
        assert context["stream"] == rig.logs.writes[0][3]
        assert 5000 < context["left"] <= 7000
        assert before_ms + 6900 < context["deadline"] < time.time() * 1000 + 7000
        assert context["client"] == {"k": "ü"}
        assert context["trace"] == "Root=1-2-3;Sampled=1"

    run(tmp_path, test)


def test_an_untraced_invocation_has_a_trace_id_too(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(CONTEXT)

        first, second = await rig.result(function), await rig.result(function)

        assert first["trace"].startswith("Root=1-")
        assert first["trace"].endswith(";Sampled=0")
        assert first["trace"] != second["trace"]

    run(tmp_path, test)


def test_payloads_of_six_megabytes_pass_both_ways(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function("def handler(event, context): return event")
        text = "x" * (6 * 1024 * 1024 - 2)

        assert await rig.result(function, text) == text

    run(tmp_path, test)


def test_another_revision_has_environments_of_its_own(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(COUNTER)
        changed = rig.function(COUNTER + "# changed")
        await rig.result(function)

        result = await rig.result(changed)

        assert result["count"] == 1
        assert rig.compute.environments(ARN) == 2

    run(tmp_path, test)


def test_retiring_ends_free_environments_of_other_revisions_at_once(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        old, new = rig.function(COUNTER), rig.function(COUNTER + "# changed")
        await rig.result(old)
        await rig.result(new)

        rig.compute.retire(ARN, keep=new.revision)

        await until(lambda: rig.compute.environments(ARN) == 1)
        assert (await rig.result(new))["count"] == 2
        assert len(rig.credentials.valid) == 1

    run(tmp_path, test)


def test_retiring_lets_a_running_invocation_end(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(WAITER)
        await rig.result(function, 0)
        running = asyncio.create_task(rig.result(function, 0.3))
        await asyncio.sleep(0.05)

        rig.compute.retire(ARN)

        assert rig.compute.environments(ARN) == 1
        await running
        await until(lambda: rig.compute.environments(ARN) == 0)
        assert rig.credentials.valid == {}

    run(tmp_path, test)


def test_a_retired_revision_that_is_invoked_again_runs(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(COUNTER)
        await rig.result(function)
        rig.compute.retire(ARN)

        assert (await rig.result(function))["count"] == 1

    run(tmp_path, test)


def test_an_invocation_goes_on_when_its_caller_is_cancelled(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(WAITER)
        await rig.result(function, 0)
        caller = asyncio.create_task(rig.result(function, 0.2))
        await asyncio.sleep(0.05)

        caller.cancel()

        await until(lambda: len([line for line in rig.logs.messages if line.startswith("REPORT")]) == 2)
        assert await rig.result(function, 0)
        assert rig.compute.environments(ARN) == 1

    run(tmp_path, test)


def test_a_virtual_clock_waits_for_an_invocation_and_gives_the_log_its_time(tmp_path: Path) -> None:
    async def test(_: Rig) -> None:
        activity = Activity()
        clock = VirtualClock(1_000_000, activity)
        rig = Rig(tmp_path / "virtual", clock, activity)
        rig.folder.mkdir()
        function = rig.function("import logging, time\ndef handler(e, c): logging.warning('w'); time.sleep(0.2)")
        running = asyncio.create_task(rig.invoke(function))
        await asyncio.sleep(0)

        busy = await clock.advance(5_000)

        assert busy == []
        assert running.done() or await running
        stream = rig.logs.writes[0][3]
        assert stream.startswith("1970/01/01/[$LATEST]")
        assert {event.timestamp_ms for *_, events in rig.logs.writes for event in events} == {1_000_000}
        await rig.compute.stop()

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("runtime", "named"),
    [("java21", "Java"), ("dotnet8", ".NET"), ("ruby3.3", "Ruby")],
)
def test_a_runtime_without_its_interpreter_is_refused_by_name(tmp_path: Path, runtime: str, named: str) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(COUNTER, runtime=runtime)

        with pytest.raises(CannotRun, match=named):
            await rig.invoke(function)

        assert rig.compute.environments() == 0

    run(tmp_path, test)


def test_another_version_of_python_runs_on_this_one_and_says_so(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(
            "import os\ndef handler(e, c): return os.environ['AWS_EXECUTION_ENV']", runtime="python3.8"
        )

        assert await rig.result(function) == "AWS_Lambda_python3.8"

        assert any("python3.8 is not available" in line for line in rig.logs.messages)

    run(tmp_path, test)


def test_a_broken_package_is_refused(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        package = tmp_path / "0000"
        package.write_bytes(b"no zip")

        for _ in range(2):
            with pytest.raises(CannotRun, match="unpacked"):
                await rig.invoke(rig.function(COUNTER, package=package))

        assert rig.compute.environments(ARN) == 0
        assert (await rig.result(rig.function(COUNTER)))["count"] == 1

    run(tmp_path, test)


def test_stopping_before_anything_was_invoked_is_nothing(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.compute.stop()

        assert not (tmp_path / "compute").exists()

    run(tmp_path, test)
