"""What PutMetricData takes: single values, values with counts, and sums made elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cumulet.kernel.call import Call
from cumulet.kernel.errors import NotImplementedFailure
from cumulet.kernel.telemetry import Metric, Sample
from cumulet.services.cloudwatch.errors import (
    InvalidParameterCombinationException,
    InvalidParameterValueException,
    MissingRequiredParameterException,
    exclusive,
    too_many,
)
from cumulet.services.cloudwatch.statistics import whole_minute
from cumulet.wire.json_values import spelled_float
from cumulet.wire.timestamps import epoch

MOST_DATUMS = 1000
"""CloudWatch: of a request;"""
MOST_VALUES = 150
"""of one datum."""
LARGEST_VALUE = 2.0**360
OLDEST_MS = 14 * 24 * 3_600_000
"""CloudWatch: data may be from the past two weeks"""
NEWEST_MS = 2 * 3_600_000
"""to two hours ahead."""
MINUTE_RESOLUTION = 60


def samples(call: Call, request: Mapping[str, Any], now_ms: int) -> list[Sample]:
    """Return a request's data; raises InvalidParameterValue, InvalidParameterCombination or MissingParameter."""
    namespace = request["Namespace"]
    if namespace.startswith("AWS/"):
        raise InvalidParameterValueException("The value AWS/ for parameter Namespace is invalid.")
    if request.get("EntityMetricData"):
        raise NotImplementedFailure("Cumulet does not implement EntityMetricData of PutMetricData yet.")
    data = request.get("MetricData", ())
    if not data:
        raise MissingRequiredParameterException("The parameter MetricData is required.")
    if len(data) > MOST_DATUMS:
        raise InvalidParameterValueException(too_many("MetricData", MOST_DATUMS))
    return [
        _sample(call, namespace, datum, f"MetricData.member.{number}", now_ms) for number, datum in enumerate(data, 1)
    ]


def _sample(call: Call, namespace: str, datum: Mapping[str, Any], place: str, now_ms: int) -> Sample:
    metric = Metric(
        call.account,
        call.region,
        namespace,
        datum["MetricName"],
        dimensions(datum.get("Dimensions", ())),
        datum.get("Unit", "None"),
    )
    if datum.get("StorageResolution", MINUTE_RESOLUTION) != MINUTE_RESOLUTION:
        raise NotImplementedFailure(
            "Cumulet does not implement StorageResolution of less than 60 seconds of PutMetricData yet."
        )
    time_ms = round(epoch(datum["Timestamp"]) * 1000) if "Timestamp" in datum else now_ms
    if not now_ms - OLDEST_MS <= time_ms <= now_ms + NEWEST_MS:
        raise InvalidParameterValueException(
            f"The parameter {place}.Timestamp must specify a time within the past two weeks."
        )
    return Sample(metric, whole_minute(time_ms), *_statistics(datum, place))


def dimensions(given: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    """Return dimensions in the order of their names; raises InvalidParameterValue for a name that is given twice."""
    pairs = tuple(sorted((each["Name"], each["Value"]) for each in given))
    if len({name for name, _ in pairs}) < len(pairs):
        # AWS documents no text for this.
        raise InvalidParameterValueException("No two dimensions can have the same name.")
    return pairs


def _statistics(datum: Mapping[str, Any], place: str) -> tuple[float, float, float, float]:
    """Return observations, total, minimum and maximum."""
    value, values, given = datum.get("Value"), datum.get("Values"), datum.get("StatisticValues")
    if value is not None and values:
        raise InvalidParameterCombinationException(exclusive(f"{place}.Value", f"{place}.Values"))
    if value is not None and given is not None:
        raise InvalidParameterCombinationException(exclusive(f"{place}.Value", f"{place}.StatisticValues"))
    if value is not None:
        _check_value(value, f"{place}.Value")
        return 1, value, value, value
    if values:
        return _of_values(values, datum.get("Counts"), place)
    if given is not None:
        return _of_set(given, f"{place}.StatisticValues")
    raise MissingRequiredParameterException(
        f"At least one of the parameters {place}.Value or {place}.StatisticValues must be specified."
    )


def _of_values(
    values: Sequence[float], counts: Sequence[float] | None, place: str
) -> tuple[float, float, float, float]:
    if len(values) > MOST_VALUES:
        raise InvalidParameterValueException(too_many(f"{place}.Values", MOST_VALUES))
    if counts and len(counts) != len(values):
        raise InvalidParameterValueException(
            f"The parameters {place}.Values and {place}.Counts must be of the same size."
        )
    for number, value in enumerate(values, 1):
        _check_value(value, f"{place}.Values.member.{number}")
    weights = counts or [1.0] * len(values)
    for number, weight in enumerate(weights, 1):
        _check_count(weight, f"{place}.Counts.member.{number}")
    total = sum(value * weight for value, weight in zip(values, weights, strict=True))
    return sum(weights), total, min(values), max(values)


def _of_set(given: Mapping[str, float], place: str) -> tuple[float, float, float, float]:
    for name, value in given.items():
        _check_value(value, f"{place}.{name}")
    _check_count(given["SampleCount"], f"{place}.SampleCount")
    if given["Maximum"] < given["Minimum"]:
        raise InvalidParameterValueException(f"The parameter {place}.Maximum must be greater than {place}.Minimum.")
    return given["SampleCount"], given["Sum"], given["Minimum"], given["Maximum"]


def _check_value(value: float, place: str) -> None:
    if math.isnan(value) or abs(value) > LARGEST_VALUE:
        raise InvalidParameterValueException(f"The value {spelled_float(value)} for parameter {place} is invalid.")


def _check_count(count: float, place: str) -> None:
    if not 0 < count <= LARGEST_VALUE:
        raise InvalidParameterValueException(f"The parameter {place} must be greater than 0.")
