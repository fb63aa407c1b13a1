"""The first processes of boxes, seen from the server: the other side of `spawner`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import orjson

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


class End(msgspec.Struct, frozen=True):
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


class Facts(msgspec.Struct, frozen=True):
    """What boxes are like here, as the spawner has found out."""

    isolation: str | None
    """Why there are no namespaces, None if there are."""
    network: str | None
    """Why boxes have no network of their own."""
    outside: str | None
    """Why boxes reach no other machine."""
    first_user: int
    """The lowest user id of boxes; the server's own if all have that."""
    inherited_bytes: int
    """How much memory a Python runtime has from the spawner."""

    @property
    def have_one_user(self) -> bool:
        """Have all boxes the server's own user? It isn't root, or there are too few ids here."""
        return self.first_user == os.geteuid()


class First:
    """The first process of a box."""

    def __init__(self, number: int, processes: Processes) -> None:
        self.number = number
        self._processes = processes
        self.pid: int | None = None
        """Once it is known."""
        self.handle: int | None = None
        """The descriptor that stands for the process, while it is known."""
        self._poll: select.poll | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """It has ended, and everything that came of it."""

    def kill(self) -> None:
        """Kill it with everything in the box; harmless when it has ended."""
        if not self.ended.done():
            self._processes.send({"kill": self.number})

    def opened(self, pid: int, handle: int) -> None:
        """It has begun."""
        self.pid, self.handle = pid, handle
        self._poll = select.poll()
        self._poll.register(handle, select.POLLIN)

    @property
    def is_running(self) -> bool:
        """Does it run, as far as the kernel knows at this moment? That can be before anybody has been told."""
        return self._poll is not None and not self._poll.poll(0)

    def lose(self, number: int) -> None:
        """End it with a signal, as there is no spawner that would; `ended` when it has, not before."""
        if self.handle is None:
            self.end()
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(self.handle, number)
        asyncio.get_running_loop().add_reader(self.handle, self.end)

    def end(self) -> None:
        """It has ended."""
        if self.handle is not None:
            asyncio.get_running_loop().remove_reader(self.handle)
            os.close(self.handle)
            self.handle = self._poll = None
        if not self.ended.done():
            self.ended.set_result(None)


class Processes:
    """The spawner, started when it is first needed, and again when somebody has killed it."""

    def __init__(self, executable: Path, beginning: Mapping[str, Any]) -> None:
        self._executable = executable
        self._beginning = beginning
        """The first packet to a spawner."""
        self._running: dict[int, First] = {}
        self._spawner: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        """There while the spawner is."""
        self._ready: asyncio.Future[Facts] | None = None
        self._to_send: deque[tuple[bytes, list[int]]] = deque()
        self._end_signal = signal.SIGTERM
        """With it, first processes end what is in their boxes."""
        self.is_stopped = False

    async def ready(self) -> Facts:
        """Make sure that there is a spawner. Raises OSError where it can't be had."""
        if self.is_stopped:
            raise ConnectionError("the platform is stopping")
        if self._ready is None:
            self._start_spawner()
            self._ready = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._ready)

    def open(self, number: int, descriptors: Sequence[int]) -> First:
        """Fork the first process of a box; the descriptors are closed here."""
        first = self._running[number] = First(number, self)
        self.send({"open": number}, *descriptors)
        return first

    def send(self, request: Mapping[str, Any], *descriptors: int) -> None:
        """Send a packet to the spawner as soon as it takes one; the descriptors are closed then."""
        self._to_send.append((orjson.dumps(request), list(descriptors)))
        if len(self._to_send) == 1:
            self._flush()

    async def stop(self) -> None:
        """End everything, the spawner too, for good."""
        self.is_stopped = True
        running = [first.ended for first in self._running.values()]
        if self._socket is not None:
            await self._lose_spawner()
        if running:
            await asyncio.wait(running, timeout=PATIENCE_SECONDS)

    def _start_spawner(self) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            try:
                self._spawner = subprocess.Popen(
                    [str(self._executable), "-I", "-S", str(SPAWNER)],
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
        self.send(self._beginning)

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
            packet, descriptors, _, _ = socket.recv_fds(self._socket, LARGEST_PACKET, 1)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if packet:
            self._heed(orjson.loads(packet), descriptors)
        else:
            self._lose_spawner()

    def _heed(self, message: dict[str, Any], descriptors: list[int]) -> None:
        if "opened" in message:
            self._running[message["opened"]].opened(message["pid"], descriptors[0])
        elif "ended" in message:
            self._running.pop(message["ended"]).end()
        elif "isolation" in message:
            facts = Facts(**message)
            self._end_signal = signal.SIGTERM if facts.isolation is not None else signal.SIGKILL
            if self._ready is not None:
                self._ready.set_result(facts)
        else:
            context = {"message": f"the spawner of execution environments failed: {message['crashed']}"}
            asyncio.get_running_loop().call_exception_handler(context)

    def _lose_spawner(self) -> asyncio.Future[None]:
        """Let the spawner go, and end all that it has started. Return what is done when it has ended."""
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
        spawner, self._socket, self._spawner, self._ready = self._spawner, None, None, None
        for first in running.values():
            first.lose(self._end_signal)
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
