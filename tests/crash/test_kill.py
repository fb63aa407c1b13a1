"""Whatever was acknowledged holds after SIGKILL, and whatever was not has happened wholly or not at all.

Clients do random things to the queues of a server that is killed at random moments and started again; then the
queues are drained and the history is checked.
"""

from __future__ import annotations

import random
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from checker import flaws
from clients import Habits, RandomClient, Recorder, drain
from history import History
from rounds import Advancer, Worker, at_work, kill_again_and_again, told
from transports import BotoTransport, RawTransport, Transport
from victim import Victim, running

RAW_CLIENTS = 4
KILLS_PER_HISTORY = 10
LONG_SECONDS = 120


@dataclass(frozen=True)
class Scenario:
    """One set of queues and the habits of their clients."""

    name: str
    clock: str
    share: float
    """Of the kills."""
    habits: Habits
    queue_attributes: dict[str, dict[str, str]]
    max_receive_count: int | None = None
    leaps_ms: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}-{self.clock}"


FIFO = {"FifoQueue": "true"}
MAX_RECEIVE_COUNT = 2


def redrive_to(queue: str) -> dict[str, str]:
    """Return the attributes of a queue that gives up messages to another."""
    arn = f"arn:aws:sqs:us-east-1:000000000000:{queue}"
    return {"RedrivePolicy": orjson.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVE_COUNT}).decode()}


SCENARIOS = [
    Scenario(
        "standard",
        "virtual",
        0.2,
        Habits(("orders", "mails"), ("orders", "mails"), (0, 2, 10, LONG_SECONDS), delay_seconds=(0, 0, 1, 5)),
        {"orders": {}, "mails": {}},
    ),
    Scenario(
        "standard",
        "real",
        0.15,
        Habits(("orders",), ("orders",), (0, 1, 2), delay_seconds=(0, 0, 0, 1)),
        {"orders": {}},
    ),
    Scenario(
        "fifo",
        "virtual",
        0.2,
        Habits(("steps.fifo", "tasks.fifo"), ("steps.fifo", "tasks.fifo"), (1, 5, LONG_SECONDS), is_fifo=True),
        {"steps.fifo": FIFO, "tasks.fifo": FIFO},
        leaps_ms=(100_000, 301_000),
    ),
    Scenario(
        "fifo", "real", 0.15, Habits(("steps.fifo",), ("steps.fifo",), (1, 2), is_fifo=True), {"steps.fifo": FIFO}
    ),
    Scenario(
        "dead letters",
        "virtual",
        0.06,
        Habits(("jobs", "dead-jobs"), ("jobs",), (0, 1, 5), delete_share=0.5),
        {"dead-jobs": {}, "jobs": redrive_to("dead-jobs")},
        max_receive_count=MAX_RECEIVE_COUNT,
    ),
    Scenario(
        "fifo dead letters",
        "virtual",
        0.06,
        Habits(("jobs.fifo", "dead-jobs.fifo"), ("jobs.fifo",), (1, 5), delete_share=0.5, is_fifo=True),
        {"dead-jobs.fifo": FIFO, "jobs.fifo": FIFO | redrive_to("dead-jobs.fifo")},
        max_receive_count=MAX_RECEIVE_COUNT,
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_history_of_messages_holds(scenario: Scenario, kills: int, crash_seed: int, tmp_path: Path) -> None:
    chance = random.Random(f"{crash_seed} {scenario}")
    left = max(1, round(kills * scenario.share))
    with running(Victim(tmp_path / "data", clock=scenario.clock, chance=chance)) as victim:
        for name, attributes in scenario.queue_attributes.items():
            with closing(RawTransport(victim)) as transport:
                transport.call("CreateQueue", {"QueueName": name, "Attributes": attributes})

        while left:
            part = min(left, KILLS_PER_HISTORY)
            found = flaws_of_one_history(scenario, victim, chance, part, tmp_path)
            assert found == [], told(found, crash_seed)
            left -= part


def test_killed_start_leaves_a_folder_that_starts(kills: int, crash_seed: int, tmp_path: Path) -> None:
    chance = random.Random(f"{crash_seed} start")
    for number in range(max(1, round(kills * 0.03))):
        victim = Victim(tmp_path / f"data-{number}", clock="virtual", chance=chance)

        for _ in range(chance.randint(1, 2)):
            victim.start_and_kill(chance)

        with running(victim), closing(RawTransport(victim)) as transport:
            transport.call("CreateQueue", {"QueueName": "orders"})
            transport.call("SendMessage", {"QueueUrl": "orders", "MessageBody": "one"})


def test_virtual_clock_stands_where_it_stood(crash_seed: int, tmp_path: Path) -> None:
    with running(Victim(tmp_path / "data", clock="virtual", chance=random.Random(crash_seed))) as victim:
        victim.kill()
        found = victim.start()
        victim.advance(86_400_000)
        victim.kill()
        found += victim.start()

    assert found == [], told(found, crash_seed)


def flaws_of_one_history(
    scenario: Scenario, victim: Victim, chance: random.Random, kills: int, tmp_path: Path
) -> list[str]:
    """Let clients work while the server is killed, drain the queues, and check what happened."""
    history = History()
    with ExitStack() as opened:
        transports: list[Transport] = [RawTransport(victim) for _ in range(RAW_CLIENTS)]
        transports.append(BotoTransport(victim))
        recorders = [Recorder(victim, history, opened.enter_context(closing(transport))) for transport in transports]
        workers: list[Worker] = [
            RandomClient(recorder, scenario.habits, random.Random(chance.random())) for recorder in recorders
        ]
        if victim.time.is_virtual:
            workers.append(Advancer(victim, random.Random(chance.random()), scenario.leaps_ms))
        with at_work(workers):
            kill_again_and_again(victim, history, chance, kills, tmp_path / "copy")
        longest_seconds = max(scenario.habits.visibility_seconds)
        stuck = drain(recorders[0], victim, tuple(scenario.queue_attributes), longest_seconds)
    return stuck + flaws(history, max_receive_count=scenario.max_receive_count)
