"""`cumulet simulate` as a person uses it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from test_cli import assert_one_line, run


def rows(output: str) -> list[list[int]]:
    """Return the numbers of each row of the table, the one of all minutes last."""
    return [
        [int(cell.replace(",", "")) for cell in re.findall(r"[0-9][0-9,]*", line)]
        for line in output.splitlines()
        if "│" in line
    ]


def test_scaling_shows_what_becomes_of_requests_each_minute(tmp_path: Path) -> None:
    done = run("simulate", "scaling", "--requests", "10000", "--over", "2m", "--rule", "2021", folder=tmp_path)

    assert done.returncode == 0
    assert rows(done.stdout) == [
        [1, 5000, 0, 0, 3000, 2000],
        [2, 5000, 0, 3000, 500, 1500],
        [10_000, 0, 3000, 3500, 3500],
    ]


def test_scaling_with_provisioned_concurrency_throttles_nothing(tmp_path: Path) -> None:
    done = run("simulate", "scaling", "--requests", "10000", "--over", "2m", "--provisioned", "7000", folder=tmp_path)

    assert [row[-1] for row in rows(done.stdout)] == [0, 0, 0]


def test_the_rule_of_today_is_what_is_meant_without_another(tmp_path: Path) -> None:
    done = run("simulate", "scaling", "--json", folder=tmp_path)

    assert json.loads(done.stdout) == [{"arrived": 10_000, "provisioned": 0, "warm": 0, "new": 1000, "throttled": 9000}]


def test_the_limits_can_be_given(tmp_path: Path) -> None:
    numbers = ("--limit", "100", "--burst", "30", "--per-minute", "5")
    done = run("simulate", "scaling", "--requests", "80", "--over", "2m", "--rule", "2021", *numbers, folder=tmp_path)

    assert rows(done.stdout)[:2] == [[1, 40, 0, 0, 30, 10], [2, 40, 0, 30, 5, 5]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--over", "2h"), "--over must be a number of minutes"),
        (("--over", "0m"), "--over must be a number of minutes"),
        (("--rule", "1984"), "--rule must be one of current, 2021"),
        (("--provisioned", "10001"), "--provisioned can't be more than --limit"),
    ],
)
def test_what_can_not_be_is_refused_in_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run("simulate", "scaling", *arguments, folder=tmp_path)

    assert_one_line(done, 2, said)
