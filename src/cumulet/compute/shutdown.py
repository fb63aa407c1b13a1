"""The shutdown phase of an environment with extensions; one without is just killed.

AWS: 500 ms where all extensions are internal, 2,000 ms with external ones, of which the runtime gets 30 % after its
SIGTERM; then the extensions get their SHUTDOWN event, and SIGKILL when the time is over.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from typing import Literal

from cumulet.compute.boxes import Process
from cumulet.compute.extensions import SHUTDOWN, Extensions
from cumulet.compute.programs import Programs
from cumulet.compute.telemetry import Telemetry
from cumulet.kernel.clock import MACHINE

INTERNAL_SECONDS = 0.5
EXTERNAL_SECONDS = 2.0
RUNTIME_SHARE = 0.3
KILL_SECONDS = 0.2
TELEMETRY_SECONDS = 0.5
"""How long extensions may take to have what was told before, before they get their event."""

Reason = Literal["spindown", "timeout", "failure"]


async def shut_down(programs: Programs, extensions: Extensions, telemetry: Telemetry | None, reason: Reason) -> None:
    """Let the runtime and the extensions end. Whoever calls kills the box afterwards."""
    runtime = programs.runtime
    external = [extension for extension in extensions if extension.process is not None and extension.identifier]
    limit_seconds = EXTERNAL_SECONDS if external else INTERNAL_SECONDS
    give_up_at = MACHINE.monotonic() + limit_seconds
    deadline_ms = MACHINE.now_ms() + int(limit_seconds * 1000)
    if runtime is not None and not runtime.ended.done():
        runtime.signal(signal.SIGTERM)
        await _ended([runtime], limit_seconds * RUNTIME_SHARE if external else limit_seconds)
        if external and not runtime.ended.done():
            runtime.kill()
            await _ended([runtime], KILL_SECONDS)
    if not external or programs.box.ended.done():
        return
    if telemetry is not None:
        await telemetry.drain(TELEMETRY_SECONDS)
    for extension in external:
        if SHUTDOWN in extension.events:
            extensions.shut_down(extension, reason, deadline_ms)
        elif extension.process is not None:
            extension.process.kill()
    processes = [extension.process for extension in external if extension.process is not None]
    await _ended(processes, give_up_at - MACHINE.monotonic())


async def _ended(processes: Iterable[Process], limit_seconds: float) -> None:
    """Wait until programs have ended, as long as `limit_seconds`."""
    pending = [process.ended for process in processes if not process.ended.done()]
    if pending and limit_seconds > 0:
        await asyncio.wait(pending, timeout=limit_seconds)
