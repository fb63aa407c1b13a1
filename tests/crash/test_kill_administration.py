"""What was done to queues as a whole holds after SIGKILL, and what queues have left behind is still collected."""

from __future__ import annotations

import random
from contextlib import ExitStack, closing
from pathlib import Path

import administration
from administration import Administrator
from clients import Recorder
from history import History
from rounds import Advancer, at_work, kill_again_and_again, told
from transports import RawTransport
from victim import Victim, running

from rows import rows_left

SHARE = 0.1
"""Of the kills."""
QUEUES = ("red", "green", "blue", "red.fifo", "green.fifo")


def test_history_of_queues_holds(kills: int, crash_seed: int, tmp_path: Path) -> None:
    chance = random.Random(f"{crash_seed} administration")
    history = History()

    with running(Victim(tmp_path / "data", clock="virtual", chance=chance)) as victim:
        with ExitStack() as opened:
            administrators = [
                Administrator(
                    Recorder(victim, history, opened.enter_context(closing(RawTransport(victim)))),
                    queue,
                    random.Random(chance.random()),
                )
                for queue in QUEUES
            ]
            advancer = Advancer(victim, random.Random(chance.random()), leaps_ms=(61_000,))
            with at_work([*administrators, advancer]):
                kill_again_and_again(victim, history, chance, max(1, round(kills * SHARE)), tmp_path / "copy")
            for administrator in administrators:
                administrator.finish()
        victim.advance(0)  # returns when nothing is left to do
        victim.stop()

    found = [*history.flaws, *(flaw for queue in QUEUES for flaw in administration.flaws(history, queue))]
    assert found == [], told(found, crash_seed)
    assert rows_left(tmp_path / "data", "sqs_", suffixes=("messages", "groups", "backlogs")) == {}
