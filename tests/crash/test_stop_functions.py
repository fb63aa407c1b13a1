"""Functions end with the server that is told to stop, and nothing but invocations is lost with the spawner."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import orjson
import pytest
from clients import Recorder
from history import History
from pipeline import Pipeline, Producer, producers
from processing import Story, flaws
from remains import Remains
from rounds import Advancer, Worker, at_work, told
from transports import CloudTransport, Cut, RawTransport, Refused
from victim import Victim, running

STOP_SHARE = 0.01
SPAWNER_SHARE = 0.03
"""Of the kills, for each way to keep processes apart."""
MOST_STOP_SECONDS = 5.0
LATEST_STOP_SECONDS = 0.5
PATIENCE_SECONDS = 20
CALLERS = 3
LOAD_SECONDS = (0.05, 0.6)
BOTH_WAYS = pytest.mark.parametrize("has_namespaces", [True, False], ids=["namespaces", "without namespaces"])


@BOTH_WAYS
def test_told_to_stop_it_ends_soon_and_nothing_is_lost(
    has_namespaces: bool, kills: int, crash_seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(f"{crash_seed} stop {has_namespaces}")
    longest_seconds = 0.0
    found: list[str] = []
    for number in range(max(1, round(kills * STOP_SHARE))):
        history, story = History(), Story()
        with pipeline_of(tmp_path / f"data-{number}", chance, has_namespaces, slow_seconds=60) as (
            pipeline,
            victim,
            remains,
        ):
            with closing(RawTransport(victim)) as transport:
                producer = Producer(Recorder(victim, history, transport), story, pipeline.source, chance, kinds={})
                for kind in ("slow", "fork", "slow", "plain"):
                    producer.send(10, kind)
            with at_work([SlowCaller(victim)] if number % 2 == 0 else []):
                wait_for_processes(remains)
                threading.Event().wait(chance.uniform(0, LATEST_STOP_SECONDS))
                remains.remember()
                process = victim.server.process
                assert process is not None
                began = time.monotonic()
                victim.stop()
                longest_seconds = max(longest_seconds, time.monotonic() - began)
                found += remains.flaws_at_once()
                found += remains.flaws_now()
                found += [] if process.returncode == 0 else [f"the server ends with {process.returncode}"]
                found += victim.start()
            be_quick(victim)
            found += pipeline.come_to_rest(story)
            story.ends += remains.ends
            found += history.flaws + flaws(story, pipeline.limits)
        assert found == [], told(found, crash_seed)

    record_property("longest stop in seconds", f"{longest_seconds:.2f}")
    assert longest_seconds < MOST_STOP_SECONDS


@BOTH_WAYS
def test_functions_go_on_when_the_spawner_is_killed(
    has_namespaces: bool, kills: int, crash_seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(f"{crash_seed} spawner {has_namespaces}")
    left = max(1, round(kills * SPAWNER_SHARE))
    history, story = History(), Story()
    with ExitStack() as opened:
        around = pipeline_of(tmp_path / "data", chance, has_namespaces, slow_seconds=0.3, most_kills=left)
        pipeline, victim, remains = opened.enter_context(around)
        transport = opened.enter_context(closing(RawTransport(victim)))
        senders = producers(
            [Recorder(victim, history, transport)], story, pipeline.source, chance, kinds=pipeline.kinds
        )
        callers = [Caller(victim, chance.random()) for _ in range(CALLERS)]
        advancer = Advancer(victim, random.Random(chance.random()), (pipeline.visibility_seconds * 1000,), 0.3)
        workers: list[Worker] = [*senders, *callers, advancer]

        with at_work(workers):
            for _ in range(left):
                threading.Event().wait(chance.uniform(*LOAD_SECONDS))
                wait_for_processes(remains)
                spawner = victim.spawner()
                assert spawner is not None
                remains.remember()
                os.kill(spawner, signal.SIGKILL)
                remains.mark_end_of(spawner)
                history.flaws += remains.flaws_while_up()
                remains.mark_end()  # what it had begun may have gone on until now
        stuck = pipeline.come_to_rest(story)
        story.ends += remains.ends

    found = (
        history.flaws + stuck + flaws(story, pipeline.limits) + list(itertools.chain(*(one.flaws for one in callers)))
    )
    assert found == [], told(found, crash_seed)
    answers = [answer for caller in callers for answer in caller.answers]
    record_property("kills", left)
    record_property("invocations", len(answers))
    record_property("ended with the spawner", answers.count("killed"))
    record_property("messages", len(story.acknowledged))
    record_property("repeated", story.repeated().total())
    assert [caller.answers[-1] for caller in callers] == ["right"] * CALLERS


class SlowCaller:
    """Invokes the function for as long as the server lets it."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim

    def run(self, over: threading.Event) -> None:
        """Invoke it once."""
        with closing(CloudTransport(self._victim, ["lambda"])) as cloud, pytest.raises(Cut):
            cloud.call("lambda:Invoke", {"FunctionName": "consumer", "Payload": event("slow-direct-1")})


