"""What the tests of compute share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rig import SharedRig


@pytest.fixture(scope="module")
def shared_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedRig]:
    """Return a rig for the many tests of a module that need none of their own."""
    shared = SharedRig(tmp_path_factory.mktemp("shared"))
    yield shared
    shared.close()
