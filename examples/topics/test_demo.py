"""The demo does what it says, and what it concludes from what arrived is right."""

from __future__ import annotations

import pytest

from examples.seen import seen
from examples.topics.demo import customers_in_order


def test_demo_finds_everything_well() -> None:
    text = seen("examples.topics.demo", 200)

    assert "claims published and acknowledged 200 ok" in text
    assert "acknowledged claims that were lost 0 ok" in text
    assert "customers whose claims came in order 10 of 10 ok" in text
    assert "claims replayed in order, each once 220 in 10 of 10 customers ok" in text
    assert "card number in the reports ################ ok" in text
    assert '"credit_card": "4539894458086459"' in text
    assert '"credit_card": "################"' in text


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
