"""A box: the sandbox of one execution environment. Programs run in it, see what is in it, and end with it."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from cumulet.compute import memory
from cumulet.compute.cgroups import Group, Groups
from cumulet.compute.processes import LARGEST_PACKET, End, Facts, First
from cumulet.compute.relay import Relay
from cumulet.compute.variables import Places

MOST_DESCRIPTORS = 8
MANY_PROCESSES = 64
"""More aren't asked one by one how much memory they use."""
CLEARING_SECONDS = 5.0
"""After this a box in which something can't be killed is killed itself."""
AT_START = ("LD_", "PYTHON", "LC_", "LANG", "MALLOC_", "GLIBC_", "GCONV_", "OPENSSL_", "TZ")
"""How variables begin that a process heeds only when it starts."""


class BoxSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What an environment is to have. The folders are absolute paths, and shown read-only."""

    task: str
    """Shown as /var/task."""
    layers: str | None = None
    """Shown as /opt."""
    tmp_mb: int = 512
    memory_mb: int = 128
    has_network: bool = True
    """May it reach more than the platform?"""
    language: str | None = None
    """Shown as /var/lang; None for the installation of Python."""
    runtime: str | None = None
    """Shown as /var/runtime; None for what AWS's Python runtime has."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What is run in a box."""

    arguments: Sequence[str] | None = None
    """The first is a path inside of the box. None: the Python handler that the variables name."""
    variables: Mapping[str, str]
    name: str = "runtime"
    """For people."""


class Process:
    """A program that has been started in a box."""

    def __init__(self, number: int, box: Box) -> None:
        self._number = number
        self._box = box
        self.ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        """The program has ended; what it has started may go on."""

    def signal(self, number: int) -> None:
        """Send the program a signal, and no other in the box; harmless when it has ended."""
        if not self.ended.done():
            self._box.send({"signal": self._number, "number": number})

    def kill(self) -> None:
        """Kill the program, and no other in the box; harmless when it has ended."""
        self.signal(signal.SIGKILL)


