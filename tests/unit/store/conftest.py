"""Fixtures of the store's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from notes import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "data")
