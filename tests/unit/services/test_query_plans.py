"""Every statement of a service that runs for a request finds its rows by an index, and needs no sorting."""

from __future__ import annotations

import importlib

import pytest
from query_plans import plans_of, slow_steps, statements

from cumulet.gateway.services import SCHEMAS

SERVICES = {package: importlib.import_module(package) for package in SCHEMAS if package.startswith("cumulet.services.")}
AT_LEAST = {"cloudwatch": 9, "iam": 26, "lambda_": 16, "logs": 31, "sns": 16, "sqs": 41}
"""So many statements there are; each new service says how many it has."""
NOT_PER_REQUEST = {
    "cloudwatch.metrics.SELECT_SUMS": "reads everything for the page with all metrics' sums",
    "lambda_.package_use.SELECT_PACKAGES": "runs when the platform starts, and a while after functions were changed",
    "lambda_.package_use.SELECT_WITH_LAYERS": "runs when the platform starts, and a while after functions were changed",
    "lambda_.functions._SELECT": "is only the beginning of others",
    "lambda_.functions.SELECT_EVERY_RESERVED": "runs when the platform starts",
    "lambda_.provisioned.SELECT_PROVISIONED_FUNCTIONS": "runs when the platform starts",
    "lambda_.mappings.SELECT": "is only the beginning of others",
    "lambda_.mappings.SELECT_EVERY": "runs when the platform starts",
    "logs.groups.SELECT_KEEPING": "runs when the platform starts",
    "logs.removals.SELECT_REMOVALS": "runs when the platform starts, and after a deletion on the few that are left",
    "sns.upkeep.SELECT_DELETED_TOPICS": "runs when the platform starts, and after a delete on the few that are left",
    "sqs.queues.SELECT_ALL_QUEUES": "runs when the platform starts",
    "sqs.upkeep.SELECT_OLD_BACKLOGS": "runs when the platform starts, and after a purge on the few that are left",
    "sqs.fifo.SELECT_GROUPS_OF_RECENT": "runs when the delay of a FIFO queue is changed",
}
STATEMENTS = {
    f"{package.rpartition('.')[2]}.{name}": sql
    for package, service in SERVICES.items()
    for name, sql in statements(service).items()
}


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the plan of every statement."""
    return plans_of(SERVICES.keys(), STATEMENTS, tmp_path_factory.mktemp("plans") / "data")


def test_statements_are_found() -> None:
    found = {package.rpartition(".")[2]: len(statements(service)) for package, service in SERVICES.items()}
    assert found.keys() == AT_LEAST.keys()
    assert {name: count for name, count in found.items() if count < AT_LEAST[name]} == {}
    assert NOT_PER_REQUEST.keys() <= STATEMENTS.keys()


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - NOT_PER_REQUEST.keys()))
def test_statement_uses_an_index_and_sorts_nothing(plans: dict[str, list[str]], name: str) -> None:
    assert slow_steps(plans[name]) == []


@pytest.mark.parametrize(
    "name", ["logs.events.SELECT_OF_GROUP", "logs.events.SELECT_OF_STREAM", "logs.events.SELECT_OF_STREAM_BACKWARDS"]
)
def test_page_begins_where_the_one_before_ended(plans: dict[str, list[str]], name: str) -> None:
    assert "(occurred_at,id)" in plans[name][0]
