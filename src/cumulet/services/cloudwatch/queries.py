"""What GetMetricData is asked: up to 500 metrics at once, each a list of times and values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cumulet.kernel.call import Call
from cumulet.kernel.errors import NotImplementedFailure
from cumulet.kernel.telemetry import Metric
from cumulet.services.cloudwatch import statistics
from cumulet.services.cloudwatch.datums import dimensions
from cumulet.services.cloudwatch.errors import exclusive, too_many
from cumulet.services.cloudwatch.metrics import Minute
from cumulet.services.cloudwatch.statistics import STATISTICS
from cumulet.wire.errors import ValidationError

MOST_QUERIES = 500
ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
UNKNOWN_STATISTIC = re.compile(r"(?:p|tm|wm|tc|ts)\d+(?:\.\d+)?|(?:TM|WM|PR|TC|TS)\(.*\)|IQM")
"""CloudWatch: statistics that are made of single observations."""


class Query(NamedTuple):
    """One metric that is asked for."""

    id: str
    label: str
    metric: Metric
    period_ms: int
    statistic: str
    unit: str | None
    is_shown: bool

    def values(self, found: Sequence[Minute]) -> list[tuple[int, float]]:
        """Return time and value of each period, the newest first.

        CloudWatch: periods are counted from 1970, not from the time that is asked for.
        """
        wanted = [minute for minute in found if self.unit in (None, minute.unit)]
        periods = statistics.periods(wanted, 0, self.period_ms, by_unit=False)
        read = STATISTICS[self.statistic]
        return [(period.minute_ms, read(period)) for period in reversed(periods)]


def queries(call: Call, given: Sequence[Mapping[str, Any]]) -> list[Query]:
    """Return what a request asks for; raises ValidationError, and NotImplementedFailure for metric math."""
    if len(given) > MOST_QUERIES:
        raise ValidationError(too_many("MetricDataQueries", MOST_QUERIES))
    found = [_query(call, each, f"MetricDataQueries.member.{number}") for number, each in enumerate(given, 1)]
    if len({query.id for query in found}) < len(found):
        raise ValidationError("The values for parameter id in MetricDataQueries are not unique.")
    return found


def _query(call: Call, given: Mapping[str, Any], place: str) -> Query:
    if not ID.fullmatch(given["Id"]):
        raise ValidationError(
            f"The value {given['Id']} for parameter {place}.Id is not matching the expected pattern ^{ID.pattern}$."
        )
    stat = given.get("MetricStat")
    if "Expression" in given:
        if stat is not None:
            raise ValidationError(exclusive(f"{place}.Expression", f"{place}.MetricStat"))
        raise NotImplementedFailure("Cumulet does not implement Expression of GetMetricData yet.")
    if stat is None:
        raise ValidationError(
            f"At least one of the parameters {place}.Expression and {place}.MetricStat must be specified."
        )
    if "Period" in given:
        raise ValidationError(exclusive(f"{place}.Period", f"{place}.MetricStat"))
    if given.get("AccountId", call.account) != call.account:
        raise NotImplementedFailure("Cumulet does not implement AccountId of GetMetricData yet.")
    metric = stat["Metric"]
    for name in ("Namespace", "MetricName"):
        if name not in metric:
            raise ValidationError(f"The parameter {place}.MetricStat.Metric.{name} is required.")
    if not statistics.is_period(stat["Period"]):
        raise ValidationError(f"The parameter {place}.MetricStat.Period must be a multiple of 60.")
    if stat["Stat"] not in STATISTICS:
        if UNKNOWN_STATISTIC.fullmatch(stat["Stat"]):
            statistics.check_percentiles([stat["Stat"]])
        raise ValidationError(f"The value {stat['Stat']} for parameter {place}.MetricStat.Stat is not supported.")
    return Query(
        given["Id"],
        given.get("Label", metric["MetricName"]),
        Metric(
            call.account,
            call.region,
            metric["Namespace"],
            metric["MetricName"],
            dimensions(metric.get("Dimensions", ())),
        ),
        stat["Period"] * 1000,
        stat["Stat"],
        stat.get("Unit"),
        given.get("ReturnData", True),
    )
