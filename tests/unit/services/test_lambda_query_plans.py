"""Every statement of Lambda that runs for a request finds its rows by an index, and needs no sorting."""

from __future__ import annotations

import pytest
from query_plans import Plans, plans_of, slow_steps, statements

from cumulet.services import lambda_

NOT_PER_REQUEST = {
    "package_use.SELECT_PACKAGES": "runs when the platform starts, and a while after functions were changed",
    "package_use.SELECT_WITH_LAYERS": "runs when the platform starts, and a while after functions were changed",
    "functions._SELECT": "is only the beginning of others",
    "functions.SELECT_EVERY_RESERVED": "runs when the platform starts",
    "provisioned.SELECT_PROVISIONED_FUNCTIONS": "runs when the platform starts",
    "mappings.SELECT": "is only the beginning of others",
    "mappings.SELECT_EVERY": "runs when the platform starts",
}
STATEMENTS = statements(lambda_)


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Plans:
    """Return the plan of every statement."""
    return plans_of(lambda_, STATEMENTS, tmp_path_factory.mktemp("plans") / "data")


def test_statements_are_found() -> None:
    assert len(STATEMENTS) > 15
    assert NOT_PER_REQUEST.keys() <= STATEMENTS.keys()


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - NOT_PER_REQUEST.keys()))
def test_statement_uses_an_index_and_sorts_nothing(plans: Plans, name: str) -> None:
    assert slow_steps(plans[name]) == []
