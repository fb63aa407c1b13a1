"""The first process of an execution environment: it starts the runtime and sees to the end of all that comes of it.

Runs in a fork of the spawner; imports the standard library only. In a process namespace its own end is the end of all
others in there. Without one it adopts the orphans among its descendants, so that it can find and kill them.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
from collections.abc import Iterable
from types import FrameType
from typing import Any, NoReturn

from cumulet.compute.process_tree import descendants
from cumulet.compute.sandbox import TASK, Sandbox, adopt_orphans, die_with_parent

TELEMETRY = 3
"""The descriptor on which the runtime may write frames; the same pipe as its output."""
OPEN_FILES = 1024
"""AWS Lambda quota: file descriptors."""
KILLING_ROUNDS = 1000
EXEC_FAILED = 127


def run(
    request: dict[str, Any], sandbox: Sandbox | None, output: int, reports: socket.socket, lifeline: int
) -> NoReturn:
    """Be an environment until its runtime ends; say how on `reports`. `lifeline` ends when the spawner does."""
    try:
        _close_all_but(output, reports.fileno(), lifeline)
        if sandbox is None:
            adopt_orphans()
            signal.signal(signal.SIGTERM, _end)
            die_with_parent(signal.SIGTERM)
        else:
            die_with_parent(signal.SIGKILL)
        if select.select([lifeline], [], [], 0)[0]:
            os._exit(1)
        if sandbox is not None:
            sandbox.enter(request["task"], request["tmp_mb"])
        runtime = os.fork()
        if not runtime:
            _execute(request, output, TASK if sandbox else request["task"])
        os.close(output)
        status = _wait_for(runtime)
        report = {"id": request["start"], "status": status}
    except OSError as error:
        report = {"id": request["start"], "failure": str(error)}
    reports.send(json.dumps(report).encode())
    if sandbox is None:
        kill_descendants()
    os._exit(0)


def kill_all(processes: Iterable[int]) -> None:
    """Kill processes."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_descendants() -> None:
    """Kill whatever this process has started, until nothing of it is left; for those that adopt orphans."""
    for _ in range(KILLING_ROUNDS):
        processes = descendants(os.getpid())
        if not processes:
            return
        kill_all(processes)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)


def _execute(request: dict[str, Any], output: int, folder: str) -> NoReturn:
    """Become the runtime."""
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for descriptor in (1, 2, TELEMETRY):
            os.dup2(output, descriptor)
        os.closerange(TELEMETRY + 1, os.sysconf("SC_OPEN_MAX"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(folder)
        os.execve(request["arguments"][0], request["arguments"], request["variables"])
    except OSError as error:
        os.write(2, f"{request['arguments'][0]}: {error}\n".encode())
        os._exit(EXEC_FAILED)


def _wait_for(runtime: int) -> int:
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == runtime:
            return status


def _end(number: int, frame: FrameType | None) -> None:
    kill_descendants()
    os._exit(1)


def _close_all_but(*kept: int) -> None:
    low = 3
    for descriptor in sorted(kept):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))
