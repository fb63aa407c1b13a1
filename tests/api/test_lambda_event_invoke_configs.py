"""The settings of asynchronous invocation: what is kept, what is refused, and where records may go."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create
from sqs_queues import Queue

from cumulet.testing import Cumulet

INVALID, NOT_FOUND, VALIDATION = (
    "InvalidParameterValueException",
    "ResourceNotFoundException",
    "ValidationException",
)
NO_ARN = "The destination ARN {destination} is invalid."
NO_KIND = "The provided destination config DestinationConfig({shown}) is invalid."
ITSELF = "You can't specify the function as a destination for itself."
NO_DESTINATIONS: dict[str, Any] = {"OnSuccess": {}, "OnFailure": {}}


class Configured:
    """A function and a client to configure it with."""

    def __init__(self, cumulet: Cumulet) -> None:
        self.client = cumulet.client("lambda", parameter_validation=False)
        answer = create(cumulet)
        self.name, self.arn = answer["FunctionName"], answer["FunctionArn"]

    def put(self, **settings: Any) -> dict[str, Any]:
        return self._shown(self.client.put_function_event_invoke_config(FunctionName=self.name, **settings))

    def update(self, **settings: Any) -> dict[str, Any]:
        return self._shown(self.client.update_function_event_invoke_config(FunctionName=self.name, **settings))

    def get(self, **members: Any) -> dict[str, Any]:
        return self._shown(self.client.get_function_event_invoke_config(FunctionName=self.name, **members))

    def delete(self, **members: Any) -> None:
        self.client.delete_function_event_invoke_config(FunctionName=self.name, **members)

    def qualifiers(self, **members: Any) -> list[str]:
        answer = self.client.list_function_event_invoke_configs(FunctionName=self.name, **members)
        return [config["FunctionArn"].rpartition(":")[2] for config in answer["FunctionEventInvokeConfigs"]]

    @staticmethod
    def _shown(answer: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "LastModified")}


@pytest.fixture
def function(cumulet: Cumulet) -> Configured:
    return Configured(cumulet)


def refused(call: Any, **members: Any) -> tuple[str, str]:
    """Return code and message of a refusal."""
    with pytest.raises(ClientError) as refusal:
        call(**members)
    error = refusal.value.response["Error"]
    return error["Code"], error["Message"]


def test_what_was_put_is_shown_with_what_was_not_left_out(function: Configured) -> None:
    put = function.put(MaximumRetryAttempts=1)

    assert put == {
        "FunctionArn": f"{function.arn}:$LATEST",
        "MaximumRetryAttempts": 1,
        "DestinationConfig": NO_DESTINATIONS,
    }
    assert function.get() == put


def test_put_replaces_all_and_update_only_what_it_says(function: Configured, queue: Queue) -> None:
    destinations = {"OnSuccess": {}, "OnFailure": {"Destination": queue.arn}}
    function.put(MaximumRetryAttempts=2, MaximumEventAgeInSeconds=60, DestinationConfig=destinations)

    updated = function.update(MaximumRetryAttempts=0)
    assert updated == {
        "FunctionArn": f"{function.arn}:$LATEST",
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 60,
        "DestinationConfig": destinations,
    }
    assert function.update(MaximumRetryAttempts=0) == updated

    put = function.put(MaximumRetryAttempts=1)
    assert put == function.put(MaximumRetryAttempts=1) == function.get()
    assert "MaximumEventAgeInSeconds" not in put
    assert put["DestinationConfig"] == NO_DESTINATIONS


def test_the_time_of_the_last_change_is_told(cumulet: Cumulet, function: Configured) -> None:
    function.put(MaximumRetryAttempts=1)
    cumulet.advance(hours=1)
    function.update(MaximumRetryAttempts=2)

    answer = function.client.get_function_event_invoke_config(FunctionName=function.name)

    assert abs(answer["LastModified"].timestamp() * 1000 - cumulet.now_ms()) < 2000


def test_destinations_can_be_taken_away(function: Configured, queue: Queue) -> None:
    function.put(DestinationConfig={"OnSuccess": {"Destination": queue.arn}})

    assert function.update(DestinationConfig={"OnSuccess": {}})["DestinationConfig"] == NO_DESTINATIONS


def test_function_version_and_alias_are_configured_apart(function: Configured) -> None:
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    for number, qualifier in enumerate(["$LATEST", version, "live"]):
        function.put(Qualifier=qualifier, MaximumRetryAttempts=number)

    assert [function.get(Qualifier=name)["MaximumRetryAttempts"] for name in ("$LATEST", version, "live")] == [0, 1, 2]
    assert function.get()["MaximumRetryAttempts"] == 0
    assert sorted(function.qualifiers()) == ["$LATEST", version, "live"]
    function.client.delete_alias(FunctionName=function.name, Name="live")
    assert sorted(function.qualifiers()) == ["$LATEST", version]
    function.delete(Qualifier=version)
    function.delete()
    assert function.qualifiers() == []


def test_the_list_has_pages(function: Configured) -> None:
    for number in range(3):
        function.client.publish_version(
            FunctionName=function.client.update_function_configuration(
                FunctionName=function.name, Description=str(number)
            )["FunctionName"]
        )
        function.put(Qualifier=str(number + 1), MaximumRetryAttempts=0)

    first = function.client.list_function_event_invoke_configs(FunctionName=function.name, MaxItems=2)
    second = function.client.list_function_event_invoke_configs(
        FunctionName=function.name, MaxItems=2, Marker=first["NextMarker"]
    )

    assert len(first["FunctionEventInvokeConfigs"]) == 2
    assert len(second["FunctionEventInvokeConfigs"]) == 1
    assert "NextMarker" not in second


def test_settings_end_with_their_function(cumulet: Cumulet, function: Configured) -> None:
    function.put(MaximumRetryAttempts=1)
    function.client.delete_function(FunctionName=function.name)

    create(cumulet, function.name)

    assert refused(function.get)[0] == NOT_FOUND


def test_what_is_not_there_can_not_be_shown_changed_or_deleted(function: Configured) -> None:
    message = f"The function {function.arn}:$LATEST doesn't have an EventInvokeConfig"

    assert refused(function.get) == (NOT_FOUND, message)
    assert refused(function.update, MaximumRetryAttempts=1) == (NOT_FOUND, message)
    assert refused(function.delete) == (NOT_FOUND, message)
    function.put(MaximumRetryAttempts=1)
    function.delete()
    assert refused(function.delete) == (NOT_FOUND, message)


@pytest.mark.parametrize("operation", ["put", "update"])
@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({}, INVALID, "You must specify at least one of error handling or destination setting."),
        (
            {"FunctionName": "unknown"},
            INVALID,
            "You must specify at least one of error handling or destination setting.",
        ),
        ({"FunctionName": "unknown", "MaximumRetryAttempts": 1}, NOT_FOUND, "The function doesn't exist."),
        ({"Qualifier": "unknown", "MaximumRetryAttempts": 1}, NOT_FOUND, "The function doesn't exist."),
        (
            {"FunctionName": "{name}:1", "Qualifier": "2", "MaximumRetryAttempts": 1},
            INVALID,
            "The derived qualifier from the function name does not match the specified qualifier.",
        ),
        (
            {"MaximumRetryAttempts": -1},
            VALIDATION,
            "1 validation error detected: Value '-1' at 'maximumRetryAttempts' failed to satisfy constraint: Member "
            "must have value greater than or equal to 0",
        ),
        (
            {"MaximumRetryAttempts": 3},
            VALIDATION,
            "1 validation error detected: Value '3' at 'maximumRetryAttempts' failed to satisfy constraint: Member "
            "must have value less than or equal to 2",
        ),
        (
            {"MaximumEventAgeInSeconds": 59},
            VALIDATION,
            "1 validation error detected: Value '59' at 'maximumEventAgeInSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 60",
        ),
        (
            {"MaximumEventAgeInSeconds": 21_601},
            VALIDATION,
            "1 validation error detected: Value '21601' at 'maximumEventAgeInSeconds' failed to satisfy constraint: "
            "Member must have value less than or equal to 21600",
        ),
    ],
)
def test_what_is_refused(
    function: Configured, operation: str, members: dict[str, Any], code: str, message: str
) -> None:
    function.put(MaximumRetryAttempts=1)
    call = getattr(function.client, f"{operation}_function_event_invoke_config")
    members = {
        name: value.format(name=function.name) if isinstance(value, str) else value for name, value in members.items()
    }

    for _ in range(2):
        assert refused(call, **{"FunctionName": function.name, **members}) == (code, message)
    assert function.get()["MaximumRetryAttempts"] == 1


@pytest.mark.parametrize("side", ["OnSuccess", "OnFailure"])
@pytest.mark.parametrize(
    ("destination", "message"),
    [
        ("arn:aws:lambda:us-east-1:{account}:function:unknown", NO_ARN),
        ("arn:aws:lambda:us-east-1:{account}:function:{name}", ITSELF),
        ("arn:aws:lambda:us-east-1:{account}:function:{name}:$LATEST", ITSELF),
        ("arn:aws:lambda:us-east-1:{account}:layer:x", NO_ARN),
        ("arn:aws:sqs:us-east-1:{account}:unknown", NO_ARN),
        ("arn:aws:sqs:eu-west-1:{account}:unknown", NO_ARN),
        ("arn:aws:sqs:us-east-1:{account}:letters.fifo", NO_ARN),
        ("arn:aws:iam:us-east-1:{account}:function:x", NO_KIND),
        ("arn:aws:states:us-east-1:{account}:stateMachine:x", NO_KIND),
        ("kafka://topic", NO_KIND),
    ],
)
def test_destinations_that_are_refused(
    cumulet: Cumulet, function: Configured, side: str, destination: str, message: str
) -> None:
    cumulet.client("sqs").create_queue(QueueName="letters.fifo", Attributes={"FifoQueue": "true"})
    destination = destination.format(account=cumulet.account, name=function.name)
    shown = (
        f"onSuccess=OnSuccess(destination={destination}), onFailure=null"
        if side == "OnSuccess"
        else f"onSuccess=null, onFailure=OnFailure(destination={destination})"
    )

    code, said = refused(function.put, DestinationConfig={side: {"Destination": destination}})

    assert (code, said) == (INVALID, message.format(destination=destination, shown=shown))
    assert refused(function.get)[0] == NOT_FOUND


@pytest.mark.parametrize(
    "destination", ["arn:aws:sns:us-east-1:{account}:topic", "arn:aws:events:us-east-1:{account}:event-bus/default"]
)
def test_destinations_of_services_that_come_later_are_kept(
    cumulet: Cumulet, function: Configured, destination: str
) -> None:
    given = {side: {"Destination": destination.format(account=cumulet.account)} for side in ("OnSuccess", "OnFailure")}

    assert function.put(DestinationConfig=given)["DestinationConfig"] == given


def test_a_bucket_can_take_failures_alone(function: Configured) -> None:
    bucket = {"Destination": "arn:aws:s3:::records"}

    assert function.put(DestinationConfig={"OnFailure": bucket})["DestinationConfig"]["OnFailure"] == bucket
    assert refused(function.put, DestinationConfig={"OnSuccess": bucket})[0] == INVALID


def test_a_destination_that_is_no_arn_breaks_the_models_pattern(function: Configured) -> None:
    code, message = refused(function.put, DestinationConfig={"OnFailure": {"Destination": "queue"}})

    assert code == VALIDATION
    assert "at 'destinationConfig.onFailure.destination' failed to satisfy constraint" in message


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("arn:aws:sqs:us-east-1:{account}:unknown", "does not exist"),
        ("arn:aws:sqs:eu-west-1:{account}:unknown", "does not exist"),
        ("arn:aws:sqs:us-east-1:{account}:dead.fifo", "neither a standard SQS queue nor a standard SNS topic"),
        ("arn:aws:lambda:us-east-1:{account}:function:x", "neither a standard SQS queue nor a standard SNS topic"),
        ("arn:aws:events:us-east-1:{account}:event-bus/default", "neither a standard SQS queue nor"),
    ],
)
def test_dead_letter_targets_that_are_refused(cumulet: Cumulet, function: Configured, target: str, words: str) -> None:
    given = {"TargetArn": target.format(account=cumulet.account)}

    for call, members in (
        (function.client.update_function_configuration, {"FunctionName": function.name}),
        (lambda **settings: create(cumulet, **settings), {}),
    ):
        code, message = refused(call, **members, DeadLetterConfig=given)
        assert code == INVALID
        assert words in message
    assert "DeadLetterConfig" not in function.client.get_function_configuration(FunctionName=function.name)
