"""Metrics on disk: what telemetry gathered, by the minute, for 15 days (as CloudWatch keeps minutes).

While the store refuses writes, what was gathered waits in memory, up to a bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from cumulet.kernel.clock import MACHINE
from cumulet.kernel.errors import ServiceUnavailable
from cumulet.kernel.telemetry import Sample, Telemetry
from cumulet.store import Store, Tx

FLUSH_SECONDS = 15.0
STEP = 100
"""So many samples are written in one transaction: others wait for it."""
KEPT_MS = 15 * 24 * 3_600_000
MOST_WAITING = 100_000

UPSERT_SAMPLE = """
INSERT INTO metric_minutes (namespace, name, dimension, minute, observations, total) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (namespace, name, dimension, minute) DO UPDATE
SET observations = metric_minutes.observations + excluded.observations, total = metric_minutes.total + excluded.total"""
DELETE_OLD = "DELETE FROM metric_minutes WHERE minute < ?"
SELECT_SUMS = """
SELECT namespace, name, dimension, SUM(observations), SUM(total) FROM metric_minutes
GROUP BY namespace, name, dimension ORDER BY namespace, name, dimension"""


class MetricsWriter:
    """Writes telemetry down every few seconds of the machine's clock."""

    def __init__(self, telemetry: Telemetry, store: Store) -> None:
        self._telemetry = telemetry
        self._store = store
        self._task: asyncio.Task[None] | None = None

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
        """Write what was observed since the last time, if the store takes it."""
        samples = self._telemetry.drain()
        for start in range(0, len(samples), STEP):
            try:
                await self._store.transact(add_samples, samples[start : start + STEP])
            except ServiceUnavailable:
                self._telemetry.add(samples[start:][:MOST_WAITING])
                return

    async def _write_for_ever(self) -> None:
        while True:
            await MACHINE.sleep(FLUSH_SECONDS)
            await self.write()


def add_samples(tx: Tx, samples: Sequence[Sample]) -> None:
    """Add samples to their minutes and forget minutes that are too old."""
    for sample in samples:
        tx.run(UPSERT_SAMPLE, *sample)
    tx.run(DELETE_OLD, max(sample.minute_ms for sample in samples) - KEPT_MS)


def sums(tx: Tx) -> list[dict[str, Any]]:
    """Return each metric's sum over all minutes kept."""
    names = ("namespace", "name", "dimension", "observations", "total")
    return [dict(zip(names, row, strict=True)) for row in tx.all(SELECT_SUMS)]
