"""All boxes of a platform. Some are kept ready: what takes longest about one doesn't depend on what it is for."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from cumulet.compute import sandbox
from cumulet.compute.box import Box, BoxSpec, Process, Program
from cumulet.compute.box_network import RUNTIME_API
from cumulet.compute.cgroups import Groups
from cumulet.compute.interpreter import Interpreter, find_interpreter
from cumulet.compute.privileges import USERS
from cumulet.compute.processes import Facts, Processes
from cumulet.compute.relay import Relay
from cumulet.compute.variables import Places, interpreter_variables
from cumulet.kernel.log import log_line

__all__ = ["Box", "BoxSpec", "Boxes", "Process", "Program", "Serve"]

Serve = Callable[[socket.socket], Awaitable[asyncio.Server]]
"""Lets the platform answer requests on one more listening socket."""
WHOLE = "namespaces"
"""What keeps boxes apart where nothing is lacking."""
KEPT_READY = 3
TRIES = 5
"""Boxes end without a fault of theirs when somebody kills the spawner."""
REFILL_AFTER_SECONDS = 0.1
"""Whoever has just taken a box has better use for the processors."""
BACKLOG = 128


class Means(msgspec.Struct, frozen=True):
    """What boxes are made with, once the first is to be."""

    interpreter: Interpreter
    processes: Processes
    groups: Groups


class Boxes:
    """All boxes. What they need is found, and started, when the first is opened."""

    def __init__(self, folder: Path, url: str, serve: Serve | None = None, *, has_own_network: bool = True) -> None:
        """`serve` is for the endpoint inside of boxes that have networks of their own."""
        self._folder = folder
        self._url = url
        self._serve = serve
        self._has_own_network = has_own_network
        self._means: Means | None = None
        self._facts: Facts | None = None
        self._preparation: asyncio.Future[Means] | None = None
        self._numbers = itertools.count(1)
        self._blank: deque[Box] = deque()
        """Those that are not for anything yet."""
        self._refilling: asyncio.TimerHandle | None = None
        self._work: asyncio.Task[None] | None = None
        """What makes boxes ready."""

    @property
    def isolation(self) -> str:
        """Return what keeps boxes apart and what doesn't, for people to read."""
        if self._facts is None or self._means is None:
            return "not known before a function has run"
        if self._facts.isolation is not None:
            return f"{self._facts.isolation}; functions see this machine's files, processes and network"
        user = f"all functions have the user {self._facts.first_user}" if self._facts.have_one_user else None
        lacking = [user, self._facts.network, self._facts.outside, self._means.groups.lacks]
        return "; ".join([WHOLE, *(reason for reason in lacking if reason is not None)])

    @property
    def kept_ready(self) -> int:
        """Return how many boxes are ready for somebody to open them."""
        return sum(not box.ended.done() for box in self._blank)

    async def ready(self) -> None:
        """Make sure that a box can be opened. Raises OSError where it can't."""
        if self._means is None:
            if self._preparation is None:
                self._preparation = asyncio.get_running_loop().run_in_executor(None, self._prepare)
            try:
                self._means = await asyncio.shield(self._preparation)
            except OSError:
                self._preparation = None
                raise
        facts = await self._spawner_ready(self._means.processes)
        if self._facts is None:
            self._facts = facts
            if self.isolation != WHOLE:
                log_line(f"functions are not kept apart as on AWS: {self.isolation}")
        self._facts = facts

    async def _spawner_ready(self, processes: Processes) -> Facts:
        for _ in range(TRIES - 1):
            try:
                return await processes.ready()
            except ConnectionError:
                if processes.is_stopped:
                    raise
        return await processes.ready()

    def begin(self, after: Callable[[], Awaitable[None]]) -> None:
        """Get ready, and some boxes too, for those who will open some; `after` is awaited first."""
        if self._work is None:
            self._work = asyncio.get_running_loop().create_task(self._begin(after))

    async def open(self, spec: BoxSpec) -> Box:
        """Return a box that is like this. Raises OSError."""
        box = None
        for _ in range(TRIES):
            await self.ready()
            box = self._take() or await self._make()
            try:
                await self._furnish(box, spec)
            except OSError:
                box.kill()
                if not box.was_lost:
                    raise
            else:
                break
        if box is None or box.was_lost:
            raise ConnectionError("the spawner of execution environments ends again and again")
        if self._refilling is None and (self._work is None or self._work.done()):
            self._refilling = asyncio.get_running_loop().call_later(REFILL_AFTER_SECONDS, self._refill)
        return box

    async def stop(self) -> None:
        """End all boxes, for good."""
        if self._refilling is not None:
            self._refilling.cancel()
        if self._work is not None:
            self._work.cancel()
        if self._means is not None:
            await self._means.processes.stop()
            await asyncio.get_running_loop().run_in_executor(None, self._means.groups.remove)

    async def _make(self) -> Box:
        """Begin a box."""
        assert self._means is not None and self._facts is not None
        facts, means, number = self._facts, self._means, next(self._numbers)
        group = None
        if facts.isolation is None:
            group = await asyncio.get_running_loop().run_in_executor(None, means.groups.make, number)
        user = facts.first_user + (0 if facts.have_one_user else number % USERS)
        box = Box(facts, user, group, means.groups)
        box.begin(lambda descriptors: means.processes.open(number, descriptors))
        return box

    async def _furnish(self, box: Box, spec: BoxSpec) -> None:
        """Make a box what it is for."""
        doors = await asyncio.shield(box.doors)
        box.places, box.url = self._places(spec), self._url
        box.variables_at_start = self._variables_at_start()
        box.fill(spec, _folders(spec))
        if not doors:
            box.listener = _listener()
            box.address = "127.0.0.1:{1}".format(*box.listener.getsockname())
            return
        box.listener, platform, *way_out = doors
        box.address = "{}:{}".format(*RUNTIME_API)
        if self._serve is not None:
            box.serve(await self._serve(platform))
        else:
            platform.close()
        if way_out and spec.has_network:
            relay = Relay(*way_out)
            await relay.open()
            box.serve(relay)
        else:
            for door in way_out:
                door.close()

    def _take(self) -> Box | None:
        """Return a box that is kept ready."""
        while self._blank:
            if not (box := self._blank.popleft()).ended.done():
                return box
        return None

    async def _begin(self, after: Callable[[], Awaitable[None]]) -> None:
        try:
            await after()
            await self.ready()
        except OSError:
            return  # who opens a box is told
        await self._make_blank()

    def _refill(self) -> None:
        self._refilling = None
        self._work = asyncio.get_running_loop().create_task(self._make_blank())

    async def _make_blank(self) -> None:
        """Make boxes ready, one after the other."""
        while self.kept_ready < KEPT_READY:
            box = await self._make()
            try:
                await asyncio.shield(box.doors)
            except OSError:
                return  # whoever opens the next one is told why
            self._blank.append(box)

    def _prepare(self) -> Means:
        try:
            interpreter = find_interpreter()
            executable = f"{sandbox.INTERPRETER}/{interpreter.executable.relative_to(interpreter.prefix)}"
        except (LookupError, ValueError) as error:
            raise FileNotFoundError(str(error)) from error
        root, runtime = self._folder / "root", self._folder / "runtime"
        for folder in (root, runtime):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        for package in interpreter.packages:
            (runtime / package.name).symlink_to(package)
        endpoint = None
        if self._has_own_network:
            parts = urlsplit(self._url)
            endpoint = (parts.hostname, parts.port)
        beginning = {
            "root": str(root.resolve()),
            "interpreter": str(interpreter.prefix),
            "executable": executable,
            "packages": [str(path) for path in interpreter.packages],
            "variables": self._variables_at_start(),
            "endpoint": endpoint,
        }
        return Means(interpreter, Processes(interpreter.executable, beginning), Groups())

    def _variables_at_start(self) -> dict[str, str]:
        places = Places(sandbox.INTERPRETER, "", sandbox.RUNTIME, sandbox.TASK, None, sandbox.LAYERS)
        return interpreter_variables(places)

    def _places(self, spec: BoxSpec) -> Places:
        assert self._means is not None and self._facts is not None
        interpreter = self._means.interpreter
        if self._facts.isolation is None:
            inside = f"{sandbox.INTERPRETER}/{interpreter.executable.relative_to(interpreter.prefix)}"
            return Places(sandbox.INTERPRETER, inside, sandbox.RUNTIME, sandbox.TASK, None, sandbox.LAYERS)
        temporary = self._folder.absolute() / "tmp" / str(next(self._numbers))
        temporary.mkdir(parents=True)
        return Places(
            spec.language or str(interpreter.prefix),
            str(interpreter.executable),
            spec.runtime or str(self._folder.absolute() / "runtime"),
            spec.task,
            str(temporary),
            spec.layers or sandbox.LAYERS,
        )


def _folders(spec: BoxSpec) -> dict[str, str | None]:
    """Return where the folders of the machine are shown; what is not here stays as the spawner has it."""
    layers = None if spec.layers is None else os.path.realpath(spec.layers)
    shown: dict[str, str | None] = {sandbox.TASK: os.path.realpath(spec.task), sandbox.LAYERS: layers}
    for inside, outside in ((sandbox.INTERPRETER, spec.language), (sandbox.RUNTIME, spec.runtime)):
        if outside is not None:
            shown[inside] = os.path.realpath(outside)
    return shown


def _listener() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(BACKLOG)
    return listener
