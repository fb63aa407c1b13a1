"""How much memory the processes of an environment use."""

from __future__ import annotations

from pathlib import Path

from cumulet.compute.process_tree import descendants


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