class Box:
    """A box, made before it is known what for, and then filled.

    `listener` is for the Runtime API and its likes; whoever serves it closes it. What the box has of its own is there
    until `ended`.
    """

    listener: socket.socket
    address: str
    """What AWS_LAMBDA_RUNTIME_API is inside."""
    url: str
    """The platform's, as seen from inside."""
    places: Places
    variables_at_start: Mapping[str, str]
    """Those that the spawner has, for what a process heeds when it starts: with others, a runtime can't be a fork."""

    def __init__(self, facts: Facts, user: int, group: Group | None, groups: Groups) -> None:
        self.facts = facts
        self.user = user
        self.ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        """Nothing in the box runs any more. How the program ended that ended first, if one did by itself."""
        self.doors: asyncio.Future[list[socket.socket]] = asyncio.get_running_loop().create_future()
        """The sockets that the box listens on, none if it has no network of its own."""
        self._group = group
        self._groups = groups
        self._control, self._its_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        self._to_send: deque[tuple[bytes, list[int]]] = deque()
        self._first: First | None = None
        self._spec: BoxSpec | None = None
        self._numbers = itertools.count(1)
        self._programs: dict[int, Process] = {}
        self._sockets: deque[asyncio.Future[socket.socket]] = deque()
        """What is asked for."""
        self._end: End | None = None
        self._served: list[asyncio.Server | Relay] = []
        self.is_frozen = False
        self._inherited_bytes = 0
        """How much of their memory programs have from the spawner."""
        self._has_killed = False
        self._kills_before = 0
        self._cleared: asyncio.Future[None] | None = None
        if facts.network is not None:
            self.doors.set_result([])

    def begin(self, open_first: Callable[[Sequence[int]], First]) -> None:
        """Start the first process, by a function that takes the descriptors it needs and closes them."""
        descriptors = [self._its_control.detach()]
        if self._group is not None:
            descriptors += self._group.doors()
        asyncio.get_running_loop().add_reader(self._control, self._receive)
        self._first = open_first(descriptors)
        self._first.ended.add_done_callback(lambda _: self._has_ended())

    def fill(self, spec: BoxSpec, folders: Mapping[str, str | None]) -> None:
        """Give the box what it is for; `folders` of the machine are shown at the paths that are their keys."""
        self._spec = spec
        if self._group is not None:
            # What is in /tmp counts as memory to the kernel, but not to AWS: `used_bytes` sees to the exact limit.
            self._group.limit((spec.memory_mb + spec.tmp_mb) * memory.MIB)
        request = {"folders": folders, "tmp_mb": spec.tmp_mb, "network": spec.has_network, "user": self.user}
        self.send({"fill": True, **request})

    def serve(self, served: asyncio.Server | Relay) -> None:
        """Keep what is served to the box, to close it when the box has ended."""
        if self.ended.done():
            served.close()
        else:
            self._served.append(served)

    async def run(self, program: Program, output: int) -> Process:
        """Start a program; `output`, the write end of a pipe, is closed here.

        If it can't be started, its `ended` says why.
        """
        number = next(self._numbers)
        process = Process(number, self)
        if self.ended.done():
            os.close(output)
            process.ended.set_result(self.ended.result())
            return process
        if self.user != os.geteuid():
            os.fchown(output, self.user, -1)  # for those that open /dev/stdout
        self.thaw()
        self._programs[number] = process
        arguments = program.arguments
        if arguments is None and not self._can_fork(program.variables):
            arguments = [self.places.executable, "-S", f"{self.places.runtime}/bootstrap.py"]
        if arguments is None:
            self._inherited_bytes = self.facts.inherited_bytes
        request = {"arguments": arguments, "variables": program.variables, "folder": self.places.task}
        self.send({"run": number, "is_runtime": program.name == "runtime", **request}, output)
        return process

    async def new_socket(self) -> socket.socket:
        """Return a TCP socket in the box's network, not connected yet. Raises OSError when the box has ended."""
        if self.facts.network is not None:
            return socket.socket()
        if self.ended.done():
            raise ConnectionError("the execution environment has ended")
        self._sockets.append(asyncio.get_running_loop().create_future())
        made = self._sockets[-1]
        self.send({"socket": True})
        return await made

    def freeze(self) -> None:
        """Let nothing in the box go on before `thaw`. That and this cost some 50 µs."""
        if not self.is_frozen and not self.ended.done():
            self._set_frozen(True)

    def thaw(self) -> None:
        """Let everything go on; costs nothing where nothing was frozen."""
        if self.is_frozen and not self.ended.done():
            self._set_frozen(False)

    def clear(self) -> asyncio.Future[None]:
        """Kill all programs with what they have started; the box and its /tmp stay.

        Return what is done when nothing runs any more, or when the box has ended.
        """
        if self._cleared is None:
            loop = asyncio.get_running_loop()
            self._cleared = cleared = loop.create_future()
            if self.ended.done():
                cleared.set_result(None)
                return cleared
            self.thaw()
            self.send({"clear": True})
            patience = loop.call_later(CLEARING_SECONDS, self.kill)
            cleared.add_done_callback(lambda _: patience.cancel())
        return self._cleared

    def begin_again(self) -> None:
        """Know nothing of the programs that were killed by `clear`."""
        self._end = None
        self._has_killed = False
        if self._group is not None:
            self._kills_before = self._group.kills()

    def kill(self) -> None:
        """Kill everything in the box, and give up what it has; harmless when it has ended."""
        if self._first is not None:
            self._first.kill()

    def used_bytes(self) -> int:
        """Return the most memory that the programs have used, without what Python runtimes have from the spawner."""
        if self._spec is None or self._first is None or self._first.pid is None:
            return 0
        if self._group is not None and self._group.processes() > MANY_PROCESSES:
            return self._group.used_bytes()
        limit_bytes = self._spec.memory_mb * memory.MIB
        return memory.used_bytes(self._first.pid, limit_bytes, self._inherited_bytes)

    @property
    def is_out_of_memory(self) -> bool:
        """Has the kernel killed a program for want of memory?"""
        self._look_for_kills()
        return self._has_killed

    @property
    def is_running(self) -> bool:
        """Is the box there, as far as the kernel knows? Costs a microsecond."""
        return self._first is not None and self._first.is_running

    @property
    def was_lost(self) -> bool:
        """Has the box ended although nothing was wrong with it?"""
        return self.ended.done() and self.ended.result().failure is None

    def send(self, request: Mapping[str, Any], *descriptors: int) -> None:
        """Send a packet to the first process; descriptors are closed when it has gone, or can't go."""
        if self.ended.done():
            _close(descriptors)
            return
        self._to_send.append((orjson.dumps(request), list(descriptors)))
        if len(self._to_send) == 1:
            self._flush()

    def _can_fork(self, variables: Mapping[str, str]) -> bool:
        """Can a Python runtime with these variables be a fork of the spawner?"""
        return self.facts.isolation is None and _heeded_at_start(variables) == _heeded_at_start(self.variables_at_start)

    def _look_for_kills(self) -> None:
        if self._group is not None and not self._has_killed:
            self._has_killed = self._group.kills() > self._kills_before

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._to_send:
                packet, descriptors = self._to_send[0]
                socket.send_fds(self._control, [packet], descriptors)
                _close(self._to_send.popleft()[1])
        except BlockingIOError:
            loop.add_writer(self._control, self._flush)
            return
        except OSError:
            self._drop_packets()  # the box has ended, or will: `_has_ended` comes
        loop.remove_writer(self._control)

    def _drop_packets(self) -> None:
        for _, descriptors in self._to_send:
            _close(descriptors)
        self._to_send.clear()

    def _receive(self) -> None:
        while True:
            try:
                packet, descriptors, _, _ = socket.recv_fds(self._control, LARGEST_PACKET, MOST_DESCRIPTORS)
            except BlockingIOError:
                return
            except OSError:
                packet = b""
            if not packet:
                asyncio.get_running_loop().remove_reader(self._control)
                return
            self._heed(orjson.loads(packet), [socket.socket(fileno=descriptor) for descriptor in descriptors])

    def _heed(self, message: dict[str, Any], sockets: list[socket.socket]) -> None:
        if "ended" in message:
            process = self._programs.pop(message["ended"])
            end = End(message.get("status", signal.SIGKILL), message.get("failure"))
            if self._end is None:
                self._end = end
            process.ended.set_result(end)
        elif "cleared" in message:
            if self._cleared is not None:
                cleared, self._cleared = self._cleared, None
                cleared.set_result(None)
        elif "doors" in message:
            self.doors.set_result(sockets)
        elif "socket" in message:
            made = self._sockets.popleft()
            if made.done():  # nobody waits for it any more
                sockets[0].close()
            else:
                made.set_result(sockets[0])
        else:
            self._end = End(failure=message["failed"])

    def _set_frozen(self, is_frozen: bool) -> None:
        self.is_frozen = is_frozen
        if self._group is not None and self._group.can_freeze:
            self._group.freeze(is_frozen)
        else:
            self.send({"stop" if is_frozen else "go": True})

    def _has_ended(self) -> None:
        """Nothing runs any more."""
        self._receive()  # what it has said before
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._control)
        loop.remove_writer(self._control)
        self._control.close()
        self._drop_packets()
        end = self._end or End()
        for process in self._programs.values():
            process.ended.set_result(end if end.failure is not None else End())
        self._programs.clear()
        for made in self._sockets:
            if not made.done():
                made.set_exception(ConnectionError("the execution environment has ended"))
        if not self.doors.done():
            self.doors.set_exception(ConnectionError(end.failure or "the execution environment has ended"))
            self.doors.exception()  # it need not interest anybody
        for served in self._served:
            served.close()
        if self._spec is None and not self.doors.exception():
            for door in self.doors.result():
                door.close()
        if self._group is not None:
            self._look_for_kills()
            self._groups.give_back(self._group)
            self._group = None
        if self._spec is not None and self.places.temporary is not None:
            shutil.rmtree(self.places.temporary, ignore_errors=True)
        if self._cleared is not None:
            self._cleared.set_result(None)
        self.ended.set_result(end)


def _heeded_at_start(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name.startswith(AT_START)}


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
