"""Every statement of SNS that runs for a request finds its rows by an index, and needs no sorting."""

from __future__ import annotations

import pytest
from query_plans import Plans, plans_of, slow_steps, statements

from cumulet.services import sns

NOT_PER_REQUEST = {
    "upkeep.SELECT_DELETED_TOPICS": "runs when the platform starts, and after a delete on the few that are left",
}
STATEMENTS = statements(sns)


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Plans:
    """Return the plan of every statement."""
    return plans_of(sns, STATEMENTS, tmp_path_factory.mktemp("plans") / "data")


def test_statements_are_found() -> None:
    assert len(STATEMENTS) > 15
    assert NOT_PER_REQUEST.keys() <= STATEMENTS.keys()


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - NOT_PER_REQUEST.keys()))
def test_statement_uses_an_index_and_sorts_nothing(plans: Plans, name: str) -> None:
    assert slow_steps(plans[name]) == []
