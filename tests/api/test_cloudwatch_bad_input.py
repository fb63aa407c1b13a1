"""CloudWatch: what is refused, and how."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from cumulet.testing import Cumulet

START = datetime(2026, 1, 1, tzinfo=UTC)
STATISTICS = {
    "Namespace": "Pigeons",
    "MetricName": "Flights",
    "StartTime": START,
    "EndTime": START + timedelta(hours=1),
    "Period": 60,
    "Statistics": ["Sum"],
}
METRIC = {"Namespace": "Pigeons", "MetricName": "Flights"}
QUERY = {"Id": "a", "MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "Sum"}}
VALUE, COMBINATION, MISSING = "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter"
SET = {"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2}
DATUM = "MetricData.member.1"


def client(cumulet: Cumulet) -> Any:
    """Return a client that leaves all checks to the server."""
    return cumulet.client("cloudwatch", parameter_validation=False)


def refused(cumulet: Cumulet, operation: str, **members: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as error:
        getattr(client(cumulet), xform_name(operation))(**members)
    response: Any = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


@pytest.mark.parametrize(
    ("datum", "code", "message"),
    [
        ({}, MISSING, f"At least one of the parameters {DATUM}.Value or {DATUM}.StatisticValues must be specified."),
        (
            {"Value": 1, "Values": [1]},
            COMBINATION,
            f"The parameters {DATUM}.Value and {DATUM}.Values are mutually exclusive and you have specified both.",
        ),
        (
            {"Value": 1, "StatisticValues": SET},
            COMBINATION,
            f"The parameters {DATUM}.Value and {DATUM}.StatisticValues are mutually exclusive and you have specified "
            "both.",
        ),
        (
            {"Values": [1, 2], "Counts": [1]},
            VALUE,
            f"The parameters {DATUM}.Values and {DATUM}.Counts must be of the same size.",
        ),
        ({"Values": [1] * 151}, VALUE, f"The collection {DATUM}.Values must not have a size greater than 150."),
        ({"Values": [1], "Counts": [0]}, VALUE, f"The parameter {DATUM}.Counts.member.1 must be greater than 0."),
        ({"Value": 1e300}, VALUE, f"The value 1e+300 for parameter {DATUM}.Value is invalid."),
        ({"Value": float("nan")}, VALUE, f"The value NaN for parameter {DATUM}.Value is invalid."),
        ({"Values": [1, float("inf")]}, VALUE, f"The value Infinity for parameter {DATUM}.Values.member.2 is invalid."),
        (
            {"StatisticValues": SET | {"Maximum": 0}},
            VALUE,
            f"The parameter {DATUM}.StatisticValues.Maximum must be greater than {DATUM}.StatisticValues.Minimum.",
        ),
        (
            {"StatisticValues": SET | {"SampleCount": 0}},
            VALUE,
            f"The parameter {DATUM}.StatisticValues.SampleCount must be greater than 0.",
        ),
        (
            {"Value": 1, "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}]},
            VALUE,
            "No two dimensions can have the same name.",
        ),
    ],
)
def test_a_datum_that_makes_no_sense_is_refused(
    cumulet: Cumulet, datum: dict[str, Any], code: str, message: str
) -> None:
    data = [{"MetricName": "Flights", **datum}]

    for _ in range(2):
        assert refused(cumulet, "PutMetricData", Namespace="Pigeons", MetricData=data) == (400, code, message)
    assert client(cumulet).list_metrics()["Metrics"] == []


@pytest.mark.parametrize("seconds", [-14 * 86_400 - 1, 2 * 3600 + 1])
def test_data_is_from_the_past_two_weeks_or_the_next_two_hours(cumulet: Cumulet, seconds: int) -> None:
    time = datetime.fromtimestamp(cumulet.now_ms() / 1000 + seconds, UTC)
    data = [{"MetricName": "Flights", "Value": 1, "Timestamp": time}]

    assert refused(cumulet, "PutMetricData", Namespace="Pigeons", MetricData=data) == (
        400,
        VALUE,
        "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks.",
    )


@pytest.mark.parametrize(
    ("operation", "members", "code", "message"),
    [
        (
            "PutMetricData",
            {"Namespace": "AWS/SQS", "MetricData": [{"MetricName": "m", "Value": 1}]},
            VALUE,
            "The value AWS/ for parameter Namespace is invalid.",
        ),
        ("PutMetricData", {"Namespace": "Pigeons"}, MISSING, "The parameter MetricData is required."),
        (
            "PutMetricData",
            {"Namespace": "Pigeons", "MetricData": [{"MetricName": "m", "Value": 1}] * 1001},
            VALUE,
            "The collection MetricData must not have a size greater than 1000.",
        ),
        (
            "GetMetricStatistics",
            STATISTICS | {"EndTime": START},
            VALUE,
            "The parameter StartTime must be less than the parameter EndTime.",
        ),
        ("GetMetricStatistics", STATISTICS | {"Period": 61}, VALUE, "The parameter Period must be a multiple of 60."),
        (
            "GetMetricStatistics",
            STATISTICS | {"EndTime": START + timedelta(days=2)},
            COMBINATION,
            "You have requested up to 2,880 datapoints, which exceeds the limit of 1,440. You may reduce the "
            "datapoints requested by increasing Period, or decreasing the time range.",
        ),
        (
            "GetMetricStatistics",
            {name: value for name, value in STATISTICS.items() if name != "Statistics"},
            MISSING,
            "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        ),
        (
            "GetMetricStatistics",
            STATISTICS | {"ExtendedStatistics": ["p99"]},
            COMBINATION,
            "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.",
        ),
        ("ListMetrics", {"NextToken": "nonsense"}, "InvalidNextToken", "The specified token is invalid."),
    ],
)
def test_requests_that_make_no_sense_are_refused(
    cumulet: Cumulet, operation: str, members: dict[str, Any], code: str, message: str
) -> None:
    assert refused(cumulet, operation, **members) == (400, code, message)


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        (
            [QUERY | {"Id": "A"}],
            "The value A for parameter MetricDataQueries.member.1.Id is not matching the expected pattern "
            "^[a-z][a-zA-Z0-9_]*$.",
        ),
        ([QUERY, QUERY], "The values for parameter id in MetricDataQueries are not unique."),
        (
            [QUERY | {"Expression": "a + 1"}],
            "The parameters MetricDataQueries.member.1.Expression and MetricDataQueries.member.1.MetricStat are "
            "mutually exclusive and you have specified both.",
        ),
        (
            [QUERY | {"Period": 60}],
            "The parameters MetricDataQueries.member.1.Period and MetricDataQueries.member.1.MetricStat are mutually "
            "exclusive and you have specified both.",
        ),
        (
            [{"Id": "a"}],
            "At least one of the parameters MetricDataQueries.member.1.Expression and "
            "MetricDataQueries.member.1.MetricStat must be specified.",
        ),
        (
            [{"Id": "a", "MetricStat": {"Metric": METRIC, "Period": 61, "Stat": "Sum"}}],
            "The parameter MetricDataQueries.member.1.MetricStat.Period must be a multiple of 60.",
        ),
        (
            [{"Id": "a", "MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "Product"}}],
            "The value Product for parameter MetricDataQueries.member.1.MetricStat.Stat is not supported.",
        ),
        (
            [{"Id": "a", "MetricStat": {"Metric": {"Namespace": "N"}, "Period": 60, "Stat": "Sum"}}],
            "The parameter MetricDataQueries.member.1.MetricStat.Metric.MetricName is required.",
        ),
        (
            [QUERY | {"Id": f"a{number}"} for number in range(501)],
            "The collection MetricDataQueries must not have a size greater than 500.",
        ),
    ],
)
def test_queries_that_make_no_sense_are_refused(cumulet: Cumulet, queries: list[dict[str, Any]], message: str) -> None:
    times = {"StartTime": START, "EndTime": START + timedelta(hours=1)}

    assert refused(cumulet, "GetMetricData", MetricDataQueries=queries, **times) == (400, "ValidationError", message)


@pytest.mark.parametrize(
    ("operation", "members", "what"),
    [
        ("GetMetricData", {"MetricDataQueries": [{"Id": "a", "Expression": "1 + 1"}]}, "Expression of GetMetricData"),
        (
            "GetMetricData",
            {"MetricDataQueries": [{"Id": "a", "MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "p99.9"}}]},
            "the statistic p99.9",
        ),
        ("GetMetricStatistics", STATISTICS | {"Period": 10}, "periods of less than 60 seconds"),
        ("PutMetricAlarm", {"AlarmName": "a"}, "PutMetricAlarm"),
        (
            "PutMetricData",
            {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1, "StorageResolution": 1}]},
            "StorageResolution",
        ),
    ],
)
def test_what_is_not_there_yet_says_so(cumulet: Cumulet, operation: str, members: dict[str, Any], what: str) -> None:
    times = {"StartTime": START, "EndTime": START + timedelta(hours=1)} if operation == "GetMetricData" else {}

    status, _, message = refused(cumulet, operation, **members, **times)

    assert status == 501
    assert what in message


@pytest.mark.parametrize(
    ("operation", "members", "said"),
    [
        ("PutMetricData", {"MetricData": [{"MetricName": "m", "Value": 1}]}, "'namespace'"),
        ("PutMetricData", {"Namespace": ":colon", "MetricData": [{"MetricName": "m", "Value": 1}]}, "'namespace'"),
        ("PutMetricData", {"Namespace": "n" * 256, "MetricData": [{"MetricName": "m", "Value": 1}]}, "'namespace'"),
        ("PutMetricData", {"Namespace": "n", "MetricData": [{"Value": 1}]}, "metricName'"),
        ("PutMetricData", {"Namespace": "n", "MetricData": [{"MetricName": "m", "Unit": "Feathers"}]}, "unit'"),
        ("GetMetricStatistics", STATISTICS | {"Statistics": ["Product"]}, "'statistics'"),
        ("GetMetricStatistics", STATISTICS | {"Period": 0}, "'period'"),
        ("GetMetricData", {"MetricDataQueries": [QUERY]}, "'startTime'"),
        ("ListMetrics", {"RecentlyActive": "PT1H"}, "'recentlyActive'"),
    ],
)
def test_what_breaks_a_constraint_of_the_model_is_refused(
    cumulet: Cumulet, operation: str, members: dict[str, Any], said: str
) -> None:
    status, code, message = refused(cumulet, operation, **members)

    assert (status, code) == (400, "ValidationError")
    assert said in message


def test_a_token_of_another_list_is_refused(cumulet: Cumulet) -> None:
    data = [{"MetricName": f"m{number}", "Value": 1} for number in range(501)]
    client(cumulet).put_metric_data(Namespace="Pigeons", MetricData=data)
    token = client(cumulet).list_metrics(Namespace="Pigeons")["NextToken"]

    assert refused(cumulet, "ListMetrics", NextToken=token)[1] == "InvalidNextToken"