class Caller:
    """Invokes the function again and again."""

    _numbers = itertools.count(1)

    def __init__(self, victim: Victim, seed: float) -> None:
        self._victim = victim
        self._chance = random.Random(seed)
        self.answers: list[str] = []
        """Whether it was the `right` one or told that the runtime was `killed`."""
        self.flaws: list[str] = []

    def run(self, over: threading.Event) -> None:
        """Invoke until it is over, and once more."""
        with closing(CloudTransport(self._victim, ["lambda"])) as cloud:
            while not over.is_set():
                self._invoke(cloud, self._chance.choice(["plain", "slow", "fork"]))
            self._invoke(cloud, "plain")

    def _invoke(self, cloud: CloudTransport, kind: str) -> None:
        body = f"{kind}-direct-{next(self._numbers)}"
        try:
            answer = cloud.call("lambda:Invoke", {"FunctionName": "consumer", "Payload": event(body)})
        except (Cut, Refused) as error:
            self.flaws.append(f"invoking with {body}: {error!r}")
            return
        said = orjson.loads(answer["Payload"])
        if "FunctionError" not in answer and said == {"batchItemFailures": []}:
            self.answers.append("right")
        elif said.get("errorType") == "Runtime.ExitError" and "signal: killed" in said["errorMessage"]:
            self.answers.append("killed")
        else:
            self.flaws.append(f"invoking with {body}: {answer}")


def event(body: str) -> bytes:
    """Return an event with one message."""
    attributes = {"ApproximateReceiveCount": "1", "ApproximateFirstReceiveTimestamp": "0"}
    return orjson.dumps({"Records": [{"messageId": "m", "body": body, "attributes": attributes}]})


@contextmanager
def pipeline_of(
    folder: Path, chance: random.Random, has_namespaces: bool, *, slow_seconds: float, most_kills: int = 1
) -> Iterator[tuple[Pipeline, Victim, Remains]]:
    """Start a server with a queue that a function processes."""
    marker = str(uuid.uuid4())
    with running(Victim(folder, clock="virtual", chance=chance, has_namespaces=has_namespaces)) as victim:
        pipeline = Pipeline(victim, marker, most_kills=most_kills, slow_seconds=slow_seconds)
        pipeline.prepare()
        yield pipeline, victim, Remains(victim, marker)


def wait_for_processes(remains: Remains) -> None:
    """Wait until a function runs."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not remains.marked():
        assert time.monotonic() < give_up_at, "no function runs"
        threading.Event().wait(0.01)


def be_quick(victim: Victim) -> None:
    """Let the function take no time any more."""
    with closing(CloudTransport(victim, ["lambda"])) as cloud:
        settings = cloud.call("lambda:GetFunctionConfiguration", {"FunctionName": "consumer"})
        variables = settings["Environment"]["Variables"] | {"SLOW_SECONDS": "0"}
        request = {"FunctionName": "consumer", "Environment": {"Variables": variables}}
        cloud.call("lambda:UpdateFunctionConfiguration", request)
