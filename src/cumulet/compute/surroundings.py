"""What an environment is made of, beside its function: what all share, and the code that runs in it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cumulet.compute.boxes import Boxes, BoxSpec
from cumulet.compute.function import Function
from cumulet.compute.runtimes import Runtime
from cumulet.delivery.logs import LogSink
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import Clock
from cumulet.kernel.credentials import CredentialIssuer
from cumulet.kernel.ids import Ids


class Surroundings(msgspec.Struct, frozen=True):
    """What all environments share."""

    boxes: Boxes
    sink: LogSink
    clock: Clock
    ids: Ids
    activity: Activity
    credentials: CredentialIssuer


class Code(msgspec.Struct, frozen=True):
    """The folders with a function's code: its package, and its layers together where it has any."""

    task: Path
    layers: Path | None

    def extensions(self) -> list[str]:
        """Return the names of the external extensions: AWS starts every file of /opt/extensions."""
        folder = self.layers / "extensions" if self.layers is not None else None
        if folder is None or not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if path.is_file())

    def box(self, function: Function, runtime: Runtime) -> BoxSpec:
        """Return the box that it runs in."""
        return BoxSpec(
            task=str(self.task),
            layers=None if self.layers is None else str(self.layers),
            tmp_mb=function.tmp_mb,
            memory_mb=function.memory_mb,
            has_network=function.has_network,
            language=runtime.language,
            runtime=None if runtime.client is None else str(runtime.client),
        )
