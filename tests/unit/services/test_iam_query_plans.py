"""Every statement of IAM finds its rows by an index, and needs no sorting."""

from __future__ import annotations

import pytest
from query_plans import Plans, plans_of, slow_steps, statements

from cumulet.services import iam

STATEMENTS = statements(iam)


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Plans:
    """Return the plan of every statement."""
    return plans_of(iam, STATEMENTS, tmp_path_factory.mktemp("plans") / "data")


def test_statements_are_found() -> None:
    assert len(STATEMENTS) > 25


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_statement_uses_an_index_and_sorts_nothing(plans: Plans, name: str) -> None:
    assert slow_steps(plans[name]) == []
