"""CloudWatch: metrics put by clients, and their statistics."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from raw_http import exchange, head

from cumulet.testing import Cumulet

NAMESPACE = "Pigeons"
EVERYTHING = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]


def now(cumulet: Cumulet) -> datetime:
    """Return the beginning of the platform's minute."""
    return datetime.fromtimestamp(cumulet.now_ms() // 60_000 * 60, UTC)


def put(cumulet: Cumulet, *data: dict[str, Any]) -> None:
    cumulet.client("cloudwatch").put_metric_data(
        Namespace=NAMESPACE, MetricData=[{"MetricName": "Flights", **datum} for datum in data]
    )


def datapoints(cumulet: Cumulet, **members: Any) -> list[dict[str, Any]]:
    """Return the statistics of Flights in the hour around now."""
    asked = {
        "Namespace": NAMESPACE,
        "MetricName": "Flights",
        "StartTime": now(cumulet) - timedelta(minutes=30),
        "EndTime": now(cumulet) + timedelta(minutes=30),
        "Period": 60,
        "Statistics": EVERYTHING,
    }
    found: list[dict[str, Any]] = cumulet.client("cloudwatch").get_metric_statistics(**asked | members)["Datapoints"]
    return found


def query(name: str = "Flights", query_id: str = "q", **stat: Any) -> dict[str, Any]:
    metric = {"Namespace": NAMESPACE, "MetricName": name}
    return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum", **stat}}


def test_single_values_lists_and_sets_become_statistics_of_their_minute(cumulet: Cumulet) -> None:
    put(cumulet, {"Value": 11}, {"Values": [1, 10], "Counts": [2, 4]})
    put(cumulet, {"StatisticValues": {"SampleCount": 10, "Sum": 55, "Minimum": 0.5, "Maximum": 12}})

    found = datapoints(cumulet)

    assert found == [
        {
            "Timestamp": now(cumulet),
            "SampleCount": 17,
            "Sum": 108,
            "Average": 108 / 17,
            "Minimum": 0.5,
            "Maximum": 12,
            "Unit": "None",
        }
    ]


def test_only_the_statistics_that_are_asked_for_are_answered(cumulet: Cumulet) -> None:
    put(cumulet, {"Value": 2})

    assert datapoints(cumulet, Statistics=["Sum"]) == [{"Timestamp": now(cumulet), "Sum": 2, "Unit": "None"}]


def test_data_belongs_to_the_minute_of_its_timestamp(cumulet: Cumulet) -> None:
    start = now(cumulet)
    for minutes in (-14 * 24 * 60 + 1, -10, 0, 119):
        put(cumulet, {"Value": 1, "Timestamp": start + timedelta(minutes=minutes)})

    assert [point["Timestamp"] for point in datapoints(cumulet)] == [start - timedelta(minutes=10), start]
    everything = {"StartTime": start - timedelta(days=15), "EndTime": start + timedelta(days=1), "Period": 3600}
    assert sum(point["Sum"] for point in datapoints(cumulet, **everything)) == 4


def test_periods_follow_each_other_from_the_first_minute_asked_for(cumulet: Cumulet) -> None:
    start = now(cumulet)
    for minutes in (0, 1, 4, 5, 9, 10):
        put(cumulet, {"Value": 1, "Timestamp": start + timedelta(minutes=minutes)})

    found = datapoints(cumulet, StartTime=start, EndTime=start + timedelta(minutes=10), Period=300)

    assert [(point["Timestamp"], point["Sum"]) for point in found] == [(start, 3), (start + timedelta(minutes=5), 2)]


def test_units_stay_apart(cumulet: Cumulet) -> None:
    put(cumulet, {"Value": 1, "Unit": "Seconds"}, {"Value": 2, "Unit": "Count"})

    assert {point["Unit"]: point["Sum"] for point in datapoints(cumulet)} == {"Seconds": 1, "Count": 2}
    assert [point["Sum"] for point in datapoints(cumulet, Unit="Count")] == [2]
    assert datapoints(cumulet, Unit="Bytes") == []


def test_dimensions_are_a_set_and_make_a_metric_of_its_own(cumulet: Cumulet) -> None:
    one, other = {"Name": "Loft", "Value": "north"}, {"Name": "Breed", "Value": "cumulet"}
    put(cumulet, {"Value": 1, "Dimensions": [one, other]}, {"Value": 2, "Dimensions": [other, one]}, {"Value": 4})

    assert [point["Sum"] for point in datapoints(cumulet, Dimensions=[other, one])] == [3]
    assert [point["Sum"] for point in datapoints(cumulet)] == [4]
    assert datapoints(cumulet, Dimensions=[one]) == []


def test_accounts_and_regions_have_their_own_metrics(cumulet: Cumulet) -> None:
    put(cumulet, {"Value": 1})
    asked = {"Namespace": NAMESPACE}

    assert len(cumulet.client("cloudwatch").list_metrics(**asked)["Metrics"]) == 1
    assert cumulet.client("cloudwatch", region="eu-west-1").list_metrics(**asked)["Metrics"] == []
    assert cumulet.client("cloudwatch", account="999988887777").list_metrics(**asked)["Metrics"] == []


def test_several_metrics_are_answered_at_once(cumulet: Cumulet) -> None:
    start = now(cumulet)
    client = cumulet.client("cloudwatch")
    put(cumulet, *({"Value": value, "Timestamp": start + timedelta(minutes=value)} for value in (1, 2, 3)))
    put(cumulet, {"MetricName": "Landings", "Value": 7})
    asked = [
        query(query_id="sums"),
        query(query_id="most", Stat="Maximum", Period=3600),
        {**query("Landings", "landings"), "Label": "how many landed"},
        {**query(query_id="hidden"), "ReturnData": False},
        query("Nothing", "nothing"),
    ]

    answer = client.get_metric_data(MetricDataQueries=asked, StartTime=start, EndTime=start + timedelta(minutes=4))

    results = {result["Id"]: result for result in answer["MetricDataResults"]}
    assert list(results) == ["sums", "most", "landings", "nothing"]
    assert results["sums"]["Values"] == [3, 2, 1]
    assert results["sums"]["Timestamps"] == [start + timedelta(minutes=minutes) for minutes in (3, 2, 1)]
    assert max(results["most"]["Values"]) == 3
    assert results["most"]["Timestamps"][0].minute == 0
    assert (results["landings"]["Label"], results["landings"]["Values"]) == ("how many landed", [7])
    assert (results["nothing"]["Values"], results["nothing"]["StatusCode"]) == ([], "Complete")
    assert answer["Messages"] == []


def test_values_can_be_asked_for_in_the_order_of_time_and_in_pages(cumulet: Cumulet) -> None:
    start = now(cumulet)
    put(cumulet, *({"Value": value, "Timestamp": start + timedelta(minutes=value)} for value in range(5)))
    asked = {
        "MetricDataQueries": [query(query_id="a"), query(query_id="b")],
        "StartTime": start,
        "EndTime": start + timedelta(minutes=5),
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": 3,
    }

    pages = list(cumulet.client("cloudwatch").get_paginator("get_metric_data").paginate(**asked))

    shown = [
        [(result["Id"], result["Values"], result["StatusCode"]) for result in p["MetricDataResults"]] for p in pages
    ]
    assert shown == [
        [("a", [0, 1, 2], "PartialData")],
        [("a", [3, 4], "Complete"), ("b", [0], "PartialData")],
        [("b", [1, 2, 3], "PartialData")],
        [("b", [4], "Complete")],
    ]


def test_metrics_are_listed_by_namespace_name_and_dimensions(cumulet: Cumulet) -> None:
    loft = [{"Name": "Loft", "Value": "north"}]
    put(cumulet, {"Value": 1}, {"Value": 1, "Dimensions": loft}, {"MetricName": "Landings", "Value": 1})
    client = cumulet.client("cloudwatch")

    def listed(**filters: Any) -> list[tuple[str, int]]:
        found = client.list_metrics(**filters)["Metrics"]
        return [(metric["MetricName"], len(metric["Dimensions"])) for metric in found]

    assert listed() == listed(Namespace=NAMESPACE) == [("Flights", 1), ("Flights", 0), ("Landings", 0)]
    assert listed(MetricName="Landings") == listed(Namespace=NAMESPACE, MetricName="Landings") == [("Landings", 0)]
    assert listed(Dimensions=[{"Name": "Loft"}]) == listed(Dimensions=loft) == [("Flights", 1)]
    assert listed(Dimensions=[{"Name": "Loft", "Value": "south"}]) == listed(Namespace="Nothing") == []


def test_more_than_500_metrics_are_listed_in_pages(cumulet: Cumulet) -> None:
    client = cumulet.client("cloudwatch")
    names = [f"m{number:04}" for number in range(501)]
    put(cumulet, *({"MetricName": name, "Value": 1} for name in names))

    pages = list(client.get_paginator("list_metrics").paginate(Namespace=NAMESPACE))

    assert [len(page["Metrics"]) for page in pages] == [500, 1]
    assert [metric["MetricName"] for page in pages for metric in page["Metrics"]] == names


def test_a_large_request_that_the_client_compresses_is_understood(cumulet: Cumulet) -> None:
    dimension = [{"Name": "Story", "Value": "x" * 1000}]
    put(cumulet, *({"Value": 1, "Dimensions": dimension} for _ in range(100)))

    assert [point["Sum"] for point in datapoints(cumulet, Dimensions=dimension)] == [100]


@pytest.mark.parametrize(
    "body",
    [b"not gzip", gzip.compress(b"{}")[:-9], gzip.compress(json.dumps({"Namespace": "x" * 2**20}).encode())],
    ids=["plain", "cut", "too large"],
)
def test_what_can_not_be_uncompressed_is_refused(cumulet: Cumulet, body: bytes) -> None:
    lines = head(
        b"POST / HTTP/1.1",
        b"X-Amz-Target: GraniteServiceVersion20100801.PutMetricData",
        b"Content-Type: application/x-amz-json-1.0",
        b"Content-Encoding: gzip",
        b"Content-Length: %d" % len(body),
    )

    answer = exchange(cumulet.url, lines + body)

    assert answer.status == 400
    assert b"SerializationException" in answer.body


def test_metrics_that_got_no_data_for_two_weeks_are_not_listed_and_gone_a_day_later(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        client = server.client("cloudwatch")
        put(server, {"Value": 1})
        first = now(server)
        asked = {"StartTime": first, "EndTime": first + timedelta(days=1), "Period": 3600}
        assert len(client.list_metrics(RecentlyActive="PT3H")["Metrics"]) == 1

        server.advance(hours=4)
        assert client.list_metrics(RecentlyActive="PT3H")["Metrics"] == []
        assert len(client.list_metrics()["Metrics"]) == 1
        server.advance(days=14)
        assert client.list_metrics()["Metrics"] == []
        assert len(datapoints(server, **asked)) == 1
        server.advance(days=1)

        assert datapoints(server, **asked) == []


def test_what_was_put_outlives_a_kill(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", durability="full") as server:
        put(server, {"Value": 1})
        server.kill()
        server.start()

        assert [point["Sum"] for point in datapoints(server)] == [1]


def test_data_that_is_refused_leaves_nothing_behind(cumulet: Cumulet) -> None:
    with pytest.raises(ClientError):
        put(cumulet, {"Value": 1}, {"Value": 1, "Values": [1]})

    assert datapoints(cumulet) == []
    put(cumulet, {"Value": 1})
    put(cumulet, {"Value": 1})
    assert [point["Sum"] for point in datapoints(cumulet)] == [2]


def test_older_clients_speak_the_query_protocol(cumulet: Cumulet) -> None:
    def ask(parameters: str) -> bytes:
        body = f"{parameters}&Version=2010-08-01".encode()
        scope = f"Credential={cumulet.account}/20260101/us-east-1/monitoring/aws4_request".encode()
        lines = head(
            b"POST / HTTP/1.1",
            b"Authorization: AWS4-HMAC-SHA256 " + scope + b", SignedHeaders=host, Signature=0",
            b"Content-Type: application/x-www-form-urlencoded",
            b"Content-Length: %d" % len(body),
        )
        return exchange(cumulet.url, lines + body).body

    put_answer = ask(
        "Action=PutMetricData&Namespace=Old&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1.5"
    )
    listed = ask("Action=ListMetrics&Namespace=Old")
    refused = ask("Action=PutMetricData&Namespace=AWS/Old&MetricData.member.1.MetricName=m")

    assert b"<PutMetricDataResponse" in put_answer
    assert b"<MetricName>m</MetricName>" in listed
    assert b"<Code>InvalidParameterValue</Code>" in refused
