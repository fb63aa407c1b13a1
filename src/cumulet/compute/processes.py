"""The processes of execution environments, seen from the server: the other side of `spawner`."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import orjson

from cumulet.compute.interpreter import Interpreter

SPAWNER = Path(__file__).with_name("spawner.py")
LARGEST_PACKET = 1 << 20
PATIENCE_SECONDS = 5.0

SIGNALS = {
    1: "hangup",
    2: "interrupt",
    3: "quit",
    4: "illegal instruction",
    5: "trace/breakpoint trap",
    6: "aborted",
    7: "bus error",
    8: "floating point exception",
    9: "killed",
    10: "user defined signal 1",
    11: "segmentation fault",
    12: "user defined signal 2",
    13: "broken pipe",
    14: "alarm clock",
    15: "terminated",
}
"""AWS: how the messages of Runtime.ExitError name signals."""


@dataclass(frozen=True, slots=True)
class End:
    """How a runtime has ended."""

    status: int = signal.SIGKILL
    """As wait(2) has it."""
    failure: str | None = None
    """Why it never began."""

    @property
    def message(self) -> str:
        """Return AWS's words for it."""
        if self.failure is not None:
            return f"Runtime failed to start: {self.failure}"
        if self.status:
            return f"Runtime exited with error: {self.reason}"
        return "Runtime exited without providing a reason"

    @property
    def reason(self) -> str:
        """Return it as AWS has it of an extension."""
        if self.failure is not None:
            return self.failure
        if os.WIFSIGNALED(self.status):
            number = os.WTERMSIG(self.status)
            return f"signal: {SIGNALS.get(number, number)}"
        code = os.WEXITSTATUS(self.status)
        return f"exit status {code}" if code else "exit code 0"


class Launch(TypedDict):
    """What the spawner starts."""

    arguments: Sequence[str]
    variables: Mapping[str, str]
    task: str
    """The folder with the code."""
    tmp_mb: int


class Process:
    """The processes of one environment."""

    def __init__(self, number: int, processes: Processes) -> None:
        self._number = number
        self._processes = processes
        self.first_pid: int | None = None
        """The process that all others come from, once it is known."""
        self.ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()

    def kill(self) -> None:
        """Kill everything in the environment; harmless when it has ended."""
        if not self.ended.done():
            self._processes.send({"kill": self._number})


class Processes:
    """The spawner, started when it is first needed, and again when somebody has killed it."""

    def __init__(self, interpreter: Interpreter, root: Path) -> None:
        self._interpreter = interpreter
        self._root = root
        """An empty folder."""
        self._numbers = itertools.count(1)
        self._running: dict[int, Process] = {}
        self._spawner: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        """There while the spawner is."""
        self._ready: asyncio.Future[None] | None = None
        self._to_send: deque[tuple[bytes, list[int]]] = deque()
        self._is_stopped = False
        self.lacks_isolation: str | None = None
        """Why environments aren't kept apart by namespaces, None if they are; known once `ready` has returned."""

    async def ready(self) -> None:
        """Make sure that there is a spawner. Raises OSError where it can't be had."""
        if self._is_stopped:
            raise ConnectionError("the platform is stopping")
        if self._ready is None:
            self._start_spawner()
            self._ready = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._ready)

    async def start(self, launch: Launch, output: int) -> Process:
        """Start a runtime in an environment of its own; `output` is closed here. Raises OSError."""
        try:
            await self.ready()
        except OSError:
            os.close(output)
            raise
        number = next(self._numbers)
        process = self._running[number] = Process(number, self)
        self.send({"start": number, **launch}, output)
        return process

    def send(self, request: Mapping[str, Any], *descriptors: int) -> None:
        """Send a packet to the spawner as soon as it takes one; the descriptors are closed then."""
        self._to_send.append((orjson.dumps(request), list(descriptors)))
        if len(self._to_send) == 1:
            self._flush()

    async def stop(self) -> None:
        """End everything, the spawner too, for good."""
        self._is_stopped = True
        if self._socket is not None:
            await self._lose_spawner()

    def _start_spawner(self) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            try:
                self._spawner = subprocess.Popen(
                    [str(self._interpreter.executable), "-I", "-S", str(SPAWNER)],
                    stdin=its.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
                    cwd="/",
                    start_new_session=True,  # Ctrl-C on a terminal is for the server alone
                )
            except OSError:
                ours.close()
                raise
        ours.setblocking(False)
        self._socket = ours
        asyncio.get_running_loop().add_reader(ours, self._receive)
        packages = [str(path) for path in self._interpreter.packages]
        self.send({"root": str(self._root), "interpreter": str(self._interpreter.prefix), "packages": packages})

    def _flush(self) -> None:
        spawner = self._socket
        if spawner is None:
            self._lose_spawner()
            return
        loop = asyncio.get_running_loop()
        try:
            while self._to_send:
                packet, descriptors = self._to_send[0]
                socket.send_fds(spawner, [packet], descriptors)
                _close(self._to_send.popleft()[1])
        except BlockingIOError:
            loop.add_writer(spawner, self._flush)
        except OSError:
            self._lose_spawner()
        else:
            loop.remove_writer(spawner)

    def _receive(self) -> None:
        assert self._socket is not None
        try:
            packet = self._socket.recv(LARGEST_PACKET)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if packet:
            self._heed(orjson.loads(packet))
        else:
            self._lose_spawner()

    def _heed(self, message: dict[str, Any]) -> None:
        if "started" in message:
            self._running[message["started"]].first_pid = message["pid"]
        elif "ended" in message:
            ended = self._running.pop(message["ended"]).ended
            ended.set_result(End(message.get("status", signal.SIGKILL), message.get("failure")))
        elif "isolation" in message:
            self.lacks_isolation = message["isolation"]
            if self._ready is not None:
                self._ready.set_result(None)
        else:
            context = {"message": f"the spawner of execution environments failed: {message['crashed']}"}
            asyncio.get_running_loop().call_exception_handler(context)

    def _lose_spawner(self) -> asyncio.Future[None]:
        """Let the spawner go, and take all that it has started for dead: it and the kernel see to that.

        Return what is done when nothing is left.
        """
        loop = asyncio.get_running_loop()
        if self._socket is not None:
            loop.remove_reader(self._socket)
            loop.remove_writer(self._socket)
            self._socket.close()
        for _, descriptors in self._to_send:
            _close(descriptors)
        self._to_send.clear()
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(ConnectionError("the spawner of execution environments has ended"))
            self._ready.exception()  # it need not interest anybody
        running, self._running = self._running, {}
        for process in running.values():
            process.ended.set_result(End())
        spawner, self._socket, self._spawner, self._ready = self._spawner, None, None, None
        return loop.run_in_executor(None, _wait_for, spawner)


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _wait_for(spawner: subprocess.Popen[bytes] | None) -> None:
    """Wait until the spawner has ended, which it does as soon as everything that it started has."""
    if spawner is None:
        return
    try:
        spawner.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        spawner.kill()
        spawner.wait()
