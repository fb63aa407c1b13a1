"""The processes that run functions, as the operating system lists them: all that the server has started."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from time import perf_counter

import psutil


def started_by(pid: int) -> list[psutil.Process]:
    """Return all descendants of a process."""
    return psutil.Process(pid).children(recursive=True)


def wait_until_gone(processes: Sequence[psutil.Process], seconds: float) -> int:
    """Return once none of these lives, or after `seconds`: how many still do."""
    give_up_at = perf_counter() + seconds
    while (left := sum(map(_lives, processes))) and perf_counter() < give_up_at:
        Event().wait(0.001)
    return left


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
