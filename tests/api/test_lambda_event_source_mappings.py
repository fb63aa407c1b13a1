"""Event source mappings as resources: create, get, list, update, delete, and what is refused."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create, new_name

from cumulet.testing import Cumulet


def queue_arn(cumulet: Cumulet, name: str = "orders", **attributes: str) -> str:
    sqs = cumulet.client("sqs")
    if name.endswith(".fifo"):
        attributes["FifoQueue"] = "true"
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn


def error_of(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, str, int]:
    response = caught.value.response
    error = response["Error"]
    return error["Code"], error["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_new_mapping_shows_what_was_asked_for_and_the_defaults(cumulet: Cumulet) -> None:
    function = create(cumulet)
    arn = queue_arn(cumulet)
    client = cumulet.client("lambda")

    made = client.create_event_source_mapping(EventSourceArn=arn, FunctionName=function["FunctionName"])

    metadata = made.pop("ResponseMetadata")
    assert metadata["HTTPStatusCode"] == 202
    mapping_id = made["UUID"]
    assert str(uuid.UUID(mapping_id)) == mapping_id
    assert made["LastModified"].timestamp() == pytest.approx(cumulet.now_ms() / 1000, abs=1)
    assert {name: value for name, value in made.items() if name not in ("UUID", "LastModified")} == {
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:{cumulet.account}:event-source-mapping:{mapping_id}",
        "EventSourceArn": arn,
        "FunctionArn": function["FunctionArn"],
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    got = client.get_event_source_mapping(UUID=mapping_id)
    del got["ResponseMetadata"]
    assert got == {**made, "State": "Enabled"}


def test_all_settings_are_kept_and_can_be_changed_and_cleared(cumulet: Cumulet) -> None:
    first, second = create(cumulet), create(cumulet)
    client = cumulet.client("lambda")

    made = client.create_event_source_mapping(
        EventSourceArn=queue_arn(cumulet),
        FunctionName=first["FunctionArn"],
        Enabled=False,
        BatchSize=500,
        MaximumBatchingWindowInSeconds=20,
        ScalingConfig={"MaximumConcurrency": 7},
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    disabled = client.get_event_source_mapping(UUID=made["UUID"])
    changed = client.update_event_source_mapping(
        UUID=made["UUID"],
        FunctionName=second["FunctionName"],
        Enabled=True,
        BatchSize=5,
        MaximumBatchingWindowInSeconds=0,
        ScalingConfig={},
        FunctionResponseTypes=[],
    )

    assert (disabled["State"], disabled["BatchSize"], disabled["MaximumBatchingWindowInSeconds"]) == (
        "Disabled",
        500,
        20,
    )
    assert disabled["ScalingConfig"] == {"MaximumConcurrency": 7}
    assert disabled["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (changed["State"], changed["ResponseMetadata"]["HTTPStatusCode"]) == ("Enabling", 202)
    got = client.get_event_source_mapping(UUID=made["UUID"])
    assert (got["State"], got["BatchSize"], got["FunctionArn"]) == ("Enabled", 5, second["FunctionArn"])
    assert got["FunctionResponseTypes"] == []
    assert "ScalingConfig" not in got


def test_an_update_without_changes_leaves_all_as_it_was(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    made = client.create_event_source_mapping(
        EventSourceArn=queue_arn(cumulet), FunctionName=create(cumulet)["FunctionName"], BatchSize=3
    )

    answers = [client.update_event_source_mapping(UUID=made["UUID"]) for _ in range(2)]

    assert [answer["State"] for answer in answers] == ["Updating", "Updating"]
    assert client.get_event_source_mapping(UUID=made["UUID"])["BatchSize"] == 3


def test_a_deleted_mapping_is_gone_and_can_be_made_again(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    name, arn = create(cumulet)["FunctionName"], queue_arn(cumulet)
    made = client.create_event_source_mapping(EventSourceArn=arn, FunctionName=name)

    deleted = client.delete_event_source_mapping(UUID=made["UUID"])

    assert (deleted["State"], deleted["ResponseMetadata"]["HTTPStatusCode"]) == ("Deleting", 202)
    for operation in ("get", "update", "delete"):
        with pytest.raises(ClientError) as caught:
            getattr(client, f"{operation}_event_source_mapping")(UUID=made["UUID"])
        assert error_of(caught) == (
            "ResourceNotFoundException",
            "The resource you requested does not exist.",
            404,
        )
    again = client.create_event_source_mapping(EventSourceArn=arn, FunctionName=name)
    assert again["UUID"] != made["UUID"]


def test_a_queue_is_mapped_to_a_function_once(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    name, arn = create(cumulet)["FunctionName"], queue_arn(cumulet)
    made = client.create_event_source_mapping(EventSourceArn=arn, FunctionName=name)

    with pytest.raises(ClientError) as caught:
        client.create_event_source_mapping(EventSourceArn=arn, FunctionName=name)

    assert error_of(caught) == (
        "ResourceConflictException",
        f'An event source mapping with SQS arn (" {arn} ") and function (" {name} ") already exists. '
        f"Please update or delete the existing mapping with UUID {made['UUID']}",
        409,
    )
    assert len(client.list_event_source_mappings()["EventSourceMappings"]) == 1


def test_an_update_may_not_map_a_queue_to_a_function_twice(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    first, second, arn = create(cumulet)["FunctionName"], create(cumulet)["FunctionName"], queue_arn(cumulet)
    client.create_event_source_mapping(EventSourceArn=arn, FunctionName=first)
    other = client.create_event_source_mapping(EventSourceArn=arn, FunctionName=second)

    with pytest.raises(ClientError) as caught:
        client.update_event_source_mapping(UUID=other["UUID"], FunctionName=first)

    assert error_of(caught)[0] == "ResourceConflictException"
    assert client.get_event_source_mapping(UUID=other["UUID"])["FunctionArn"].endswith(second)


def test_mappings_are_listed_by_function_by_queue_and_in_pages(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    functions = [create(cumulet)["FunctionName"] for _ in range(2)]
    arns = [queue_arn(cumulet, f"queue-{number}") for number in range(3)]
    made = {
        (name, arn): client.create_event_source_mapping(EventSourceArn=arn, FunctionName=name)["UUID"]
        for name in functions
        for arn in arns
    }

    def listed(**wanted: Any) -> list[str]:
        pages = client.get_paginator("list_event_source_mappings").paginate(**wanted, PaginationConfig={"PageSize": 2})
        return [mapping["UUID"] for page in pages for mapping in page["EventSourceMappings"]]

    assert listed() == list(made.values())
    assert listed(FunctionName=functions[1]) == [made[functions[1], arn] for arn in arns]
    assert listed(EventSourceArn=arns[0]) == [made[name, arns[0]] for name in functions]
    assert listed(EventSourceArn=arns[2], FunctionName=functions[0]) == [made[functions[0], arns[2]]]
    assert listed(EventSourceArn="arn:aws:sqs:us-east-1:123456789012:nobodys") == []


def test_a_page_of_mappings_has_100_at_most(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    name = create(cumulet)["FunctionName"]
    for number in range(101):
        client.create_event_source_mapping(EventSourceArn=queue_arn(cumulet, f"queue-{number}"), FunctionName=name)

    sizes = {
        len(client.list_event_source_mappings(**members)["EventSourceMappings"])
        for members in ({}, {"MaxItems": 101}, {"MaxItems": 10_000})
    }

    assert sizes == {100}
    assert len(client.list_event_source_mappings(MaxItems=99)["EventSourceMappings"]) == 99


def test_other_accounts_and_regions_do_not_see_a_mapping(cumulet: Cumulet) -> None:
    made = cumulet.client("lambda").create_event_source_mapping(
        EventSourceArn=queue_arn(cumulet), FunctionName=create(cumulet)["FunctionName"]
    )

    for client in (cumulet.client("lambda", account="999999999999"), cumulet.client("lambda", region="eu-west-1")):
        with pytest.raises(ClientError) as caught:
            client.get_event_source_mapping(UUID=made["UUID"])
        assert error_of(caught)[0] == "ResourceNotFoundException"
        assert client.list_event_source_mappings()["EventSourceMappings"] == []


UNKNOWN_QUEUE = (
    "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
    "SQS Error Message: The specified queue does not exist."
)
UNSUPPORTED = "Unsupported {} parameter for given event source mapping type."
INVALID = "InvalidParameterValueException"
FAILED = "1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: "


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"EventSourceArn": None}, INVALID, "Unrecognized event source."),
        (
            {"EventSourceArn": "arn:aws:sns:us-east-1:123456789012:topic"},
            INVALID,
            "Unrecognized event source, must be kinesis, dynamodb stream or sqs. "
            "Unsupported source arn : arn:aws:sns:us-east-1:123456789012:topic",
        ),
        ({"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:nobodys"}, INVALID, UNKNOWN_QUEUE),
        ({"EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:orders"}, INVALID, UNKNOWN_QUEUE),
        ({"FunctionName": "nobodys"}, INVALID, "Function does not exist"),
        ({"FunctionName": "nobodys:PROD"}, INVALID, "Function does not exist"),
        (
            {"BatchSize": 11},
            INVALID,
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        ({"StartingPosition": "LATEST"}, INVALID, "StartingPosition is not valid for SQS event sources."),
        ({"ParallelizationFactor": 2}, INVALID, UNSUPPORTED.format("ParallelizationFactor")),
        ({"BisectBatchOnFunctionError": True}, INVALID, UNSUPPORTED.format("BisectBatchOnFunctionError")),
        ({"MaximumRecordAgeInSeconds": 60}, INVALID, UNSUPPORTED.format("MaximumRecordAgeInSeconds")),
        ({"MaximumRetryAttempts": 1}, INVALID, UNSUPPORTED.format("MaximumRetryAttempts")),
        ({"MaximumRetryAttempts": 0}, INVALID, UNSUPPORTED.format("MaximumRetryAttempts")),
        ({"TumblingWindowInSeconds": 1}, INVALID, UNSUPPORTED.format("TumblingWindowInSeconds")),
        (
            {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:orders"}}},
            INVALID,
            UNSUPPORTED.format("DestinationConfig"),
        ),
        ({"Topics": ["orders"]}, INVALID, UNSUPPORTED.format("Topics")),
        ({"Queues": ["orders"]}, INVALID, UNSUPPORTED.format("Queues")),
        (
            {"ProvisionedPollerConfig": {"MinimumPollers": 3, "MaximumPollers": 2}},
            INVALID,
            "MinimumPollers must be less than or equal to MaximumPollers",
        ),
        (
            {"ProvisionedPollerConfig": {"MinimumPollers": 2}, "ScalingConfig": {"MaximumConcurrency": 2}},
            INVALID,
            "ScalingConfig can't be used together with ProvisionedPollerConfig.",
        ),
        ({"LoggingConfig": {"SystemLogLevel": "INFO"}}, INVALID, UNSUPPORTED.format("LoggingConfig")),
        (
            {"EventSourceArn": "arn:aws:mq:us-east-1:123456789012:broker:orders:b-1"},
            "InternalFailure",
            "Cumulet does not implement event source mappings of mq yet.",
        ),
    ],
)
def test_what_create_refuses_changes_nothing(
    cumulet: Cumulet, changes: dict[str, Any], code: str, message: str
) -> None:
    client = cumulet.client("lambda")
    given = {"EventSourceArn": queue_arn(cumulet), "FunctionName": create(cumulet)["FunctionName"], **changes}

    with pytest.raises(ClientError) as caught:
        client.create_event_source_mapping(**{name: value for name, value in given.items() if value is not None})

    assert error_of(caught) == (code, message, 501 if code == "InternalFailure" else 400)
    assert client.list_event_source_mappings()["EventSourceMappings"] == []


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"BatchSize": 0}, "batchSize"),
        ({"BatchSize": 10_001}, "batchSize"),
        ({"MaximumBatchingWindowInSeconds": -1}, "maximumBatchingWindowInSeconds"),
        ({"MaximumBatchingWindowInSeconds": 301}, "maximumBatchingWindowInSeconds"),
        ({"ScalingConfig": {"MaximumConcurrency": 1}}, "scalingConfig.maximumConcurrency"),
        ({"ScalingConfig": {"MaximumConcurrency": 1_001}}, "scalingConfig.maximumConcurrency"),
        ({"StartingPosition": "0"}, "startingPosition"),
        ({"FunctionName": "what is this"}, "functionName"),
        ({"EventSourceArn": "queue"}, "eventSourceArn"),
    ],
)
def test_what_breaks_the_model_is_a_validation_exception(cumulet: Cumulet, changes: dict[str, Any], at: str) -> None:
    client = cumulet.client("lambda", parameter_validation=False)
    given = {"EventSourceArn": queue_arn(cumulet), "FunctionName": create(cumulet)["FunctionName"], **changes}

    with pytest.raises(ClientError) as caught:
        client.create_event_source_mapping(**given)

    code, message, status = error_of(caught)
    assert (code, status) == ("ValidationException", 400)
    assert f"at '{at}' failed to satisfy constraint: " in message
    assert client.list_event_source_mappings()["EventSourceMappings"] == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"MaximumBatchingWindowInSeconds": 1}, "Batching window is not supported for FIFO queues"),
        ({"BatchSize": 11}, "Batch size must not exceed 10 for FIFO queues"),
    ],
)
def test_fifo_queues_have_small_batches_and_no_window(cumulet: Cumulet, settings: dict[str, Any], message: str) -> None:
    client = cumulet.client("lambda")

    with pytest.raises(ClientError) as caught:
        client.create_event_source_mapping(
            EventSourceArn=queue_arn(cumulet, "steps.fifo"), FunctionName=create(cumulet)["FunctionName"], **settings
        )

    assert error_of(caught) == (INVALID, message, 400)


def test_a_queue_must_hide_messages_as_long_as_the_function_may_run(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")

    with pytest.raises(ClientError) as caught:
        client.create_event_source_mapping(
            EventSourceArn=queue_arn(cumulet, VisibilityTimeout="30"),
            FunctionName=create(cumulet, Timeout=31)["FunctionName"],
        )

    message = "Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds"
    assert error_of(caught) == (INVALID, message, 400)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"BatchSize": 11},
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        ({"FunctionName": "nobodys"}, "Function does not exist"),
        ({"ParallelizationFactor": 2}, UNSUPPORTED.format("ParallelizationFactor")),
        ({"MaximumRetryAttempts": 0}, UNSUPPORTED.format("MaximumRetryAttempts")),
    ],
)
def test_what_update_refuses_changes_nothing(cumulet: Cumulet, changes: dict[str, Any], message: str) -> None:
    client = cumulet.client("lambda")
    made = client.create_event_source_mapping(
        EventSourceArn=queue_arn(cumulet), FunctionName=create(cumulet)["FunctionName"], BatchSize=4
    )

    with pytest.raises(ClientError) as caught:
        client.update_event_source_mapping(UUID=made["UUID"], Enabled=False, **changes)

    assert error_of(caught) == (INVALID, message, 400)
    got = client.get_event_source_mapping(UUID=made["UUID"])
    assert (got["State"], got["BatchSize"], got["FunctionArn"]) == ("Enabled", 4, made["FunctionArn"])


def test_deleting_a_function_leaves_its_mappings(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    name = new_name()
    create(cumulet, name)
    made = client.create_event_source_mapping(EventSourceArn=queue_arn(cumulet), FunctionName=name)

    client.delete_function(FunctionName=name)

    assert client.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled"


@pytest.mark.parametrize("marker", ["!", "eA==", base64.b64encode(b"9" * 19).decode()])
def test_a_marker_that_is_none_is_refused(cumulet: Cumulet, marker: str) -> None:
    with pytest.raises(ClientError) as caught:
        cumulet.client("lambda").list_event_source_mappings(Marker=marker)

    assert error_of(caught)[0] == INVALID
