"""A server that is killed and started again, on the same folder and port, and the time as its clients know it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import apsw

from cumulet.compute.process_tree import descendants
from cumulet.testing import Cumulet
from cumulet.testing.server import StartError

# Below the ports that the kernel gives to outgoing connections: none of those may take it while the server is down.
PORTS = range(10_240, 32_000)
PATIENCE_SECONDS = 60.0
START_SECONDS = (0.1, 0.5)
"""When a start is interrupted."""
WITHOUT_NAMESPACES = Path(__file__).with_name("without_namespaces")
"""What the server imports first, so that it can't make process namespaces."""


class PlatformTime:
    """Bounds of the platform's time in milliseconds.

    A virtual clock stands between the last advance that was acknowledged and the last that was asked for.
    """

    def __init__(self, *, is_virtual: bool) -> None:
        self.is_virtual = is_virtual
        self._earliest_ms = 0
        self._latest_ms = 0

    def earliest_ms(self) -> int:
        """Return a moment that the platform has reached."""
        return self._earliest_ms if self.is_virtual else time.time_ns() // 1_000_000

    def latest_ms(self) -> int:
        """Return a moment that the platform has not passed."""
        return self._latest_ms if self.is_virtual else time.time_ns() // 1_000_000

    def reaches_for(self, distance_ms: int) -> None:
        """Say that an advance is about to be asked for."""
        self._latest_ms += distance_ms

    def stands_at(self, now_ms: int) -> None:
        """Say that the clock was read."""
        # What was asked before a kill may have run at a later moment than the one to which the clock went back.
        self._latest_ms = max(self._latest_ms, now_ms)
        self._earliest_ms = now_ms


class Victim:
    """The server. `up` is set while it answers; a new `generation` begins with each start."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: str,
        chance: random.Random,
        durability: str = "full",
        has_namespaces: bool = True,
    ) -> None:
        self.time = PlatformTime(is_virtual=clock == "virtual")
        self.generation = 0
        self.up = threading.Event()
        self.start_seconds: list[float] = []
        self.folder = folder
        self.has_namespaces = has_namespaces
        variables = dict(os.environ)
        if not has_namespaces:
            variables["PYTHONPATH"] = f"{WITHOUT_NAMESPACES}{os.pathsep}{variables.get('PYTHONPATH', '')}"
        self.server = Cumulet(folder, clock=clock, durability=durability, port=free_port(chance), variables=variables)

    @property
    def url(self) -> str:
        """Where it answers, the same after every start."""
        return self.server.url

    @property
    def pid(self) -> int:
        """The id of its process, while it runs."""
        assert self.server.process is not None
        return self.server.process.pid

    def start(self) -> list[str]:
        """Start it, for the first time or again; return what is wrong with its clock."""
        began = time.monotonic()
        try:
            self.server.start()
        except StartError:
            self.up.set()  # nobody needs to wait for it any more
            raise
        self.start_seconds.append(time.monotonic() - began)
        flaws = []
        if self.time.is_virtual:
            now_ms = self.server.now_ms()
            if self.generation and not self.time.earliest_ms() <= now_ms <= self.time.latest_ms():
                flaws.append(f"the clock stands at {now_ms}, {now_ms - self.time.earliest_ms()} ms from where it stood")
            if not self.generation:
                self.time.reaches_for(now_ms)
            self.time.stands_at(now_ms)
        self.generation += 1
        self.up.set()
        return flaws

    def start_and_kill(self, chance: random.Random) -> None:
        """Start it, and kill it before it answers or just after."""
        killer = threading.Timer(chance.uniform(*START_SECONDS), self._kill_process)
        killer.start()
        try:
            with contextlib.suppress(StartError):
                self.server.start()
        finally:
            killer.join()
            self.server.kill()

    def _kill_process(self) -> None:
        if self.server.process is not None:
            self.server.process.kill()

    def kill(self) -> None:
        """End it with SIGKILL, whatever it is doing."""
        self.up.clear()
        self.server.kill()

    def stop(self) -> None:
        """Shut it down in order."""
        self.up.clear()
        self.server.stop()

    def spawner(self) -> int | None:
        """Return the process that all processes of functions come from, if there is one."""
        for pid in descendants(self.pid):
            with contextlib.suppress(OSError):
                stat = Path(f"/proc/{pid}/stat").read_text()
                parent = int(stat.rpartition(")")[2].split()[1])
                if parent == self.pid and b"spawner" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return None

    def flaws_of_port(self) -> list[str]:
        """Return what is wrong if nobody can listen on the port now that the server is gone."""
        address = urlsplit(self.url)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address.hostname, address.port))
                probe.listen()
            except OSError as error:
                return [f"port {address.port} is taken though the server is gone: {error}"]
        return []

    def advance(self, milliseconds: int) -> None:
        """Move a virtual clock."""
        self.time.reaches_for(milliseconds)
        self.server.advance(milliseconds=milliseconds)
        self.time.stands_at(self.server.now_ms())

    def flaws_of_store(self, scratch: Path) -> list[str]:
        """Return what SQLite finds wrong with the files that a kill has left, looking at a copy."""
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        for file in self.folder.glob("cumulet.db*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, scratch)
        connection = apsw.Connection(str(scratch / "cumulet.db"))
        try:
            found = connection.pragma("integrity_check")
        finally:
            connection.close()
        return [] if found == "ok" else [f"integrity check: {found}"]


def free_port(chance: random.Random) -> int:
    """Return a port on which nobody listens."""
    while True:
        port = chance.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@contextlib.contextmanager
def running(victim: Victim) -> Iterator[Victim]:
    """Start a server, and leave none behind."""
    victim.start()
    try:
        yield victim
    finally:
        victim.kill()
