"""Lambda: settings with operations of their own: when runtimes are updated, and what becomes of loops."""

from __future__ import annotations

from typing import Any

import pytest
from lambda_functions import create
from lambda_layers import without_metadata
from lambda_refusals import INVALID, MISMATCH, NOT_FOUND, VALIDATION, Case, null, one_of, pattern
from lambda_table import filled, refusal

from cumulet.testing import Cumulet

BUILD = "arn:aws:lambda:us-east-1::runtime:0123456789abcdef"
ARN = "arn:aws:lambda:us-east-1:{account}:function:"


def managed(cumulet: Cumulet, **members: Any) -> dict[str, Any]:
    """Return when the runtime of `hello` is updated."""
    answer = cumulet.client("lambda").get_runtime_management_config(FunctionName="hello", **members)
    return without_metadata(answer)


def arn(cumulet: Cumulet, qualifier: str) -> str:
    return f"{ARN}hello:{qualifier}".format(account=cumulet.account)


def test_runtimes_are_updated_by_themselves_unless_it_is_said(cumulet: Cumulet) -> None:
    create(cumulet, "hello", Publish=True)

    assert managed(cumulet) == {"UpdateRuntimeOn": "Auto", "FunctionArn": arn(cumulet, "$LATEST")}
    assert managed(cumulet, Qualifier="1") == {"UpdateRuntimeOn": "Auto", "FunctionArn": arn(cumulet, "1")}


