"""A queue that a function processes loses nothing to SIGKILL, and nothing of the function outlives the server."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from clients import Recorder
from history import History
from pipeline import Pipeline, producers
from processing import Story, flaws, gathered
from remains import Remains
from rounds import Advancer, Worker, at_work, kill_again_and_again, told
from transports import RawTransport
from victim import Victim, running

PRODUCERS = 2
KILLS_PER_HISTORY = 10
LOAD_SECONDS = (0.1, 1.0)


@dataclass(frozen=True)
class Scenario:
    """A kind of queue, of clock and of machine."""

    clock: str
    share: float
    """Of the kills."""
    is_fifo: bool = False
    has_namespaces: bool = True

    def __str__(self) -> str:
        kind = "fifo" if self.is_fifo else "standard"
        return f"{kind}-{self.clock}" + ("" if self.has_namespaces else "-without namespaces")


SCENARIOS = [
    Scenario("virtual", 0.03),
    Scenario("real", 0.015),
    Scenario("virtual", 0.025, is_fifo=True),
    Scenario("real", 0.01, is_fifo=True),
    Scenario("virtual", 0.02, has_namespaces=False),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_queue_processed_by_a_function_holds(
    scenario: Scenario, kills: int, crash_seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(f"{crash_seed} functions {scenario}")
    left = max(1, round(kills * scenario.share))
    record_property("kills", left)
    marker = str(uuid.uuid4())
    victim = Victim(tmp_path / "data", clock=scenario.clock, chance=chance, has_namespaces=scenario.has_namespaces)
    remains = Remains(victim, marker)
    stories = []
    with running(victim):
        pipeline = Pipeline(victim, marker, is_fifo=scenario.is_fifo, most_kills=min(left, KILLS_PER_HISTORY))
        pipeline.prepare()
        while left:
            part = min(left, KILLS_PER_HISTORY)
            story, found = one_history(pipeline, victim, remains, chance, part, tmp_path / "copy")
            assert found == [], told(found, crash_seed)
            stories.append(story)
            left -= part

    for name, value in gathered(stories).items():
        record_property(name, value)
    record_property("most processes", remains.most_processes)
    record_property("longest seconds until none was left", f"{remains.longest_seconds:.2f}")


def one_history(
    pipeline: Pipeline, victim: Victim, remains: Remains, chance: random.Random, kills: int, scratch: Path
) -> tuple[Story, list[str]]:
    """Kill the server while messages are sent and processed; return what became of them, and what is wrong with it."""
    history, story = History(), Story()
    with ExitStack() as opened:
        transports = [opened.enter_context(closing(RawTransport(victim))) for _ in range(PRODUCERS)]
        recorders = [Recorder(victim, history, transport) for transport in transports]
        workers: list[Worker] = [*producers(recorders, story, pipeline.source, chance, kinds=pipeline.kinds)]
        if victim.time.is_virtual:
            leap_ms = pipeline.visibility_seconds * 1000
            workers.append(Advancer(victim, random.Random(chance.random()), (leap_ms,), leap_share=0.3))
        with at_work(workers):
            kill_again_and_again(victim, history, chance, kills, scratch, load_seconds=LOAD_SECONDS, remains=remains)
    stuck = pipeline.come_to_rest(story)
    story.ends += remains.ends
    return story, history.flaws + stuck + flaws(story, pipeline.limits)
