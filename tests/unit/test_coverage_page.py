"""docs/coverage.md says what the code does."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from cumulet.services.service import Service

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "generate_coverage.py"))


def test_coverage_page_is_up_to_date(generator: dict[str, Any]) -> None:
    committed = (DOCS / "coverage.md").read_text("utf-8")

    assert committed == generator["page"](), "run: make coverage"


def test_every_operation_of_sqs_works(generator: dict[str, Any]) -> None:
    assert "| [sqs](#sqs) | json, query | 23 of 23 |" in generator["page"]()


def test_an_operation_without_a_method_is_not_claimed(generator: dict[str, Any]) -> None:
    class Sts(Service, name="sts"):
        async def get_caller_identity(self) -> None: ...

    assert generator["working"](Sts) == ["GetCallerIdentity"]
