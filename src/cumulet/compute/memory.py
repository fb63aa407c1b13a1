"""How much memory the processes of an environment use."""

from __future__ import annotations

from pathlib import Path

from cumulet.compute.process_tree import descendants

MIB = 1024 * 1024
SAMPLE_SECONDS = 0.1
"""How often memory is looked at, beside the ends of the first invocation and of those that are not short."""
SHORT_SAMPLE_SECONDS = 1.0
"""The same while nothing takes as long as that."""


class MemoryUse:
    """The most memory that an environment has used, as far as somebody looked; boxes come and go."""

    def __init__(self, memory_mb: int) -> None:
        self._limit_bytes = memory_mb * MIB
        self._peak_bytes = 0
        self._looked_at = 0.0

    @property
    def peak_mb(self) -> int:
        """Return the most that was used; AWS never shows more than the limit."""
        return -(-min(self._peak_bytes, self._limit_bytes) // MIB)

    @property
    def is_too_much(self) -> bool:
        """Was more used than is allowed?"""
        return self._peak_bytes > self._limit_bytes

    def is_due(self, now: float, running_seconds: float) -> bool:
        """Is it time to look again, where something has been running so long?"""
        pause_seconds = SAMPLE_SECONDS if running_seconds >= SAMPLE_SECONDS else SHORT_SAMPLE_SECONDS
        return now - self._looked_at > pause_seconds

    def look(self, used_bytes: int, now: float) -> None:
        """Know how much is used."""
        self._looked_at = now
        self._peak_bytes = max(self._peak_bytes, used_bytes)

    def ran_out(self) -> None:
        """Know that the kernel has found it too much."""
        self._peak_bytes = max(self._peak_bytes, self._limit_bytes)


def used_bytes(first_pid: int, limit_bytes: int, inherited_bytes: int) -> int:
    """Return the most memory that was resident of all that comes from a box's first process, without that.

    `inherited_bytes` is what the first program has had from the start and never used: that is not counted.

    Costs some 100 µs for each process. What processes share may count several times, but not if that is what takes the
    sum over `limit_bytes`.
    """
    processes = descendants(first_pid)
    used = max(0, sum(_field(pid, "status", b"VmHWM:") for pid in processes) - inherited_bytes)
    if used > limit_bytes and len(processes) > 1:
        return sum(_field(pid, "smaps_rollup", b"Pss:") for pid in processes)
    return used


def _field(pid: int, file: str, name: bytes) -> int:
    """Return a field of one of a process's files in /proc, in bytes; 0 where the process has ended."""
    try:
        for line in Path(f"/proc/{pid}/{file}").read_bytes().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
