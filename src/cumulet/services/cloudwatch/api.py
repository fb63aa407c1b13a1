"""Amazon CloudWatch: metrics. Alarms, dashboards, streams and metric math are not there yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cumulet.kernel.call import Call
from cumulet.kernel.telemetry import Metric
from cumulet.services.cloudwatch import datums, metrics, paging, statistics
from cumulet.services.cloudwatch.errors import (
    START_NOT_BEFORE_END,
    InvalidParameterCombinationException,
    InvalidParameterValueException,
    MissingRequiredParameterException,
)
from cumulet.services.cloudwatch.metrics import KEPT_MS, Listed, Minute
from cumulet.services.cloudwatch.queries import Query, queries
from cumulet.services.cloudwatch.statistics import STATISTICS, whole_minute
from cumulet.services.cloudwatch.writer import STEP, Writer
from cumulet.services.service import Platform, Service
from cumulet.wire.errors import ValidationError
from cumulet.wire.timestamps import epoch

if TYPE_CHECKING:
    from types_boto3_cloudwatch import type_defs as t

MOST_DATAPOINTS = 1440
"""CloudWatch: of GetMetricStatistics;"""
MOST_DATA = 100_800
"""of a page of GetMetricData."""
MOST_LISTED = 500
LISTED_MS = 14 * 24 * 3_600_000
RECENT_MS = 3 * 3_600_000


class CloudWatch(Service, name="cloudwatch"):
    """The service; it also writes down what the platform measures."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.writer = Writer(platform.telemetry, platform.store, platform.clock)

    async def start(self) -> None:
        """Begin to write metrics down."""
        self.writer.start()

    async def stop(self) -> None:
        """Write what is left."""
        await self.writer.stop()

    async def sums(self) -> list[dict[str, Any]]:
        """Return what every metric of every account came to so far."""
        await self.writer.write()
        return await self.store.read(metrics.sums)

    async def put_metric_data(self, call: Call, request: t.PutMetricDataInputTypeDef) -> None:
        """Add data to metrics, which begin to exist with it."""
        samples = datums.samples(call, request, self.clock.now_ms())
        for start in range(0, len(samples), STEP):
            await self.store.transact(metrics.add, samples[start : start + STEP])

    async def get_metric_statistics(self, call: Call, request: t.GetMetricStatisticsInputTypeDef) -> dict[str, Any]:
        """Return statistics of one metric, in periods that follow each other from the first minute asked for."""
        chosen = _statistics_of(request)
        start_ms, end_ms = _times(request)
        if start_ms >= end_ms:
            raise InvalidParameterValueException(START_NOT_BEFORE_END)
        period_seconds = request["Period"]
        if not statistics.is_period(period_seconds):
            raise InvalidParameterValueException("The parameter Period must be a multiple of 60.")
        points = (end_ms - start_ms) // 1000 // period_seconds
        if points > MOST_DATAPOINTS:
            raise InvalidParameterCombinationException(
                f"You have requested up to {points:,} datapoints, which exceeds the limit of {MOST_DATAPOINTS:,}. "
                "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
            )
        metric = Metric(
            call.account,
            call.region,
            request["Namespace"],
            request["MetricName"],
            datums.dimensions(request.get("Dimensions", ())),
        )
        start_ms = whole_minute(start_ms)
        found = await self._minutes(metric, start_ms, end_ms)
        unit = request.get("Unit")
        wanted = [minute for minute in found if unit in (None, minute.unit)]
        periods = statistics.periods(wanted, start_ms, period_seconds * 1000, by_unit=True)
        return {"Label": metric.name, "Datapoints": [_datapoint(period, chosen) for period in periods]}

    async def get_metric_data(self, call: Call, request: t.GetMetricDataInputTypeDef) -> dict[str, Any]:
        """Return the values of several metrics, page by page."""
        asked = queries(call, request["MetricDataQueries"])
        start_ms, end_ms = _times(request)
        if start_ms >= end_ms:
            raise ValidationError(START_NOT_BEFORE_END)
        most = request.get("MaxDatapoints", MOST_DATA)
        if not 1 <= most <= MOST_DATA:
            raise ValidationError(f"The value {most} for parameter MaxDatapoints is invalid.")
        listing = ["GetMetricData", start_ms, end_ms, [query.id for query in asked], request.get("ScanBy")]
        first, offset = paging.position(request.get("NextToken"), listing, tuple[int, int]) or (0, 0)
        results: list[dict[str, Any]] = []
        following = None
        for number, query in enumerate(asked[first:], first):
            if not query.is_shown:
                continue
            if most == 0:
                following = (number, 0)
                break
            values = await self._values(query, start_ms, end_ms)
            if request.get("ScanBy") == "TimestampAscending":
                values.reverse()
            page = values[offset : offset + most]
            is_whole = offset + len(page) >= len(values)
            results.append(_result(query, page, is_whole=is_whole))
            if not is_whole:
                following = (number, offset + len(page))
                break
            offset, most = 0, most - len(page)
        token = None if following is None else paging.token(listing, following)
        return {"MetricDataResults": results, "Messages": [], "NextToken": token}

    async def list_metrics(self, call: Call, request: t.ListMetricsInputTypeDef) -> dict[str, Any]:
        """Return the metrics that have data of the last two weeks, or three hours."""
        namespace, name = request.get("Namespace"), request.get("MetricName")
        filters = request.get("Dimensions", ())
        since_ms = self.clock.now_ms() - (RECENT_MS if "RecentlyActive" in request else LISTED_MS)
        listing = ["ListMetrics", namespace, name, [[each["Name"], each.get("Value")] for each in filters]]
        last = paging.position(request.get("NextToken"), listing, tuple[str, str, str])
        last = last or (namespace or "", name or "", "")
        await self.writer.write()
        shown: list[Listed] = []
        while len(shown) <= MOST_LISTED:
            found = await self.store.read(
                metrics.after, call.account, call.region, namespace, name if namespace else None, last, MOST_LISTED
            )
            shown += [
                each
                for each in found
                if each.last_minute_ms >= since_ms and name in (None, each.name) and _matches(each, filters)
            ]
            if len(found) < MOST_LISTED:
                break
            last = found[-1][:3]
        page = shown[:MOST_LISTED]
        token = paging.token(listing, page[-1][:3]) if len(shown) > MOST_LISTED else None
        return {"Metrics": [_listed(each) for each in page], "NextToken": token}

    async def _minutes(self, metric: Metric, start_ms: int, end_ms: int) -> list[Minute]:
        await self.writer.write()
        kept_ms = self.clock.now_ms() - KEPT_MS
        return await self.store.read(metrics.minutes, metric, max(start_ms, kept_ms), end_ms)

    async def _values(self, query: Query, start_ms: int, end_ms: int) -> list[tuple[int, float]]:
        """Return what a query finds; it begins with the period that holds `start_ms`."""
        begin_ms = start_ms - start_ms % query.period_ms
        return query.values(await self._minutes(query.metric, begin_ms, end_ms))


