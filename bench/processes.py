"""Servers in processes of their own on the first core; the load runs on the second."""

from __future__ import annotations

import configparser
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import psutil

SERVER_CORE, CLIENT_CORE = 0, 1


@dataclass
class Server:
    """A server under load."""

    url: str
    process: psutil.Process | None = None
    folder: Path | None = None

    def memory_mb(self) -> float:
        """Return the resident memory of the server."""
        return self.process.memory_info().rss / 1e6 if self.process else 0.0

    def cpu_seconds(self) -> float:
        """Return the processor time that the server has used."""
        if self.process is None:
            return 0.0
        times = self.process.cpu_times()
        return times.user + times.system

    def root_key(self) -> tuple[str, str]:
        """Return the root key of a server that enforces signatures."""
        assert self.folder is not None
        credentials = configparser.ConfigParser()
        credentials.read(self.folder / "root-credentials")
        section = credentials["default"]
        return section["aws_access_key_id"], section["aws_secret_access_key"]


def pin_to(core: int) -> None:
    """Keep this process on one core, where there are two."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def unpin() -> None:
    """Let this process run on all cores."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))


@contextmanager
def running(
    command: list[str],
    ready: str,
    folder: Path | None = None,
    *,
    is_pinned: bool = True,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server, on its core alone or on all, until the block ends; `ready` is a pattern whose group is the URL.

    Its environment is this process's, with `variables`.
    """
    with Path(f"{folder}.log" if folder else os.devnull).open("w+b") as log:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE if folder is None else log,
            stderr=log,
            env={**os.environ, **(variables or {})},
            preexec_fn=lambda: pin_to(SERVER_CORE) if is_pinned else unpin(),
        )
        try:
            yield Server(_wait_until_ready(process, ready, folder), psutil.Process(process.pid), folder)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def cumulet(folder: Path, *options: str) -> list[str]:
    """Return the command that starts Cumulet."""
    return [sys.executable, "-m", "cumulet", "start", "--port", "0", "--data", str(folder), "--log", "json", *options]


def _wait_until_ready(process: subprocess.Popen[bytes], ready: str, folder: Path | None) -> str:
    give_up_at = time.monotonic() + 20
    while time.monotonic() < give_up_at and process.poll() is None:
        if folder is None:
            assert process.stdout is not None
            text = process.stdout.readline().decode()
        else:
            text = Path(f"{folder}.log").read_text()
        found = re.search(ready, text)
        if found:
            return found[1]
        time.sleep(0.002)
    raise RuntimeError(f"{command_of(process)} did not start")


def command_of(process: subprocess.Popen[bytes]) -> str:
    """Return a process's command, for messages."""
    return " ".join(map(str, process.args)) if isinstance(process.args, list) else str(process.args)


def first_answer_seconds(command: list[str], url: str, *, compiled: Path) -> float:
    """Return how long a fresh server takes from its start to its first answer.

    Python keeps compiled modules in the folder `compiled`, whatever the environment says of them.
    """
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(compiled)}
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        while time.perf_counter() - started < 20:
            try:
                with urlopen(url, timeout=1) as answer:
                    answer.read()
                return time.perf_counter() - started
            except OSError:
                time.sleep(0.001)
        raise RuntimeError("no answer")
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
