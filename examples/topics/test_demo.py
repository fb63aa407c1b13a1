"""The demo does what it says, and what it concludes from what arrived is right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from examples.topics.demo import customers_in_order

ROOT = Path(__file__).parents[2]


def words(text: str) -> str:
    return " ".join(text.split())


def test_demo_finds_everything_well() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "examples.topics.demo", "--messages", "200"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    seen = words(answer.stdout)
    assert "claims published and acknowledged 200 ok" in seen
    assert "acknowledged claims that were lost 0 ok" in seen
    assert "customers whose claims came in order 10 of 10 ok" in seen
    assert "claims replayed in order, each once 220 in 10 of 10 customers ok" in seen
    assert "card number in the reports ################ ok" in seen
    assert '"credit_card": "4539894458086459"' in seen
    assert '"credit_card": "################"' in seen
    assert "\x1b" not in answer.stdout


@pytest.mark.parametrize(
    ("arrived", "in_order"),
    [
        pytest.param(["a 1", "b 1", "a 2"], 2, id="all"),
        pytest.param(["a 2", "b 1", "a 1"], 1, id="in another order"),
        pytest.param(["a 1", "b 1", "a 2", "a 2"], 1, id="one twice"),
        pytest.param(["a 1", "a 2"], 1, id="one missing"),
    ],
)
def test_a_customer_is_in_order_when_each_claim_came_once_and_after_the_one_before(
    arrived: list[str], in_order: int
) -> None:
    assert customers_in_order(arrived, {"a": ["a 1", "a 2"], "b": ["b 1"]}) == in_order
