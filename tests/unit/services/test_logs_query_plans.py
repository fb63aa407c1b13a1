"""Every statement of CloudWatch Logs that runs for a request finds its rows by an index, and needs no sorting."""

from __future__ import annotations

import pytest
from query_plans import Plans, plans_of, slow_steps, statements

from cumulet.services import logs

NOT_PER_REQUEST = {
    "groups.SELECT_KEEPING": "runs when the platform starts",
    "removals.SELECT_REMOVALS": "runs when the platform starts, and after a deletion on the few that are left",
}
STATEMENTS = statements(logs)


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Plans:
    """Return the plan of every statement."""
    return plans_of(logs, STATEMENTS, tmp_path_factory.mktemp("plans") / "data")


def test_statements_are_found() -> None:
    assert len(STATEMENTS) > 30
    assert NOT_PER_REQUEST.keys() <= STATEMENTS.keys()


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - NOT_PER_REQUEST.keys()))
def test_statement_uses_an_index_and_sorts_nothing(plans: Plans, name: str) -> None:
    assert slow_steps(plans[name]) == []


@pytest.mark.parametrize(
    "name", ["events.SELECT_OF_GROUP", "events.SELECT_OF_STREAM", "events.SELECT_OF_STREAM_BACKWARDS"]
)
def test_page_begins_where_the_one_before_ended(plans: Plans, name: str) -> None:
    assert "(occurred_at,id)" in plans[name][0]
