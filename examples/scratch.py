"""A Cumulet that a demo may kill."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cumulet.testing import Cumulet


@contextmanager
def scratch_cumulet() -> Iterator[Cumulet]:
    """Run Cumulet on a scratch folder, as durable as it gets, on a port that it comes back to, with a clock to move."""
    with (
        tempfile.TemporaryDirectory(prefix="cumulet-demo-") as scratch,
        Cumulet(Path(scratch) / "data", port=_free_port(), durability="full", clock="virtual") as cumulet,
    ):
        yield cumulet


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
