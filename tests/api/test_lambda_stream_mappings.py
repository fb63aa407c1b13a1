"""Event source mappings of streams: what is refused, as long as no service here has streams."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create

from cumulet.testing import Cumulet

INVALID = "InvalidParameterValueException"
UNSUPPORTED = "Unsupported {} parameter for given event source mapping type."


def arns(cumulet: Cumulet) -> dict[str, str]:
    prefix = f"us-east-1:{cumulet.account}"
    return {
        "kinesis": f"arn:aws:kinesis:{prefix}:stream/clicks",
        "dynamodb": f"arn:aws:dynamodb:{prefix}:table/clicks/stream/2027-01-15T08:00:00.000",
    }


@pytest.mark.parametrize("service", ["kinesis", "dynamodb"])
def test_a_stream_that_does_not_exist_is_refused(cumulet: Cumulet, service: str) -> None:
    arn = arns(cumulet)[service]

    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            cumulet.client("lambda").create_event_source_mapping(
                EventSourceArn=arn,
                FunctionName=create(cumulet)["FunctionName"],
                StartingPosition="LATEST",
                BatchSize=1000,
                ParallelizationFactor=10,
                BisectBatchOnFunctionError=True,
                MaximumRecordAgeInSeconds=60,
                MaximumRetryAttempts=0,
                TumblingWindowInSeconds=900,
                MaximumBatchingWindowInSeconds=300,
                FunctionResponseTypes=["ReportBatchItemFailures"],
                FilterCriteria={"Filters": [{"Pattern": '{"data": {"a": [1]}}'}]},
            )
        error = caught.value.response["Error"]
        assert (error["Code"], error["Message"]) == (INVALID, f"Stream not found: {arn}")
    assert cumulet.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []


@pytest.mark.parametrize(
    ("service", "changes", "message"),
    [
        (
            "kinesis",
            {"StartingPosition": None},
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null.",
        ),
        (
            "kinesis",
            {"StartingPositionTimestamp": 1_700_000_000},
            "Timestamp only valid with StartingPosition AT_TIMESTAMP",
        ),
        (
            "kinesis",
            {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": -1},
            "Received Exception while reading from provided stream. "
            "class java.lang.Long can not be converted to a Timestamp",
        ),
        (
            "kinesis",
            {"StartingPosition": "AT_TIMESTAMP"},
            "StartingPositionTimestamp must be given with StartingPosition AT_TIMESTAMP",
        ),
        (
            "dynamodb",
            {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1_700_000_000},
            "Unsupported starting position for arn type: {arn}",
        ),
        ("kinesis", {"ScalingConfig": {"MaximumConcurrency": 2}}, UNSUPPORTED.format("ScalingConfig")),
        ("kinesis", {"Topics": ["orders"]}, UNSUPPORTED.format("Topics")),
        (
            "dynamodb",
            {"ProvisionedPollerConfig": {"MinimumPollers": 2}},
            UNSUPPORTED.format("ProvisionedPollerConfig"),
        ),
        (
            "dynamodb",
            {"MaximumRecordAgeInSeconds": 59},
            "MaximumRecordAgeInSeconds must be -1, or 60 at least.",
        ),
        (
            "dynamodb",
            {"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:123456789012:dead"}}},
            UNSUPPORTED.format("DestinationConfig"),
        ),
        ("dynamodb", {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}, "Invalid filter pattern definition."),
        ("dynamodb", {"FunctionName": "nobodys"}, "Function does not exist"),
    ],
)
def test_what_create_refuses_for_streams(cumulet: Cumulet, service: str, changes: dict[str, Any], message: str) -> None:
    arn = arns(cumulet)[service]
    function = create(cumulet)["FunctionName"]
    given = {"EventSourceArn": arn, "FunctionName": function, "StartingPosition": "LATEST", **changes}

    with pytest.raises(ClientError) as caught:
        cumulet.client("lambda").create_event_source_mapping(
            **{name: value for name, value in given.items() if value is not None}
        )

    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == (INVALID, message.format(arn=arn))


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"ParallelizationFactor": 0}, "parallelizationFactor"),
        ({"ParallelizationFactor": 11}, "parallelizationFactor"),
        ({"MaximumRecordAgeInSeconds": 604_801}, "maximumRecordAgeInSeconds"),
        ({"MaximumRetryAttempts": 10_001}, "maximumRetryAttempts"),
        ({"MaximumRetryAttempts": -2}, "maximumRetryAttempts"),
        ({"TumblingWindowInSeconds": 901}, "tumblingWindowInSeconds"),
        ({"StartingPosition": "0"}, "startingPosition"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "dead"}}}, "destinationConfig.onFailure.destination"),
    ],
)
def test_what_breaks_the_model_is_a_validation_exception(cumulet: Cumulet, changes: dict[str, Any], at: str) -> None:
    given = {
        "EventSourceArn": arns(cumulet)["kinesis"],
        "FunctionName": create(cumulet)["FunctionName"],
        "StartingPosition": "LATEST",
        **changes,
    }

    with pytest.raises(ClientError) as caught:
        cumulet.client("lambda", parameter_validation=False).create_event_source_mapping(**given)

    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert f"at '{at}' failed to satisfy constraint: " in error["Message"]
