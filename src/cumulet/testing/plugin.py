"""The pytest plugin: `cumulet` is a running platform with a virtual clock and an account that no other test uses."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cumulet.testing.server import Cumulet

_accounts = itertools.count(100_000_000_001)


@pytest.fixture(scope="session")
def cumulet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    """Return the server that all tests of this process share."""
    folder: Path = tmp_path_factory.mktemp("cumulet") / "data"
    # The settings of the user's own server are not those of the tests.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("CUMULET_")}
    with Cumulet(folder, variables=variables | {"CUMULET_CONFIG": os.devnull}) as server:
        yield server


@pytest.fixture
def cumulet(cumulet_server: Cumulet) -> Cumulet:
    """Return the running platform as a fresh account sees it: empty.

    The clock is the server's: it stands where the tests before have left it, and only `advance` moves it.
    """
    return cumulet_server.as_account(str(next(_accounts)))
