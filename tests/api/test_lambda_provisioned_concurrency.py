"""Lambda: environments that are started ahead for versions and aliases."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import create, zip_of
from quotas import with_quotas

from cumulet.testing import Cumulet

SOURCE = """
import os

def handler(event, context):
    return [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], context.log_stream_name, context.function_version]
"""
COLD, AHEAD = "on-demand", "provisioned-concurrency"


@pytest.fixture
def name(cumulet: Cumulet) -> str:
    """Return a function with the versions 1 and 2 and the alias live of version 1."""
    return versions(cumulet)


def versions(cumulet: Cumulet) -> str:
    client = cumulet.client("lambda")
    name: str = create(cumulet, source=SOURCE)["FunctionName"]
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    client.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": SOURCE + "\n# the second\n"}))
    client.publish_version(FunctionName=name)
    return name


def put(cumulet: Cumulet, name: str, qualifier: str, count: int) -> dict[str, Any]:
    answer: dict[str, Any] = cumulet.client("lambda").put_provisioned_concurrency_config(
        FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )
    return answer


def found(cumulet: Cumulet, name: str, qualifier: str) -> tuple[str, int, int, int]:
    """Return status, requested, allocated and available, once nothing changes any more."""
    cumulet.advance(seconds=1)
    answer = cumulet.client("lambda").get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
    return (
        answer["Status"],
        answer["RequestedProvisionedConcurrentExecutions"],
        answer["AllocatedProvisionedConcurrentExecutions"],
        answer["AvailableProvisionedConcurrentExecutions"],
    )


def invoke(cumulet: Cumulet, name: str, qualifier: str | None = None) -> tuple[list[str], str]:
    """Return what the function says of its environment, and the log's report."""
    members = {"Qualifier": qualifier} if qualifier else {}
    answer = cumulet.client("lambda").invoke(FunctionName=name, LogType="Tail", **members)
    log = base64.b64decode(answer["LogResult"]).decode()
    return json.loads(answer["Payload"].read()), next(line for line in log.splitlines() if line.startswith("REPORT"))