def test_each_version_is_managed_for_itself(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello", Publish=True)

    put = [
        client.put_runtime_management_config(FunctionName="hello", UpdateRuntimeOn="FunctionUpdate"),
        client.put_runtime_management_config(
            FunctionName="hello", Qualifier="1", UpdateRuntimeOn="Manual", RuntimeVersionArn=BUILD
        ),
    ]

    of_latest = {"UpdateRuntimeOn": "FunctionUpdate", "FunctionArn": arn(cumulet, "$LATEST")}
    of_version = {"UpdateRuntimeOn": "Manual", "FunctionArn": arn(cumulet, "1"), "RuntimeVersionArn": BUILD}
    assert [without_metadata(answer) for answer in put] == [of_latest, of_version]
    assert managed(cumulet, Qualifier="$LATEST") == of_latest
    assert managed(cumulet, Qualifier="1") == of_version


def test_a_build_is_forgotten_when_it_is_no_longer_set_by_hand(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello")
    client.put_runtime_management_config(FunctionName="hello", UpdateRuntimeOn="Manual", RuntimeVersionArn=BUILD)

    for _ in range(2):
        client.put_runtime_management_config(FunctionName="hello", UpdateRuntimeOn="Auto")

    assert managed(cumulet) == {"UpdateRuntimeOn": "Auto", "FunctionArn": arn(cumulet, "$LATEST")}


def test_settings_go_with_the_function(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello")
    client.put_runtime_management_config(FunctionName="hello", UpdateRuntimeOn="FunctionUpdate")
    client.put_function_recursion_config(FunctionName="hello", RecursiveLoop="Allow")

    client.delete_function(FunctionName="hello")
    create(cumulet, "hello")

    assert managed(cumulet)["UpdateRuntimeOn"] == "Auto"
    assert client.get_function_recursion_config(FunctionName="hello")["RecursiveLoop"] == "Terminate"


def test_loops_are_ended_unless_they_are_allowed(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    revision = create(cumulet, "hello")["RevisionId"]
    before = client.get_function_recursion_config(FunctionName="hello")["RecursiveLoop"]

    put = [client.put_function_recursion_config(FunctionName="hello", RecursiveLoop="Allow") for _ in range(2)]
    client.update_function_configuration(FunctionName="hello", Timeout=9, RevisionId=revision)
    after = client.get_function_recursion_config(FunctionName="hello")["RecursiveLoop"]
    client.put_function_recursion_config(FunctionName="hello", RecursiveLoop="Terminate")

    assert before == "Terminate"
    assert [without_metadata(answer) for answer in put] == 2 * [{"RecursiveLoop": "Allow"}]
    assert after == "Allow"
    assert client.get_function_recursion_config(FunctionName="hello")["RecursiveLoop"] == "Terminate"


RUNTIME: dict[str, Any] = {"FunctionName": "hello", "UpdateRuntimeOn": "Auto"}
LOOP: dict[str, Any] = {"FunctionName": "hello", "RecursiveLoop": "Allow"}
CASES: list[Case] = [
    *[
        ("PutRuntimeManagementConfig", {**RUNTIME, **members}, 400, code, message)
        for members, code, message in [
            ({"UpdateRuntimeOn": None}, VALIDATION, null("updateRuntimeOn")),
            (
                {"UpdateRuntimeOn": "Never"},
                VALIDATION,
                one_of("Never", "updateRuntimeOn", "Auto", "Manual", "FunctionUpdate"),
            ),
            # AWS documents the two rules, not their texts.
            (
                {"UpdateRuntimeOn": "Manual"},
                INVALID,
                "RuntimeVersionArn is required when UpdateRuntimeOn is Manual.",
            ),
            (
                {"RuntimeVersionArn": BUILD},
                INVALID,
                "RuntimeVersionArn can be set only when UpdateRuntimeOn is Manual, not Auto.",
            ),
            (
                {"UpdateRuntimeOn": "FunctionUpdate", "RuntimeVersionArn": BUILD},
                INVALID,
                "RuntimeVersionArn can be set only when UpdateRuntimeOn is Manual, not FunctionUpdate.",
            ),
        ]
    ],
    *[
        (operation, {**needed, **members}, status, code, message)
        for operation, needed in (
            ("PutRuntimeManagementConfig", RUNTIME),
            ("GetRuntimeManagementConfig", {"FunctionName": "hello"}),
        )
        for members, status, code, message in [
            ({"FunctionName": "unknown"}, 404, NOT_FOUND, f"Function not found: {ARN}unknown"),
            ({"FunctionName": "unknown", "Qualifier": "1"}, 404, NOT_FOUND, f"Function not found: {ARN}unknown"),
            ({"Qualifier": "7"}, 404, NOT_FOUND, f"Function not found: {ARN}hello:7"),
            ({"Qualifier": "07"}, 404, NOT_FOUND, f"Function not found: {ARN}hello:07"),
            ({"FunctionName": "hello:1", "Qualifier": "2"}, 400, INVALID, MISMATCH),
            (
                {"Qualifier": "live"},
                400,
                INVALID,
                "Runtime management is for $LATEST or a published version, not for an alias.",
            ),
            (
                {"Qualifier": "a b"},
                400,
                VALIDATION,
                pattern("a b", "qualifier", r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"),
            ),
        ]
    ],
    ("PutFunctionRecursionConfig", {**LOOP, "RecursiveLoop": None}, 400, VALIDATION, null("recursiveLoop")),
    (
        "PutFunctionRecursionConfig",
        {**LOOP, "RecursiveLoop": "Never"},
        400,
        VALIDATION,
        one_of("Never", "recursiveLoop", "Allow", "Terminate"),
    ),
    *[
        (operation, {**needed, "FunctionName": "unknown"}, 404, NOT_FOUND, f"Function not found: {ARN}unknown")
        for operation, needed in (("PutFunctionRecursionConfig", LOOP), ("GetFunctionRecursionConfig", {}))
    ],
]


@pytest.mark.parametrize(
    ("operation", "members", "status", "code", "message"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)]
)
def test_bad_input_is_refused(
    cumulet: Cumulet, operation: str, members: dict[str, Any], status: int, code: str, message: str
) -> None:
    client = cumulet.client("lambda", parameter_validation=False)
    create(cumulet, "hello")

    answers = [refusal(client, operation, filled(members, cumulet.account)) for _ in range(2)]

    assert answers == 2 * [(status, code, filled(message, cumulet.account))]
    assert managed(cumulet)["UpdateRuntimeOn"] == "Auto"
    assert client.get_function_recursion_config(FunctionName="hello")["RecursiveLoop"] == "Terminate"


@pytest.mark.parametrize("qualifier", ["1", "live"])
def test_loops_are_a_matter_of_the_function_as_a_whole(cumulet: Cumulet, qualifier: str) -> None:
    client = cumulet.client("lambda", parameter_validation=False)
    create(cumulet, "hello", Publish=True)

    answers = [
        refusal(client, operation, {**members, "FunctionName": f"hello:{qualifier}"})[:2]
        for operation, members in (("PutFunctionRecursionConfig", LOOP), ("GetFunctionRecursionConfig", {}))
    ]

    assert answers == 2 * [(400, VALIDATION)]


def test_newer_operations_are_refused_by_name(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello")

    status, code, message = refusal(
        client, "GetFunctionScalingConfig", {"FunctionName": "hello", "Qualifier": "$LATEST.PUBLISHED"}
    )

    assert (status, code) == (501, "InternalFailure")
    assert "GetFunctionScalingConfig" in message
