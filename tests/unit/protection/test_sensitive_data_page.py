"""docs/sensitive-data.md says what the identifiers find."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_sensitive_data_page_is_up_to_date():
    committed = (DOCS / "sensitive-data.md").read_text("utf-8")

    assert committed == runpy.run_path(str(DOCS / "generate_sensitive_data.py"))["page"](), "run: make coverage"
