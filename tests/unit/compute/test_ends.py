"""Nothing outlives its owner: not after `stop`, not after the server or the spawner was killed, with any rights."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from owner import NOBODY, UNABLE
from rig import ARN, Rig, kill, processes_with, run, until

from cumulet.compute.boxes import KEPT_READY
from cumulet.compute.privileges import first_user
from cumulet.compute.process_tree import descendants

RIGHTS = ["own", "user", "none"]
SPRAWLING = """
import os, time
def start(*steps):
    if not os.fork():
        for step in steps:
            step()
        os.execv("/bin/sleep", ["%s", "500.5"])
def handler(event, context):
    if event == "sprawl":
        start()
        start(os.setsid)
        start(os.setsid, lambda: os.fork() and os._exit(0))
        start(os.setsid, lambda: os.fork() and os._exit(0), os.setsid, lambda: os.fork() and os._exit(0))
        time.sleep(0.1)
    if event == "exit":
        os._exit(1)
    if event == "kill init":
        try:
            os.kill(os.getppid(), 9)
        except OSError:
            pass
        time.sleep(0.3)
    return sorted(os.listdir("/proc"))[:1] and os.environ["LAMBDA_TASK_ROOT"]
"""


@contextmanager
def owner(
    folder: Path, rights: str, marker: str, *events: str
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run an owner of environments, yield it with what it has printed, and kill it in the end."""
    command = [
        sys.executable,
        str(Path(__file__).with_name("owner.py")),
        str(folder),
        rights,
        SPRAWLING % marker,
        *events,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line and process.wait() == UNABLE:
                pytest.skip(f"rights like {rights!r} can't be had here")
            yield process, json.loads(line)
        finally:
            process.kill()


def left_of(marker: str, owner: subprocess.Popen[str]) -> set[int]:
    """Return what is left of a function's processes after at most two seconds."""

    async def wait() -> None:
        await until(lambda: not processes_with(marker) - {owner.pid}, 2.0)

    try:
        asyncio.run(wait())
    except TimeoutError:
        return processes_with(marker) - {owner.pid}
    return set()


@pytest.mark.parametrize("rights", RIGHTS)
def test_functions_run_with_any_rights_and_say_what_keeps_them_apart(tmp_path: Path, rights: str) -> None:
    with owner(tmp_path, rights, "marker-of-run", "a", "exit", "b") as (_, said):
        first, failed, last = said["answers"]

        assert failed["errorType"] == "Runtime.ExitError"
        if rights == "none":
            assert said["isolation"].startswith("no namespaces")
            assert first == last
            assert first.startswith(str(tmp_path))
        else:
            kind, *lacking = said["isolation"].split("; ")
            assert kind == "namespaces"
            user = NOBODY if rights == "user" else os.geteuid()
            has_one_user = rights == "user" or first_user() == user
            assert (f"all functions have the user {user}" in lacking) is has_one_user
            assert first == last == "/var/task"


@pytest.mark.parametrize("rights", RIGHTS)
def test_after_a_kill_of_the_owner_no_process_of_a_function_is_left(tmp_path: Path, rights: str) -> None:
    marker = f"marker-of-owner-{rights}"
    with owner(tmp_path, rights, marker, "sprawl", "sprawl") as (process, _):
        assert len(processes_with(marker)) >= 8
        spawned = descendants(process.pid)

        process.kill()

        assert left_of(marker, process) == set()
        assert left_of(str(tmp_path), process) == set()
        asyncio.run(until(lambda: not any(map(exists, spawned)), 2.0))


@pytest.mark.parametrize("rights", RIGHTS)
def test_after_a_kill_of_the_spawner_no_process_of_a_function_is_left(tmp_path: Path, rights: str) -> None:
    marker = f"marker-of-spawner-{rights}"
    with owner(tmp_path, rights, marker, "sprawl") as (process, _):
        (spawner,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()

        kill(int(spawner))

        assert left_of(marker, process) == set()


@pytest.mark.parametrize("rights", RIGHTS)
def test_after_the_exit_of_a_runtime_nothing_that_it_has_started_is_left(tmp_path: Path, rights: str) -> None:
    marker = f"marker-of-exit-{rights}"
    with owner(tmp_path, rights, marker, "sprawl", "exit") as (process, _):
        assert left_of(marker, process) == set()


@pytest.mark.parametrize("rights", RIGHTS)
def test_a_function_that_kills_the_first_process_of_its_environment_gains_nothing(tmp_path: Path, rights: str) -> None:
    marker = f"marker-of-init-{rights}"
    with owner(tmp_path, rights, marker, "sprawl", "kill init", "again") as (process, said):
        assert said["answers"][2] == said["answers"][0]
        process.kill()
        assert left_of(marker, process) == set()


def test_stopping_ends_running_and_free_environments(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        others = descendants(os.getpid())
        function = rig.function("import time\ndef handler(event, context): time.sleep(event)", timeout_seconds=60)
        await asyncio.gather(*(rig.invoke(function, 0.2) for _ in range(3)))
        running = asyncio.create_task(rig.invoke(function, 60))
        await asyncio.sleep(0.05)
        ours = descendants(os.getpid()) - others
        assert len(ours) >= 7

        await rig.compute.stop()

        assert not any(map(exists, ours))
        assert rig.compute.environments() == 0
        assert rig.credentials.valid == {}
        outcome = await running
        assert outcome.error == "Unhandled"

    run(tmp_path, test)


def test_a_killed_spawner_is_replaced_and_what_ran_has_failed(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function("import time\ndef handler(event, context): time.sleep(event); return 'fine'")
        await rig.invoke(function, 0)
        running = asyncio.create_task(rig.invoke(function, 2))
        await asyncio.sleep(0.05)
        kill(*spawners())

        outcome = await running
        assert json.loads(outcome.payload)["errorMessage"].endswith("Runtime exited with error: signal: killed")
        assert await rig.result(function, 0) == "fine"
        assert rig.compute.environments(ARN) == 1

    run(tmp_path, test)


def test_a_spawner_that_is_killed_while_environments_begin_is_replaced(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function("def handler(event, context): return 'fine'")
        starting = [asyncio.create_task(rig.invoke(function)) for _ in range(4)]
        await until(spawners)

        kill(*spawners())

        for outcome in await asyncio.gather(*starting):
            assert outcome.error is None or b"signal: killed" in outcome.payload
        assert await rig.result(function) == "fine"

    run(tmp_path, test)


def test_fifty_environments_leave_no_descriptor_behind(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        good = rig.function("def handler(event, context): return 'fine'")
        bad = rig.function("import os\ndef handler(event, context): os._exit(1)")
        await rig.result(good)
        rig.compute.retire(ARN)
        await until(lambda: rig.compute.environments() == 0 and rig.compute.boxes_ready() == KEPT_READY)
        before = open_descriptors()

        for _ in range(5):
            await asyncio.gather(*(rig.invoke(function) for function in (good, bad) for _ in range(5)))
            rig.compute.retire(ARN)
            await until(lambda: rig.compute.environments() == 0)

        await until(lambda: rig.compute.boxes_ready() == KEPT_READY)
        await until(lambda: open_descriptors() <= before)

    run(tmp_path, test)


def spawners() -> list[int]:
    """Return the process of this one's spawner, if there is any; what it forks has the same name."""
    found = []
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):  # one that has just ended
            status = Path(f"/proc/{pid}/status").read_text()
            if f"PPid:\t{os.getpid()}\n" in status and "spawner.py" in Path(f"/proc/{pid}/cmdline").read_text():
                found.append(pid)
    return found


def exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
