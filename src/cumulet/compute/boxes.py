"""Boxes: the sandboxes of execution environments. Programs run in one, see what is in it, and end with it."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cumulet.compute import memory, sandbox
from cumulet.compute.interpreter import Interpreter, find_interpreter
from cumulet.compute.processes import End, Launch, Processes
from cumulet.compute.processes import Process as Launched
from cumulet.compute.variables import Places

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxSpec:
    """What an environment is to have."""

    task: str
    """The folder shown as /var/task, within the folder of `Boxes`."""
    layers: str | None = None
    """The folder shown as /opt, likewise."""
    tmp_mb: int = 512
    memory_mb: int = 128
    has_network: bool = True
    """May it reach more than the platform?"""
    language: str | None = None
    """The folder shown as /var/lang, read-only like the others; None for the installation of Python."""
    runtime: str | None = None
    """The folder shown as /var/runtime; None for what AWS's Python runtime has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is run in a box."""

    arguments: Sequence[str] | None = None
    """The first is a path inside of the box. None: the Python handler that the variables name."""
    variables: Mapping[str, str]
    name: str = "runtime"
    """For people."""


class Process:
    """A program that has been started in a box."""

    def __init__(self, launched: Launched) -> None:
        self._launched = launched
        self.ended: asyncio.Future[End] = launched.ended

    def signal(self, number: int) -> None:
        """Send the program a signal; harmless when it has ended."""
        self._launched.kill()

    def kill(self) -> None:
        """Kill the program; harmless when it has ended."""
        self._launched.kill()


class Box:
    """A box. `listener` is for the Runtime API and its likes; whoever serves it also closes it."""

    def __init__(self, spec: BoxSpec, places: Places, processes: Processes, url: str) -> None:
        self.listener = socket.socket()
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(128)
        self.address = "127.0.0.1:{1}".format(*self.listener.getsockname())
        """What AWS_LAMBDA_RUNTIME_API is inside."""
        self.url = url
        """The platform's, as seen from inside."""
        self.places = places
        self.ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        """Nothing in the box runs any more. How the program ended that ended it, if that is how it ended."""
        self._spec = spec
        self._processes = processes
        self._launched: Launched | None = None

    async def run(self, program: Program, output: int) -> Process:
        """Start a program; `output`, the write end of a pipe, is closed here. Raises OSError."""
        places = self.places
        arguments = program.arguments or [places.executable, "-S", f"{places.runtime}/bootstrap.py"]
        launch = Launch(
            arguments=arguments, variables=program.variables, task=self._spec.task, tmp_mb=self._spec.tmp_mb
        )
        self._launched = await self._processes.start(launch, output)
        self._launched.ended.add_done_callback(lambda ended: self._has_ended(ended.result()))
        return Process(self._launched)

    def freeze(self) -> None:
        """Let nothing in the box go on before `thaw`."""

    def thaw(self) -> None:
        """Let everything go on; costs nothing where nothing was frozen."""

    def kill(self) -> None:
        """Kill everything in the box, and give up what it has; harmless when it has ended."""
        if self._launched is None:
            self._has_ended(End())
        else:
            self._launched.kill()

    def used_bytes(self) -> int:
        """Return the most memory that the programs have used."""
        if self._launched is None or self._launched.first_pid is None:
            return 0
        return memory.used_bytes(self._launched.first_pid, self._spec.memory_mb * MIB)

    @property
    def is_out_of_memory(self) -> bool:
        """Has the kernel killed a program for want of memory?"""
        return False

    def _has_ended(self, end: End) -> None:
        if self.places.temporary is not None:
            shutil.rmtree(self.places.temporary, ignore_errors=True)
        if not self.ended.done():
            self.ended.set_result(end)


class Boxes:
    """All boxes of a platform. What they need is found, and started, when the first is opened."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        """What is shown in boxes is below it."""
        self._url = url
        self._interpreter: Interpreter | None = None
        self._processes: Processes | None = None
        self._preparation: asyncio.Future[Processes] | None = None
        self._numbers = itertools.count(1)

    @property
    def isolation(self) -> str:
        """Return what keeps boxes apart, for people to read."""
        if self._processes is None:
            return "not known before a function has run"
        return self._processes.lacks_isolation or "namespaces"

    async def ready(self) -> None:
        """Make sure that a box can be opened. Raises OSError where it can't."""
        if self._processes is None:
            if self._preparation is None:
                self._preparation = asyncio.get_running_loop().run_in_executor(None, self._prepare)
            try:
                self._processes = await asyncio.shield(self._preparation)
            except OSError:
                self._preparation = None
                raise
        await self._processes.ready()

    async def open(self, spec: BoxSpec) -> Box:
        """Make a box. Raises OSError."""
        await self.ready()
        assert self._processes is not None
        return Box(spec, self._places(spec), self._processes, self._url)

    async def stop(self) -> None:
        """End all boxes, for good."""
        if self._processes is not None:
            await self._processes.stop()

    def _prepare(self) -> Processes:
        try:
            interpreter = find_interpreter()
        except LookupError as error:
            raise FileNotFoundError(str(error)) from error
        root, runtime = self._folder / "root", self._folder / "runtime"
        for folder in (root, runtime):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        for package in interpreter.packages:
            (runtime / package.name).symlink_to(package)
        self._interpreter = interpreter
        return Processes(interpreter, root)

    def _places(self, spec: BoxSpec) -> Places:
        assert self._interpreter is not None and self._processes is not None
        prefix, executable = self._interpreter.prefix, self._interpreter.executable
        if self._processes.lacks_isolation is None:
            inside = f"{sandbox.INTERPRETER}/{executable.relative_to(prefix)}"
            return Places(sandbox.INTERPRETER, inside, sandbox.RUNTIME, sandbox.TASK, None)
        temporary = self._folder / "tmp" / str(next(self._numbers))
        temporary.mkdir(parents=True)
        return Places(str(prefix), str(executable), str(self._folder / "runtime"), spec.task, str(temporary))
