"""What a server that has ended must not leave behind: processes of its functions, and a port that is taken.

A function's processes are known by a marker in their environment or on their command line, and by the server that
they descend from. Whatever is a descendant of the server that runs now belongs to it.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from victim import Victim

from cumulet.compute.process_tree import descendants

MOST_SECONDS = 1.5
"""How long processes may outlive the server. The kernel needs some milliseconds, more on a busy machine."""
LOOK_SECONDS = 0.01


class Remains:
    """Looks for what is left of a server's functions, all of which carry `marker`."""

    def __init__(self, victim: Victim, marker: str) -> None:
        self._victim = victim
        self._marker = marker.encode()
        self._known: set[tuple[int, int]] = set()
        self.ends: list[float] = []
        """When servers ended, in seconds of the monotonic clock."""
        self.most_processes = 0
        """The largest number of processes that a server had when it ended."""
        self.longest_seconds = 0.0
        """The longest time until nothing was left of a server that was not started again at once."""

    def remember(self) -> None:
        """See what the server has started; to be called just before it ends."""
        self._known = {(pid, born) for pid in descendants(self._victim.pid) if (born := _born(pid))}
        self.most_processes = max(self.most_processes, len(self._known))

    def mark_end(self) -> None:
        """Say that what has started the functions' processes has just ended."""
        self.ends.append(time.monotonic())

    def mark_end_of(self, pid: int) -> None:
        """Say that the process that has started the functions' has been killed, as soon as it has ended."""
        killed = time.monotonic()
        while _born(pid) and time.monotonic() - killed < MOST_SECONDS:
            threading.Event().wait(LOOK_SECONDS)
        self.mark_end()

    def flaws_at_once(self) -> list[str]:
        """Return what is wrong at the moment when the server has ended."""
        self.mark_end()
        return self._victim.flaws_of_port()

    def flaws_while_down(self) -> list[str]:
        """Wait until nothing is left of the server that has ended; return what is."""
        found = self._wait(set())
        self.longest_seconds = max(self.longest_seconds, time.monotonic() - self.ends[-1])
        return found

    def flaws_while_up(self) -> list[str]:
        """Return what is left of before the end beside what descends from the server that runs now."""
        return self._wait({self._victim.pid})

    def flaws_now(self) -> list[str]:
        """Return what is left, without waiting for its end."""
        return [f"when the server has stopped there is still {process}" for process in self._left(set())]

    def marked(self) -> int:
        """Return how many processes of functions there are."""
        return sum(map(self._carries_marker, _processes()))

    def _wait(self, owners: set[int]) -> list[str]:
        while left := self._left(owners):
            if time.monotonic() - self.ends[-1] > MOST_SECONDS:
                return [f"{MOST_SECONDS} s after the end there is still {process}" for process in left]
            threading.Event().wait(LOOK_SECONDS)
        return []

    def _left(self, owners: set[int]) -> list[str]:
        marked = {(pid, born) for pid in _processes() if self._carries_marker(pid) and (born := _born(pid))}
        owned = {process for owner in owners for process in descendants(owner)}
        strays = {(pid, born) for pid, born in marked | self._known if pid not in owned and _born(pid) == born}
        return [f"process {pid}: {_told(pid)}" for pid, _ in sorted(strays)]

    def _carries_marker(self, pid: int) -> bool:
        return any(self._marker in _read(pid, name) for name in ("environ", "cmdline"))


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _born(pid: int) -> int:
    """Return when a process was started, in clock ticks; 0 for one that has ended."""
    state, *rest = _read(pid, "stat").rpartition(b")")[2].split() or (b"Z",)
    return 0 if state in (b"Z", b"X") else int(rest[18])


def _told(pid: int) -> str:
    return _read(pid, "cmdline").replace(b"\0", b" ").decode("utf-8", "replace")


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""  # it has ended, or is not ours
