"""The demo does what it says, and what it concludes from results is right."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from examples.functions.results import Result, most_environments, read, received_again, worked_off_again

ROOT = Path(__file__).parents[2]
KILLED_AT = 100.0


def result(order: str, environment: str, began: float, ended: float, receives: int = 1) -> Result:
    return Result(order=order, receives=receives, environment=environment, began=began, ended=ended)


def words(text: str) -> str:
    return " ".join(text.split())


def test_demo_finds_everything_well() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "examples.functions.demo", "--messages", "200"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    seen = words(answer.stdout)
    assert "orders sent and acknowledged 200 ok" in seen
    assert "acknowledged orders that were never worked off 0 ok" in seen
    assert "orders worked off twice for another reason 0 ok" in seen
    assert "orders with a line in the function's log 200 ok" in seen
    assert "poison message in the dead-letter queue after 3 receives ok" in seen
    assert "alias moved from one version to the next 10, then 12 ok" in seen
    assert "event in its dead-letter queue after 3 attempts ok" in seen
    assert "function URL 200, 36 ok" in seen
    assert ("page that a Node.js function streams 3 lines" in seen) == (shutil.which("node") is not None)
    assert "nobody can read 'an order that nobody can read'" in seen
    assert "\x1b" not in answer.stdout


def test_a_result_that_was_received_twice_counts_once() -> None:
    body = '{"order": "order 1", "receives": 1, "environment": "a", "began": 1.0, "ended": 2.0}'

    assert read([body, body]) == [result("order 1", "a", 1, 2)]


def test_environments_are_at_work_from_their_first_invocation_to_their_last() -> None:
    results = [
        result("order 1", "a", 1, 2),
        result("order 2", "b", 3, 4),
        result("order 3", "a", 5, 6),
        result("order 4", "c", 7, 8),
    ]

    assert most_environments(results) == 2


def test_an_order_is_counted_as_the_kills_only_if_it_was_done_before_and_after_it() -> None:
    before, after = (KILLED_AT - 2, KILLED_AT - 1), (KILLED_AT + 1, KILLED_AT + 2)
    results = [
        result("order 1", "a", *before),
        result("order 1", "b", *after, receives=2),
        result("order 2", "b", *after),
        result("order 2", "c", *after, receives=2),
        result("order 3", "c", *after, receives=2),
    ]

    assert worked_off_again(results, KILLED_AT) == (1, 1)
    assert received_again(results) == 3
