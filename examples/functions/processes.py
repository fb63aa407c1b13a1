"""The processes of a function, as the operating system lists them."""

from __future__ import annotations

from threading import Event, Thread
from time import perf_counter

import psutil

LOOK_SECONDS = 0.05


def having(variable: str, value: str) -> list[psutil.Process]:
    """Return the processes that have an environment variable with this value."""
    found = psutil.process_iter(["environ"])
    return [process for process in found if (process.info["environ"] or {}).get(variable) == value]


def wait_until_none(variable: str, value: str, seconds: float) -> int:
    """Return once no process has this variable, or after `seconds`: how many still have it."""
    give_up_at = perf_counter() + seconds
    while (left := len(having(variable, value))) and perf_counter() < give_up_at:
        Event().wait(0.001)
    return left


class Watch:
    """Counts processes again and again while its block runs."""

    def __init__(self, variable: str, value: str) -> None:
        self.looks = 0
        self.most = 0
        """How many there were at the same time."""
        self._marker = (variable, value)
        self._is_over = Event()
        self._thread = Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            self.most = max(self.most, len(having(*self._marker)))
            self.looks += 1
