"""Metrics as records: a row for each metric, and one for each minute and unit of it.

CloudWatch keeps periods of a minute for 15 days, then of five minutes for 63 days, then hours for 455 days. Here the
minutes are kept, for 15 days. A metric is listed while it has data of the last two weeks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from cumulet.kernel.telemetry import Metric, Sample
from cumulet.store import Tx

DAY_MS = 24 * 3_600_000
KEPT_MS = 15 * DAY_MS

SELECT_ID = """
SELECT id FROM cloudwatch_metrics
WHERE account = ? AND region = ? AND namespace = ? AND name = ? AND dimensions = ?"""
INSERT_METRIC = """
INSERT INTO cloudwatch_metrics (id, account, region, namespace, name, dimensions, last_minute)
VALUES (?, ?, ?, ?, ?, ?, ?)"""
UPDATE_LAST_MINUTE = "UPDATE cloudwatch_metrics SET last_minute = ? WHERE id = ? AND last_minute < ?"
UPSERT_MINUTE = """
INSERT INTO cloudwatch_minutes (metric_id, minute, unit, observations, total, minimum, maximum)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (metric_id, minute, unit) DO UPDATE
SET observations = cloudwatch_minutes.observations + excluded.observations,
    total = cloudwatch_minutes.total + excluded.total,
    minimum = CASE WHEN excluded.minimum < cloudwatch_minutes.minimum
              THEN excluded.minimum ELSE cloudwatch_minutes.minimum END,
    maximum = CASE WHEN excluded.maximum > cloudwatch_minutes.maximum
              THEN excluded.maximum ELSE cloudwatch_minutes.maximum END"""
SELECT_MINUTES = """
SELECT minute, unit, observations, total, minimum, maximum FROM cloudwatch_minutes
WHERE metric_id = ? AND minute >= ? AND minute < ? ORDER BY minute, unit"""
SELECT_METRICS = """
SELECT namespace, name, dimensions, last_minute FROM cloudwatch_metrics
WHERE account = ? AND region = ? AND (namespace, name, dimensions) > (?, ?, ?)
ORDER BY namespace, name, dimensions LIMIT ?"""
SELECT_METRICS_OF_NAMESPACE = """
SELECT namespace, name, dimensions, last_minute FROM cloudwatch_metrics
WHERE account = ? AND region = ? AND namespace = ? AND (name, dimensions) > (?, ?)
ORDER BY name, dimensions LIMIT ?"""
SELECT_METRICS_OF_NAME = """
SELECT namespace, name, dimensions, last_minute FROM cloudwatch_metrics
WHERE account = ? AND region = ? AND namespace = ? AND name = ? AND dimensions > ?
ORDER BY dimensions LIMIT ?"""
SELECT_SUMS = """
SELECT m.account, m.region, m.namespace, m.name, m.dimensions, k.unit,
       SUM(k.observations), SUM(k.total), MIN(k.minimum), MAX(k.maximum)
FROM cloudwatch_metrics m JOIN cloudwatch_minutes k ON k.metric_id = m.id
GROUP BY m.account, m.region, m.namespace, m.name, m.dimensions, k.unit
ORDER BY m.account, m.region, m.namespace, m.name, m.dimensions, k.unit"""
DELETE_OLD_MINUTES = """
DELETE FROM cloudwatch_minutes WHERE (metric_id, minute, unit) IN
(SELECT metric_id, minute, unit FROM cloudwatch_minutes WHERE minute < ? LIMIT ?)"""
DELETE_OLD_METRICS = """
DELETE FROM cloudwatch_metrics WHERE id IN (SELECT id FROM cloudwatch_metrics WHERE last_minute < ? LIMIT ?)"""


class Listed(NamedTuple):
    """A metric in the list of an account's metrics in a region, which is in this order."""

    namespace: str
    name: str
    dimensions: str
    last_minute_ms: int

    def pairs(self) -> list[list[str]]:
        """Return names and values of the dimensions."""
        pairs: list[list[str]] = orjson.loads(self.dimensions)
        return pairs


class Minute(NamedTuple):
    """What a metric came to within one minute, in one unit."""

    minute_ms: int
    unit: str
    observations: float
    total: float
    minimum: float
    maximum: float


def add(tx: Tx, samples: Sequence[Sample]) -> None:
    """Add samples to their minutes."""
    for metric, minute_ms, *found in samples:
        metric_id = _find(tx, metric)
        if metric_id is None:
            metric_id = tx.next_id()
            tx.run(INSERT_METRIC, metric_id, *metric[:4], _text(metric), minute_ms)
        else:
            tx.run(UPDATE_LAST_MINUTE, minute_ms, metric_id, minute_ms)
        tx.run(UPSERT_MINUTE, metric_id, minute_ms, metric.unit, *found)


def minutes(tx: Tx, metric: Metric, start_ms: int, end_ms: int) -> list[Minute]:
    """Return the minutes of a metric that begin from `start_ms` to before `end_ms`, in all units."""
    metric_id = _find(tx, metric)
    if metric_id is None:
        return []
    return [Minute(*row) for row in tx.all(SELECT_MINUTES, metric_id, start_ms, end_ms)]


def after(
    tx: Tx, account: str, region: str, namespace: str | None, name: str | None, last: tuple[str, str, str], limit: int
) -> list[Listed]:
    """Return up to `limit` metrics behind `last` (namespace, name, dimensions), of a namespace or a name in it."""
    if namespace is None:
        rows = tx.all(SELECT_METRICS, account, region, *last, limit)
    elif name is None:
        rows = tx.all(SELECT_METRICS_OF_NAMESPACE, account, region, namespace, *last[1:], limit)
    else:
        rows = tx.all(SELECT_METRICS_OF_NAME, account, region, namespace, name, last[2], limit)
    return [Listed(*row) for row in rows]


def forget_before(tx: Tx, minute_ms: int, most: int) -> bool:
    """Delete up to `most` minutes, and as many metrics, that are older; True when there may be more."""
    gone = tx.run(DELETE_OLD_MINUTES, minute_ms, most)
    return max(gone, tx.run(DELETE_OLD_METRICS, minute_ms, most)) >= most


def sums(tx: Tx) -> list[dict[str, Any]]:
    """Return what each metric came to in all minutes kept, of all accounts."""
    named = ("account", "region", "namespace", "name", "dimensions", "unit")
    members = (*named, "observations", "total", "minimum", "maximum")
    found = [dict(zip(members, row, strict=True)) for row in tx.all(SELECT_SUMS)]
    return [{**each, "dimensions": dict(orjson.loads(each["dimensions"]))} for each in found]


def _find(tx: Tx, metric: Metric) -> int | None:
    row = tx.one(SELECT_ID, *metric[:4], _text(metric))
    return None if row is None else int(row[0])


def _text(metric: Metric) -> str:
    return orjson.dumps(metric.dimensions).decode()
