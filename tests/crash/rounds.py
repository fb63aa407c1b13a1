"""Clients at work on a server that is killed again and again."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from history import History
from remains import Remains
from victim import PATIENCE_SECONDS, Victim

LOAD_SECONDS = (0.05, 0.75)
"""How long clients work between a start and the next kill."""
INTERRUPTED_STARTS = 0.1
"""How often the start after a kill is killed too."""
MOST_TOLD = 20


class Worker(Protocol):
    """Something that works until it is over."""

    def run(self, over: threading.Event) -> None:
        """Work until `over` is set."""


class Advancer:
    """Moves a virtual clock a little, again and again, and now and then by one of `leaps_ms`."""

    def __init__(
        self, victim: Victim, chance: random.Random, leaps_ms: Sequence[int] = (), leap_share: float = 0.02
    ) -> None:
        self._victim = victim
        self._chance = chance
        self._leaps_ms = leaps_ms
        self._leap_share = leap_share

    def run(self, over: threading.Event) -> None:
        """Move the clock until it is over."""
        while not over.wait(self._chance.uniform(0.0, 0.05)):
            leap = bool(self._leaps_ms) and self._chance.random() < self._leap_share
            distance_ms = self._chance.choice(self._leaps_ms) if leap else self._chance.randrange(1, 1500)
            try:
                self._victim.advance(distance_ms)
            except OSError:
                self._victim.up.wait(PATIENCE_SECONDS)


@contextmanager
def at_work(workers: Sequence[Worker]) -> Iterator[threading.Event]:
    """Let workers work in threads until the event that this gives is set, or the end; raise what they raise."""
    over = threading.Event()
    with ThreadPoolExecutor(len(workers) or None) as pool:
        futures = [pool.submit(worker.run, over) for worker in workers]
        try:
            yield over
        finally:
            over.set()
        for future in futures:
            future.result()


def kill_again_and_again(
    victim: Victim,
    history: History,
    chance: random.Random,
    kills: int,
    scratch: Path,
    *,
    load_seconds: tuple[float, float] = LOAD_SECONDS,
    remains: Remains | None = None,
) -> None:
    """Kill and start the server `kills` times while others use it; see to what `remains` of it if that is given.

    Then half of the starts come at once, the others when nothing is left.
    """
    for _ in range(kills):
        threading.Event().wait(chance.uniform(*load_seconds))
        if remains is not None:
            remains.remember()
        victim.kill()
        if remains is not None:
            history.flaws += remains.flaws_at_once()
        if remains is None or chance.random() < 0.5:
            history.flaws += remains.flaws_while_down() if remains is not None else []
            history.flaws += victim.flaws_of_store(scratch)
            if chance.random() < INTERRUPTED_STARTS:
                victim.start_and_kill(chance)
        history.flaws += victim.start()
        if remains is not None:
            history.flaws += remains.flaws_while_up()


def told(flaws: Sequence[str], crash_seed: int) -> str:
    """Return what a failed test says: how to repeat it, and the first flaws in full."""
    more = f"\n... {len(flaws) - MOST_TOLD} more" if len(flaws) > MOST_TOLD else ""
    return f"--crash-seed {crash_seed}\n" + "\n".join(flaws[:MOST_TOLD]) + more
