"""Servers whose limits are within a test's reach."""

from __future__ import annotations

import os
from pathlib import Path

from cumulet.testing import Cumulet


def with_quotas(folder: Path, quotas: dict[str, int]) -> Cumulet:
    """Return a server, to be started, with these quotas and its data in `folder`."""
    config = folder / "cumulet.toml"
    config.write_text("[quotas]\n" + "".join(f'"{name}" = {limit}\n' for name, limit in quotas.items()))
    return Cumulet(folder / "data", variables={**os.environ, "CUMULET_CONFIG": str(config)})
