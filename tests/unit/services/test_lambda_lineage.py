"""The lineage in trace headers: what it counts, and when a chain of events is a loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.services.lambda_.lineage import counted, foremost, is_exhausted

ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
A, B, C = (f"arn:aws:lambda:us-east-1:000000000000:function:{name}" for name in "abc")


def run(chain: list[str], trace_header: str = ROOT) -> tuple[list[str], str]:
    """Return the functions of a chain that run until one is too many, and the trace header at the end."""
    ran = []
    for function in chain:
        if is_exhausted(trace_header, function):
            break
        trace_header = counted(trace_header, function)
        ran.append(function)
    return ran, trace_header


def test_the_first_invocation_writes_a_lineage_behind_what_is_there() -> None:
    assert counted(ROOT, A).startswith(ROOT + ";Lineage=1:")
    assert counted(ROOT, A).endswith(":0")


def test_a_function_that_invokes_itself_runs_sixteen_times() -> None:
    ran, trace_header = run([A] * 40)

    assert ran == [A] * 16
    assert trace_header.endswith(":15")


@pytest.mark.parametrize("loop", [[A, B], [A, B, C], [A, A, B]])
def test_a_loop_of_several_functions_runs_its_first_one_sixteen_times(loop: list[str]) -> None:
    ran, _ = run(loop * 40)

    assert ran.count(A) == 16
    assert len(ran) < 16 * len(loop) + len(loop)


def test_a_loop_that_a_chain_enters_later_is_found_too() -> None:
    ran, _ = run([A, B] + [C] * 100)

    assert ran.count(C) <= 2 * 16


@given(st.lists(st.sampled_from([A, B, C]), min_size=200, max_size=200))
def test_no_endless_chain_of_few_functions_goes_on(chain: list[str]) -> None:
    ran, _ = run(chain)

    assert len(ran) < 200


def test_a_long_chain_of_different_functions_is_no_loop() -> None:
    chain = [f"{A}-{number}" for number in range(1000)]

    assert run(chain)[0] == chain


@pytest.mark.parametrize(
    "lineage",
    ["", "x", "1:2:3", "1:zzzzzzzz:0", "123456:aaaaaaaa:0", "1:aaaaaaaa:1000", "1:aaaaaaaa:0|1:bbbbbbbb:1", "::", "1:"],
)
def test_what_is_no_lineage_is_replaced(lineage: str) -> None:
    trace_header = f"Root=1-2-3;Lineage={lineage};Sampled=1"

    assert not is_exhausted(trace_header, A)
    assert counted(trace_header, A) == counted("Root=1-2-3;Sampled=1", A)


def test_the_event_that_came_back_most_often_speaks_for_its_batch() -> None:
    headers = [run([function] * count)[1] for function, count in [(A, 3), (B, 9), (A, 5)]]

    assert foremost([ROOT, *headers], A) == headers[2]
    assert foremost([ROOT, *headers], C) == headers[1]
    assert foremost([ROOT], A) == ROOT
    assert foremost([], A) is None
