"""Environments that are started ahead, and those that nobody uses for a while."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from rig import ARN, Rig, run, until

from cumulet.compute import CannotRun, InitFailed

WHO = """
import os, time
print("init", os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"])
def handler(event, context):
    if event == "die":
        os._exit(1)
    time.sleep(event or 0)
    return [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]]
"""


def test_environments_are_ready_before_the_first_invocation(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(WHO)

        await rig.compute.provision(function, 2)

        assert rig.compute.environments(ARN) == 2
        outcome = await rig.invoke(function)
        assert (outcome.init_ms, outcome.initialization_type) == (None, "provisioned-concurrency")
        assert b"provisioned-concurrency" in outcome.payload
        assert "Init Duration" not in rig.logs.text

    run(tmp_path, test)


def test_more_at_a_time_spill_over(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(WHO)
        await rig.compute.provision(function, 1)

        outcomes = await asyncio.gather(rig.invoke(function, 0.3), rig.invoke(function, 0.3))

        types = sorted(outcome.initialization_type for outcome in outcomes)
        assert types == ["on-demand", "provisioned-concurrency"]
        await asyncio.sleep(0.2)  # until both are free
        assert (await rig.invoke(function)).initialization_type == "provisioned-concurrency"

    run(tmp_path, test)


def test_one_that_is_lost_is_replaced(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(WHO)
        await rig.compute.provision(function, 1)

        assert (await rig.invoke(function, "die")).error == "Unhandled"

        await until(lambda: rig.logs.text.count("init provisioned-concurrency") == 2)
        await asyncio.sleep(0.1)  # until it waits for an event
        assert rig.compute.environments(ARN) == 1
        outcome = await rig.invoke(function)
        assert (outcome.error, outcome.initialization_type) == (None, "provisioned-concurrency")

    run(tmp_path, test)


def test_provisioned_environments_are_not_reaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cumulet.compute import compute

    monkeypatch.setattr(compute, "IDLE_SECONDS", 0.1)

    async def test(rig: Rig) -> None:
        function = rig.function(WHO)
        await rig.compute.provision(function, 1)
        await asyncio.gather(*(rig.invoke(function, 0.2) for _ in range(3)))
        assert rig.compute.environments(ARN) == 3

        await until(lambda: rig.compute.environments(ARN) == 1)
        await asyncio.sleep(0.3)  # some more rounds

        assert rig.compute.environments(ARN) == 1
        assert (await rig.invoke(function)).init_ms is None

    run(tmp_path, test)


def test_the_number_goes_up_and_down(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(WHO)
        for count in (1, 3, 2, 2):
            await rig.compute.provision(function, count)
            await until(lambda count=count: rig.compute.environments(ARN) == count)

        await rig.compute.provision(function, 0)

        await until(lambda: rig.compute.environments() == 0)

    run(tmp_path, test)


def test_releasing_waits_for_what_runs(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(WHO)
        await rig.compute.provision(function, 1)
        running = asyncio.ensure_future(rig.invoke(function, 0.3))
        await asyncio.sleep(0.1)

        await rig.compute.provision(function, 0)

        assert (await running).error is None

    run(tmp_path, test)


def test_an_init_that_fails_is_said(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        with pytest.raises(InitFailed) as raised:
            await rig.compute.provision(rig.function("import nothing_here"), 2)

        assert raised.value.failure_type == "Runtime.ImportModuleError"
        await until(lambda: rig.compute.environments() == 0)

    run(tmp_path, test)


def test_what_cannot_run_here_cannot_be_provisioned(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        with pytest.raises(CannotRun, match="Java"):
            await rig.compute.provision(rig.function(WHO, runtime="java21"), 1)

    run(tmp_path, test)


def test_a_change_of_the_function_ends_what_was_provisioned(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.compute.provision(rig.function(WHO), 1)

        rig.compute.retire(ARN)

        await until(lambda: rig.compute.environments() == 0)
        await asyncio.sleep(0.2)  # nothing replaces it
        assert rig.compute.environments() == 0

    run(tmp_path, test)


def test_a_free_environment_is_frozen_and_goes_on_where_it_was(tmp_path: Path) -> None:
    code = """
import threading, time
count = 0
def tick():
    global count
    while True:
        count += 1
        time.sleep(0.01)
threading.Thread(target=tick, daemon=True).start()
def handler(event, context):
    return count
"""

    async def test(rig: Rig) -> None:
        function = rig.function(code)
        await rig.result(function)
        await asyncio.sleep(0.3)  # it is frozen soon
        first = await rig.result(function)
        await asyncio.sleep(1)
        second = await rig.result(function)

        assert second - first < 50

    run(tmp_path, test)
