"""Lambda: what CloudWatch knows of functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create

from cumulet.testing import Cumulet

STATISTICS = ["SampleCount", "Sum", "Minimum", "Maximum"]
FAILING = "def handler(event, context):\n    return 1 / event['by']\n"


def measured(cumulet: Cumulet, name: str, statistic: str = "Sum", **dimensions: str) -> float | None:
    """Return one statistic of the hour around now, None where there are no data."""
    now = datetime.fromtimestamp(cumulet.now_ms() / 1000, UTC)
    found = cumulet.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=30),
        EndTime=now + timedelta(minutes=30),
        Period=3600,
        Statistics=STATISTICS,
    )["Datapoints"]
    return found[0][statistic] if found else None


def test_invocations_and_their_errors_are_counted(cumulet: Cumulet) -> None:
    name = create(cumulet, source=FAILING)["FunctionName"]
    client = cumulet.client("lambda")
    for by in (1, 2, 0):
        client.invoke(FunctionName=name, Payload=f'{{"by": {by}}}')

    for dimensions in ({"FunctionName": name}, {"FunctionName": name, "Resource": name}, {}):
        assert measured(cumulet, "Invocations", **dimensions) == 3
        assert measured(cumulet, "Errors", **dimensions) == 1
        assert measured(cumulet, "Errors", "SampleCount", **dimensions) == 3
        assert measured(cumulet, "Duration", "SampleCount", **dimensions) == 3
    assert (measured(cumulet, "Duration", "Minimum", FunctionName=name) or 0) > 0
    assert measured(cumulet, "ConcurrentExecutions", "Maximum", FunctionName=name) == 1
    assert measured(cumulet, "ConcurrentExecutions", "Maximum") == 1
    assert measured(cumulet, "UnreservedConcurrentExecutions", "Maximum") == 1
    assert measured(cumulet, "Throttles", FunctionName=name) is None


def test_what_was_measured_belongs_to_the_minute_of_the_platforms_clock(cumulet: Cumulet) -> None:
    name = create(cumulet)["FunctionName"]
    client = cumulet.client("lambda")
    client.invoke(FunctionName=name)
    first = cumulet.now_ms() // 60_000 * 60
    cumulet.advance(minutes=2)
    client.invoke(FunctionName=name)
    client.invoke(FunctionName=name)

    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "FunctionName", "Value": name}],
    }
    result = cumulet.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}],
        StartTime=first,
        EndTime=first + 600,
    )["MetricDataResults"][0]

    assert result["Values"] == [2, 1]
    assert [time.timestamp() - first for time in result["Timestamps"]] == [120, 0]


def test_an_aliases_invocations_are_told_apart_by_version(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    name = create(cumulet)["FunctionName"]
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    client.invoke(FunctionName=name, Qualifier="live")
    client.invoke(FunctionName=name, Qualifier="1")
    client.invoke(FunctionName=name)

    assert measured(cumulet, "Invocations", FunctionName=name) == 3
    resources = {
        resource: measured(cumulet, "Invocations", FunctionName=name, Resource=resource)
        for resource in (name, f"{name}:1", f"{name}:live")
    }
    assert resources == {name: 1, f"{name}:1": 1, f"{name}:live": 1}
    by_version = {"FunctionName": name, "Resource": f"{name}:live", "ExecutedVersion": "1"}
    assert measured(cumulet, "Invocations", **by_version) == 1


def test_what_is_throttled_is_counted_and_no_invocation(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    name = create(cumulet)["FunctionName"]
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    for _ in range(2):
        with pytest.raises(ClientError):
            client.invoke(FunctionName=name)

    assert measured(cumulet, "Throttles", FunctionName=name) == 2
    assert measured(cumulet, "Throttles") == 2
    assert measured(cumulet, "Invocations", FunctionName=name) is None


def test_the_metrics_of_a_function_are_listed(cumulet: Cumulet) -> None:
    name = create(cumulet)["FunctionName"]
    cumulet.client("lambda").invoke(FunctionName=name)

    found: list[Any] = cumulet.client("cloudwatch").list_metrics(
        Namespace="AWS/Lambda", Dimensions=[{"Name": "FunctionName", "Value": name}]
    )["Metrics"]

    listed = {(metric["MetricName"], len(metric["Dimensions"])) for metric in found}
    assert listed == {
        ("ConcurrentExecutions", 1),
        *((each, number) for each in ("Duration", "Errors", "Invocations") for number in (1, 2)),
    }


def test_the_metrics_of_a_queue_are_there_too(cumulet: Cumulet) -> None:
    sqs = cumulet.client("sqs")
    url = sqs.create_queue(QueueName="measured-in-cloudwatch")["QueueUrl"]
    for body in ("1", "22", "333"):
        sqs.send_message(QueueUrl=url, MessageBody=body)

    now = cumulet.now_ms() / 1000
    point = cumulet.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="SentMessageSize",
        Dimensions=[{"Name": "QueueName", "Value": "measured-in-cloudwatch"}],
        StartTime=now - 60,
        EndTime=now + 60,
        Period=60,
        Statistics=[*STATISTICS, "Average"],
    )["Datapoints"][0]

    assert (point["SampleCount"], point["Sum"], point["Minimum"], point["Maximum"]) == (3, 6, 1, 3)
    assert (point["Average"], point["Unit"]) == (2, "Bytes")