def refusal(cumulet: Cumulet, operation: str, **members: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as error:
        getattr(cumulet.client("lambda", parameter_validation=False), operation)(**members)
    response: Any = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def test_environments_are_ready_before_the_first_event(cumulet: Cumulet, name: str) -> None:
    answer = put(cumulet, name, "1", 2)
    cumulet.advance(seconds=1)
    ahead, report = invoke(cumulet, name, "1")
    on_demand, cold_report = invoke(cumulet, name)

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (answer["Status"], answer["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 2)
    assert (answer["AllocatedProvisionedConcurrentExecutions"], answer["AvailableProvisionedConcurrentExecutions"]) == (
        0,
        0,
    )
    assert found(cumulet, name, "1") == ("READY", 2, 2, 2)
    assert (ahead[0], ahead[2]) == (AHEAD, "1")
    assert "Init Duration" not in report
    assert on_demand[0] == COLD
    assert "Init Duration" in cold_report


def test_an_alias_moves_its_environments_with_it(cumulet: Cumulet, name: str) -> None:
    client = cumulet.client("lambda")
    put(cumulet, name, "live", 1)
    cumulet.advance(seconds=1)
    before = invoke(cumulet, name, "live")[0]

    client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert found(cumulet, name, "live") == ("READY", 1, 1, 1)
    after = invoke(cumulet, name, "live")[0]
    old = invoke(cumulet, name, "1")[0]

    assert (before[0], before[2]) == (AHEAD, "1")
    assert (after[0], after[2]) == (AHEAD, "2")
    assert (old[0], old[2]) == (COLD, "1")


def test_an_alias_with_weights_shares_its_environments_out(cumulet: Cumulet, name: str) -> None:
    client = cumulet.client("lambda")
    weights = {"AdditionalVersionWeights": {"2": 0.25}}
    client.update_alias(FunctionName=name, Name="live", RoutingConfig=weights)
    put(cumulet, name, "live", 4)

    assert found(cumulet, name, "live") == ("READY", 4, 4, 4)
    assert [invoke(cumulet, name, version)[0][0] for version in ("1", "2")] == [AHEAD, AHEAD]
    assert cumulet.health()["lambda"]["environments"] >= 4


def test_more_than_what_is_provisioned_runs_on_demand(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    source = SOURCE.replace("    return", "    import time; time.sleep(1)\n    return")
    name = create(cumulet, source=source, Timeout=30)["FunctionName"]
    client.publish_version(FunctionName=name)
    put(cumulet, name, "1", 1)
    cumulet.advance(seconds=1)

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        kinds = sorted(ran[0][0] for ran in pool.map(lambda _: invoke(cumulet, name, "1"), range(2)))

    assert kinds == [COLD, AHEAD]
    listed = cumulet.client("cloudwatch").list_metrics(
        Namespace="AWS/Lambda", Dimensions=[{"Name": "Resource", "Value": f"{name}:1"}]
    )["Metrics"]
    assert {
        "ProvisionedConcurrencyInvocations",
        "ProvisionedConcurrencySpilloverInvocations",
        "ProvisionedConcurrencyUtilization",
    } <= {metric["MetricName"] for metric in listed}


def test_asking_for_more_or_fewer_changes_what_is_there(cumulet: Cumulet, name: str) -> None:
    counts = []
    for count in (1, 3, 3, 2):
        put(cumulet, name, "1", count)
        counts.append(found(cumulet, name, "1"))

    assert counts == [("READY", count, count, count) for count in (1, 3, 3, 2)]


def test_what_is_given_up_is_released_and_given_up_twice_is_no_error(cumulet: Cumulet, name: str) -> None:
    client = cumulet.client("lambda")
    put(cumulet, name, "live", 1)
    cumulet.advance(seconds=1)

    for _ in range(2):
        client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    cumulet.advance(seconds=1)

    assert invoke(cumulet, name, "live")[0][0] == COLD
    assert refusal(cumulet, "get_provisioned_concurrency_config", FunctionName=name, Qualifier="live") == (
        404,
        "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
    )


def test_what_was_asked_for_ends_with_its_alias_version_or_function(cumulet: Cumulet, name: str) -> None:
    client = cumulet.client("lambda")
    put(cumulet, name, "live", 1)
    put(cumulet, name, "2", 1)
    cumulet.advance(seconds=1)

    client.delete_alias(FunctionName=name, Name="live")
    client.delete_function(FunctionName=name, Qualifier="2")
    assert client.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"] == []
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    put(cumulet, name, "live", 1)
    client.delete_function(FunctionName=name)
    create(cumulet, name, source=SOURCE)
    cumulet.advance(seconds=1)

    assert client.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"] == []
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 1000


def test_versions_and_aliases_are_listed_in_pages(cumulet: Cumulet, name: str) -> None:
    client = cumulet.client("lambda")
    for qualifier in ("2", "live"):
        put(cumulet, name, qualifier, 1)
    cumulet.advance(seconds=1)

    paginator = client.get_paginator("list_provisioned_concurrency_configs")
    pages = list(paginator.paginate(FunctionName=name, PaginationConfig={"PageSize": 1}))

    listed = [config for page in pages for config in page["ProvisionedConcurrencyConfigs"]]
    assert [config["FunctionArn"].rpartition(":")[2] for config in listed] == ["2", "live"]
    assert {config["Status"] for config in listed} == {"READY"}
    assert all(len(page["ProvisionedConcurrencyConfigs"]) <= 1 for page in pages)


def test_a_function_whose_init_fails_says_so(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    name = create(cumulet, source="raise RuntimeError('no feathers')\n")["FunctionName"]
    client.publish_version(FunctionName=name)

    for _ in range(2):
        put(cumulet, name, "1", 1)
        assert found(cumulet, name, "1") == ("FAILED", 1, 0, 0)

    answer = client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert answer["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"


def test_a_qualifier_may_stand_in_the_name(cumulet: Cumulet, name: str) -> None:
    client = cumulet.client("lambda")
    arn = client.get_alias(FunctionName=name, Name="live")["AliasArn"]
    client.put_provisioned_concurrency_config(FunctionName=arn, Qualifier="live", ProvisionedConcurrentExecutions=1)

    assert found(cumulet, name, "live")[0] == "READY"
    members = {"FunctionName": arn, "Qualifier": "1", "ProvisionedConcurrentExecutions": 1}
    assert refusal(cumulet, "put_provisioned_concurrency_config", **members) == (
        400,
        "InvalidParameterValueException",
        "The derived qualifier from the function name does not match the specified qualifier.",
    )


UNPUBLISHED = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
NOT_PUBLISHED = "The function resource provided must be an alias or a published version."


@pytest.mark.parametrize("operation", ["put", "get", "delete"])
@pytest.mark.parametrize("case", ["latest", "no version", "no alias", "no function"])
def test_qualifiers_that_can_not_be_are_refused(cumulet: Cumulet, name: str, operation: str, case: str) -> None:
    arn = cumulet.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    qualifier = {"latest": "$LATEST", "no version": "17", "no alias": "dead", "no function": "1"}[case]
    function = "nothing" if case == "no function" else name
    more = {"ProvisionedConcurrentExecutions": 1} if operation == "put" else {}

    refused = [
        refusal(
            cumulet,
            f"{operation}_provisioned_concurrency_config",
            FunctionName=function,
            Qualifier=qualifier,
            **more,
        )
        for _ in range(2)
    ]

    not_found = (404, "ResourceNotFoundException")
    expected = {
        "latest": (400, "InvalidParameterValueException", UNPUBLISHED if operation == "put" else NOT_PUBLISHED),
        "no version": (*not_found, f"Function not found: {arn}:17"),
        "no alias": (*not_found, f"Cannot find alias arn: {arn}:dead"),
        "no function": (*not_found, f"Function not found: {arn.replace(name, 'nothing')}:1"),
    }[case]
    assert refused == [expected, expected]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"ProvisionedConcurrentExecutions": 0}, "'provisionedConcurrentExecutions'"),
        ({"ProvisionedConcurrentExecutions": -1}, "'provisionedConcurrentExecutions'"),
        ({"Qualifier": "a b"}, "'qualifier'"),
        ({"FunctionName": "no name!"}, "'functionName'"),
    ],
)
def test_values_that_the_model_forbids_are_refused(cumulet: Cumulet, members: dict[str, Any], said: str) -> None:
    given = {"FunctionName": "f", "Qualifier": "1", "ProvisionedConcurrentExecutions": 1, **members}

    status, code, message = refusal(cumulet, "put_provisioned_concurrency_config", **given)

    assert (status, code) == (400, "ValidationException")
    assert said in message


def test_a_version_is_provisioned_by_itself_or_by_an_alias(cumulet: Cumulet, name: str) -> None:
    client = cumulet.client("lambda")
    put(cumulet, name, "1", 1)
    as_alias = {"FunctionName": name, "Qualifier": "live", "ProvisionedConcurrentExecutions": 1}
    as_version = {"FunctionName": name, "Qualifier": "1", "ProvisionedConcurrentExecutions": 1}

    assert refusal(cumulet, "put_provisioned_concurrency_config", **as_alias) == (
        409,
        "ResourceConflictException",
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    )
    client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    put(cumulet, name, "live", 1)
    assert refusal(cumulet, "put_provisioned_concurrency_config", **as_version) == (
        409,
        "ResourceConflictException",
        "Version is pointed by a Provisioned Concurrency alias",
    )
    assert found(cumulet, name, "live")[0] == "READY"


def test_an_alias_with_environments_does_not_move_to_what_is_not_published(cumulet: Cumulet, name: str) -> None:
    put(cumulet, name, "live", 1)

    for _ in range(2):
        assert refusal(cumulet, "update_alias", FunctionName=name, Name="live", FunctionVersion="$LATEST") == (
            400,
            "InvalidParameterValueException",
            UNPUBLISHED,
        )

    assert cumulet.client("lambda").get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "1"
    assert found(cumulet, name, "live") == ("READY", 1, 1, 1)


def test_an_alias_of_what_is_not_published_is_refused(cumulet: Cumulet, name: str) -> None:
    cumulet.client("lambda").create_alias(FunctionName=name, Name="latest", FunctionVersion="$LATEST")

    members = {"FunctionName": name, "Qualifier": "latest", "ProvisionedConcurrentExecutions": 1}
    assert refusal(cumulet, "put_provisioned_concurrency_config", **members)[1:] == (
        "InvalidParameterValueException",
        UNPUBLISHED,
    )


@pytest.mark.parametrize(
    ("reserved", "count", "message"),
    [
        (
            2,
            3,
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
        ),
        (
            None,
            1001,
            "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].",
        ),
        (
            None,
            901,
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
            "minimum value of [100].",
        ),
    ],
)
def test_more_than_there_is_can_not_be_asked_for(
    cumulet: Cumulet, name: str, reserved: int | None, count: int, message: str
) -> None:
    if reserved is not None:
        cumulet.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)

    members = {"FunctionName": name, "Qualifier": "1", "ProvisionedConcurrentExecutions": count}
    for _ in range(2):
        assert refusal(cumulet, "put_provisioned_concurrency_config", **members) == (
            400,
            "InvalidParameterValueException",
            message,
        )
    assert refusal(cumulet, "get_provisioned_concurrency_config", FunctionName=name, Qualifier="1")[0] == 404


def test_no_less_can_be_reserved_than_is_provisioned(cumulet: Cumulet, name: str) -> None:
    client = cumulet.client("lambda")
    put(cumulet, name, "1", 2)

    for reserved in (0, 1):
        assert refusal(
            cumulet, "put_function_concurrency", FunctionName=name, ReservedConcurrentExecutions=reserved
        ) == (
            400,
            "InvalidParameterValueException",
            f" ReservedConcurrentExecutions  {reserved} should not be lower than function's total provisioned "
            "concurrency [2].",
        )
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    assert found(cumulet, name, "1")[0] == "READY"


def test_what_is_provisioned_counts_for_what_others_can_reserve(cumulet: Cumulet, name: str) -> None:
    other = versions(cumulet)
    put(cumulet, name, "1", 2)

    message = refusal(cumulet, "put_function_concurrency", FunctionName=other, ReservedConcurrentExecutions=899)[2]

    assert "below its minimum value of [100]" in message
    cumulet.client("lambda").put_function_concurrency(FunctionName=other, ReservedConcurrentExecutions=898)


def test_a_machine_without_room_says_so(tmp_path: Path) -> None:
    with with_quotas(tmp_path, {"lambda:environments": 3}) as cumulet:
        name = versions(cumulet)
        put(cumulet, name, "1", 2)
        assert found(cumulet, name, "1")[0] == "READY"

        put(cumulet, name, "2", 2)

        assert found(cumulet, name, "2") == ("FAILED", 2, 0, 0)
        answer = cumulet.client("lambda").get_provisioned_concurrency_config(FunctionName=name, Qualifier="2")
        assert answer["StatusReason"] == "This machine has room for 1 more environments (quota lambda:environments)."

        other = versions(cumulet)
        put(cumulet, other, "1", 3)
        assert found(cumulet, other, "1")[0] == "FAILED"
        cumulet.client("lambda").delete_function(FunctionName=name)
        assert found(cumulet, other, "1") == ("READY", 3, 3, 3)


@pytest.mark.parametrize("ends", ["stop", "kill"])
def test_environments_are_started_ahead_again_after_a_restart(tmp_path: Path, ends: str) -> None:
    with Cumulet(tmp_path / "data", durability="full") as cumulet:
        name = versions(cumulet)
        put(cumulet, name, "live", 2)
        if ends == "stop":
            cumulet.advance(seconds=1)
        before = cumulet.client("lambda").get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
        getattr(cumulet, ends)()
        cumulet.start()

        assert found(cumulet, name, "live") == ("READY", 2, 2, 2)
        environment, report = invoke(cumulet, name, "live")
        after = cumulet.client("lambda").get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
        assert environment[0] == AHEAD
        assert "Init Duration" not in report
        assert after["LastModified"] == before["LastModified"]
