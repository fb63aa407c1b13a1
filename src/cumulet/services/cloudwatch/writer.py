"""Writes down what the platform measures, by the minute. While the store refuses writes it waits in memory, up to a
bound. A crash loses what was measured in the last seconds.
"""

from __future__ import annotations

import asyncio

from cumulet.kernel.clock import MACHINE, Clock
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.kernel.telemetry import Telemetry
from cumulet.services.cloudwatch import metrics
from cumulet.store import Store

FLUSH_SECONDS = 15.0
STEP = 100
"""So many rows are written in one transaction: others wait for it."""
MOST_WAITING = 100_000
FORGETS_EACH_MS = 3_600_000


class Writer:
    """Writes telemetry down every few seconds of the machine's clock, and whenever it is asked to."""

    def __init__(self, telemetry: Telemetry, store: Store, clock: Clock) -> None:
        self._telemetry = telemetry
        self._store = store
        self._clock = clock
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._forgot_ms = 0

    def start(self) -> None:
        """Begin to write now and then."""
        self._task = asyncio.get_running_loop().create_task(self._write_for_ever(), name="writing metrics")

    async def stop(self) -> None:
        """Write what is left and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.write()

    async def write(self) -> None:
        """Return once all that was observed before is written, if the store takes it."""
        async with self._turn:
            samples = self._telemetry.drain()
            for start in range(0, len(samples), STEP):
                try:
                    await self._store.transact(metrics.add, samples[start : start + STEP])
                except ServiceUnavailable:
                    self._telemetry.add(samples[start:][:MOST_WAITING])
                    return
            if samples and self._clock.now_ms() - self._forgot_ms >= FORGETS_EACH_MS:
                await self._forget()

    async def _forget(self) -> None:
        self._forgot_ms = self._clock.now_ms()
        before_ms = self._forgot_ms - metrics.KEPT_MS
        try:
            while await self._store.transact(metrics.forget_before, before_ms, STEP):
                pass
        except ServiceUnavailable:
            self._forgot_ms = 0

    async def _write_for_ever(self) -> None:
        while True:
            await MACHINE.sleep(FLUSH_SECONDS)
            await self.write()
