"""Options of the crash tests: how many kills, and the seed that chooses what clients do and when the kills come.

The seed is in the header of a run and in every failure. It repeats what the clients choose; threads still run as the
machine lets them.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

KILLS = 200
SECONDS_PER_KILL = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=KILLS, help="how often servers are killed, in all scenarios together")
    parser.addoption("--crash-seed", type=int, help="what makes the random choices of the crash tests")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--crash-seed", None) is None:
        chosen: int | None = getattr(config, "workerinput", {}).get("crash_seed")
        config.option.crash_seed = random.SystemRandom().getrandbits(32) if chosen is None else chosen


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give the workers of pytest-xdist the seed of the run."""
    node.workerinput["crash_seed"] = node.config.option.crash_seed


def pytest_report_header(config: pytest.Config) -> str:
    return f"crash tests: --kills {config.getoption('--kills', KILLS)} --crash-seed {config.option.crash_seed}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "kills" in getattr(item, "fixturenames", ()):
            seconds = 120 + SECONDS_PER_KILL * config.getoption("--kills", KILLS)
            item.add_marker(pytest.mark.timeout(seconds))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what tests have recorded with `record_property`."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            if report.when == "call" and report.user_properties and "tests/crash/" in report.nodeid:
                told = ", ".join(f"{name} {value}" for name, value in report.user_properties)
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {told}")


@pytest.fixture(scope="session")
def kills(pytestconfig: pytest.Config) -> int:
    """How often servers are to be killed, in all scenarios together."""
    count: int = pytestconfig.getoption("--kills", KILLS)
    return count


@pytest.fixture(scope="session")
def crash_seed(pytestconfig: pytest.Config) -> int:
    """What makes the random choices."""
    seed: int = pytestconfig.option.crash_seed
    return seed