def _statistics_of(request: t.GetMetricStatisticsInputTypeDef) -> Sequence[str]:
    chosen, extended = request.get("Statistics"), request.get("ExtendedStatistics")
    if chosen and extended:
        raise InvalidParameterCombinationException(
            "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both."
        )
    statistics.check_percentiles(extended or ())
    if not chosen:
        raise MissingRequiredParameterException(
            "At least one of the parameters Statistics and ExtendedStatistics must be specified."
        )
    return chosen


def _times(request: Mapping[str, Any]) -> tuple[int, int]:
    start, end = (round(epoch(request[name]) * 1000) for name in ("StartTime", "EndTime"))
    return start, end


def _datapoint(period: Minute, chosen: Sequence[str]) -> dict[str, Any]:
    values = {name: STATISTICS[name](period) for name in chosen}
    return {"Timestamp": period.minute_ms / 1000, "Unit": period.unit, **values}


def _result(query: Query, page: Sequence[tuple[int, float]], *, is_whole: bool) -> dict[str, Any]:
    return {
        "Id": query.id,
        "Label": query.label,
        "Timestamps": [time_ms / 1000 for time_ms, _ in page],
        "Values": [value for _, value in page],
        "StatusCode": "Complete" if is_whole else "PartialData",
    }


def _listed(metric: Listed) -> dict[str, Any]:
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.pairs()],
    }


def _matches(metric: Listed, filters: Sequence[t.DimensionFilterTypeDef]) -> bool:
    """Has a metric all dimensions that are asked for, with the values that are?"""
    if not filters:
        return True
    values = dict(metric.pairs())
    return all(each["Name"] in values and each.get("Value") in (None, values[each["Name"]]) for each in filters)
