"""The demo does what it says, and what it concludes from results is right."""

from __future__ import annotations

import shutil

from examples.functions.results import Result, most_environments, read, received_again, worked_off_again
from examples.seen import seen

KILLED_AT = 100.0


def result(order: str, environment: str, began: float, ended: float, receives: int = 1) -> Result:
    return Result(order=order, receives=receives, environment=environment, began=began, ended=ended)


def test_demo_finds_everything_well() -> None:
    text = seen("examples.functions.demo", 200)

    assert "orders sent and acknowledged 200 ok" in text
    assert "acknowledged orders that were never worked off 0 ok" in text
    assert "orders worked off twice for another reason 0 ok" in text
    assert "orders with a line in the function's log 200 ok" in text
    assert "poison message in the dead-letter queue after 3 receives ok" in text
    assert "alias moved from one version to the next 10, then 12 ok" in text
    assert "event in its dead-letter queue after 3 attempts ok" in text
    assert "function URL 200, 36 ok" in text
    assert ("page that a Node.js function streams 3 lines" in text) == (shutil.which("node") is not None)
    assert "nobody can read 'an order that nobody can read'" in text


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
