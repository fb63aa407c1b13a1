"""Lambda: code signing configurations, and functions that refuse code without a trusted signature."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import ROLE, SOURCE, create, new_name, zip_of
from lambda_layers import publish, without_metadata
from lambda_refusals import (
    CONFLICT,
    FUNCTIONS_ONLY,
    INVALID,
    NOT_FOUND,
    REGION_PATTERN,
    VALIDATION,
    Case,
    at_least,
    at_most,
    null,
    one_of,
    pattern,
)
from lambda_table import filled, refusal

from cumulet.testing import Cumulet

PROFILE = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/test/abcdefghij"
PUBLISHERS = {"SigningProfileVersionArns": [PROFILE]}
OTHER_CODE = zip_of({"app.py": "def handler(event, context):\n    return 'other'\n"})
UNTRUSTED = (
    "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not "
    "configured to accept. Check the provided signature for {}."
)


def configured(cumulet: Cumulet, policy: str = "Enforce", **members: Any) -> dict[str, Any]:
    """Create a configuration and return it."""
    answer: dict[str, Any] = cumulet.client("lambda").create_code_signing_config(
        AllowedPublishers=PUBLISHERS, CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy}, **members
    )
    return answer["CodeSigningConfig"]  # type: ignore[no-any-return]


# Configurations


def test_a_configuration_is_shown_as_it_was_made(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")

    made = configured(cumulet, Description="what we trust")

    assert made.pop("LastModified").endswith("+0000")
    assert made["CodeSigningConfigId"].startswith("csc-")
    assert len(made["CodeSigningConfigId"]) == 21
    arn = f"arn:aws:lambda:us-east-1:{cumulet.account}:code-signing-config:{made['CodeSigningConfigId']}"
    assert made == {
        "CodeSigningConfigId": made["CodeSigningConfigId"],
        "CodeSigningConfigArn": arn,
        "Description": "what we trust",
        "AllowedPublishers": PUBLISHERS,
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
    }
    found = client.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
    found.pop("LastModified")
    assert found == made


def test_untrusted_code_is_let_pass_unless_it_is_said(cumulet: Cumulet) -> None:
    made = cumulet.client("lambda").create_code_signing_config(AllowedPublishers=PUBLISHERS)["CodeSigningConfig"]

    assert made["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
    assert made["Description"] == ""


def test_a_configuration_is_changed_member_by_member(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    made = configured(cumulet, Description="first")
    arn = made["CodeSigningConfigArn"]

    cumulet.advance(seconds=1)
    same = client.update_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
    warning = client.update_code_signing_config(
        CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"}, Description=""
    )["CodeSigningConfig"]
    other = {"SigningProfileVersionArns": [PROFILE, PROFILE.replace("test", "other")]}
    client.update_code_signing_config(CodeSigningConfigArn=arn, AllowedPublishers=other)

    assert {**same, "LastModified": made["LastModified"]} == made
    assert warning["LastModified"] > made["LastModified"]
    assert (warning["Description"], warning["AllowedPublishers"]) == ("", PUBLISHERS)
    after = client.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
    assert after["AllowedPublishers"] == other
    assert after["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}


def test_configurations_are_listed_in_pages(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    made = sorted((configured(cumulet) for _ in range(3)), key=lambda config: str(config["CodeSigningConfigId"]))

    first = client.list_code_signing_configs(MaxItems=2)
    second = client.list_code_signing_configs(MaxItems=2, Marker=first["NextMarker"])

    assert first["CodeSigningConfigs"] + second["CodeSigningConfigs"] == made
    assert "NextMarker" not in second


def test_a_configuration_that_no_function_has_is_deleted(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arn = configured(cumulet, "Warn")["CodeSigningConfigArn"]
    create(cumulet, "hello", CodeSigningConfigArn=arn)

    in_use = [refusal(client, "DeleteCodeSigningConfig", {"CodeSigningConfigArn": arn}) for _ in range(2)]
    client.delete_function_code_signing_config(FunctionName="hello")
    client.delete_code_signing_config(CodeSigningConfigArn=arn)
    gone = refusal(client, "DeleteCodeSigningConfig", {"CodeSigningConfigArn": arn})

    assert [answer[:2] for answer in in_use] == 2 * [(409, CONFLICT)]
    assert gone == (404, NOT_FOUND, f"The Lambda code signing configuration {arn} can not be found.")


def test_a_configuration_has_tags(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arn = configured(cumulet, Tags={"team": "blue", "stage": "test"})["CodeSigningConfigArn"]

    client.tag_resource(Resource=arn, Tags={"team": "red", "cost": "1"})
    client.untag_resource(Resource=arn, TagKeys=["stage", "unknown"])

    assert client.list_tags(Resource=arn)["Tags"] == {"team": "red", "cost": "1"}


# Functions


def test_a_function_has_the_configuration_that_it_was_given(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    first, second = (configured(cumulet, "Warn")["CodeSigningConfigArn"] for _ in range(2))
    create(cumulet, "b", CodeSigningConfigArn=first)
    create(cumulet, "a")
    none = without_metadata(client.get_function_code_signing_config(FunctionName="a"))

    put = client.put_function_code_signing_config(FunctionName="a", CodeSigningConfigArn=first)
    shared = client.list_functions_by_code_signing_config(CodeSigningConfigArn=first, MaxItems=1)
    rest = client.list_functions_by_code_signing_config(
        CodeSigningConfigArn=first, MaxItems=1, Marker=shared["NextMarker"]
    )
    client.put_function_code_signing_config(FunctionName="b", CodeSigningConfigArn=second)
    client.update_function_configuration(FunctionName="b", Timeout=9)

    assert none == {}
    assert without_metadata(put) == {"CodeSigningConfigArn": first, "FunctionName": "a"}
    listed = shared["FunctionArns"] + rest["FunctionArns"]
    assert [arn.rpartition(":")[2] for arn in listed] == ["a", "b"]
    found = client.get_function_code_signing_config(FunctionName="b")
    assert without_metadata(found) == {"CodeSigningConfigArn": second, "FunctionName": "b"}


def test_taking_it_away_from_one_that_has_none_is_no_error(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello")

    answers = [client.delete_function_code_signing_config(FunctionName="hello") for _ in range(2)]

    assert [answer["ResponseMetadata"]["HTTPStatusCode"] for answer in answers] == [204, 204]


def test_a_deleted_function_has_it_no_more(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arn = configured(cumulet, "Warn")["CodeSigningConfigArn"]
    create(cumulet, "hello", CodeSigningConfigArn=arn)

    client.delete_function(FunctionName="hello")

    assert client.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"] == []
    client.delete_code_signing_config(CodeSigningConfigArn=arn)


def test_code_without_a_signature_is_deployed_with_a_warning(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arn = configured(cumulet, "Warn")["CodeSigningConfigArn"]
    layer = publish(cumulet)["LayerVersionArn"]

    create(cumulet, "hello", CodeSigningConfigArn=arn, Layers=[layer])
    client.update_function_code(FunctionName="hello", ZipFile=OTHER_CODE)

    assert client.invoke(FunctionName="hello")["Payload"].read() == b'"other"'


def test_code_without_a_signature_is_refused(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arn = configured(cumulet)["CodeSigningConfigArn"]
    layer = publish(cumulet)["LayerVersionArn"]
    create(cumulet, "known", Layers=[layer])
    other = publish(cumulet, "other")["LayerVersionArn"]
    client.put_function_code_signing_config(FunctionName="known", CodeSigningConfigArn=arn)
    before = client.get_function(FunctionName="known")["Configuration"]
    code, new = zip_of({"app.py": SOURCE}), new_name()
    creation = {"FunctionName": new, "Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler"}
    asked: list[tuple[str, dict[str, Any], str]] = [
        ("CreateFunction", {**creation, "Code": {"ZipFile": code}, "CodeSigningConfigArn": arn}, new),
        ("UpdateFunctionCode", {"FunctionName": "known", "ZipFile": OTHER_CODE}, "known"),
        ("UpdateFunctionCode", {"FunctionName": "known", "ZipFile": code}, "known"),
        ("UpdateFunctionCode", {"FunctionName": "known", "ZipFile": code, "DryRun": True}, "known"),
        ("UpdateFunctionConfiguration", {"FunctionName": "known", "Layers": [layer, other]}, other),
    ]

    answers = [refusal(client, operation, members) for operation, members, _ in asked for _ in range(2)]

    assert answers == [
        (400, "CodeVerificationFailedException", UNTRUSTED.format(artifact)) for *_, artifact in asked for _ in range(2)
    ]
    assert client.get_function(FunctionName="known")["Configuration"] == before
    assert [function["FunctionName"] for function in client.list_functions()["Functions"]] == ["known"]


def test_what_a_function_has_already_goes_on(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arn = configured(cumulet)["CodeSigningConfigArn"]
    layer = publish(cumulet)["LayerVersionArn"]
    create(cumulet, "known", Layers=[layer])
    client.put_function_code_signing_config(FunctionName="known", CodeSigningConfigArn=arn)

    client.update_function_configuration(FunctionName="known", Timeout=9, Layers=[layer])
    ran = client.invoke(FunctionName="known", Payload=b"7")["Payload"].read()
    client.delete_function_code_signing_config(FunctionName="known")
    client.update_function_code(FunctionName="known", ZipFile=OTHER_CODE)

    assert ran == b"7"
    assert client.invoke(FunctionName="known")["Payload"].read() == b'"other"'


# Refusals

ARN = "arn:aws:lambda:us-east-1:{account}:code-signing-config:csc-0123456789abcdefg"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:{account}:function:"
NO_CONFIG = f"The Lambda code signing configuration {ARN} can not be found."
NO_CONFIG_FOR_IT = (
    f"The code signing configuration cannot be found. Check that the provided configuration is not deleted: {ARN}."
)
ARN_PATTERN = rf"arn:(aws[a-zA-Z-]*)?:lambda:{REGION_PATTERN}:\d{{12}}:code-signing-config:csc-[a-z0-9]{{17}}"
NO_FUNCTION = f"Function not found: {FUNCTION_ARN}unknown"
CASES: list[Case] = [
    *[
        ("CreateCodeSigningConfig", {"AllowedPublishers": PUBLISHERS, **members}, 400, code, message)
        for members, code, message in [
            ({"AllowedPublishers": None}, VALIDATION, null("allowedPublishers")),
            ({"AllowedPublishers": {}}, VALIDATION, null("allowedPublishers.signingProfileVersionArns")),
            (
                {"AllowedPublishers": {"SigningProfileVersionArns": []}},
                VALIDATION,
                at_least("[]", "allowedPublishers.signingProfileVersionArns", 1, "length"),
            ),
            (
                {"AllowedPublishers": {"SigningProfileVersionArns": 21 * [PROFILE]}},
                VALIDATION,
                at_most(f"[{', '.join(21 * [PROFILE])}]", "allowedPublishers.signingProfileVersionArns", 20, "length"),
            ),
            (
                {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Stop"}},
                VALIDATION,
                one_of("Stop", "codeSigningPolicies.untrustedArtifactOnDeployment", "Warn", "Enforce"),
            ),
            ({"Description": "d" * 257}, VALIDATION, at_most("d" * 257, "description", 256, "length")),
            (
                {"Tags": {"aws:key": ""}},
                INVALID,
                "aws: prefixed tag key names are not allowed for external use.",
            ),
        ]
    ],
    *[
        (operation, {"CodeSigningConfigArn": ARN, **members}, 404, NOT_FOUND, NO_CONFIG)
        for operation, members in (
            ("GetCodeSigningConfig", {}),
            ("UpdateCodeSigningConfig", {}),
            ("UpdateCodeSigningConfig", {"Description": "other"}),
            ("DeleteCodeSigningConfig", {}),
            ("ListFunctionsByCodeSigningConfig", {}),
        )
    ],
    *[
        (
            operation,
            {"CodeSigningConfigArn": "csc-1"},
            400,
            VALIDATION,
            pattern("csc-1", "codeSigningConfigArn", ARN_PATTERN),
        )
        for operation in ("GetCodeSigningConfig", "UpdateCodeSigningConfig", "DeleteCodeSigningConfig")
    ],
    ("ListTags", {"Resource": ARN}, 404, NOT_FOUND, NO_CONFIG),
    ("TagResource", {"Resource": ARN, "Tags": {"a": "b"}}, 404, NOT_FOUND, NO_CONFIG),
    ("ListCodeSigningConfigs", {"MaxItems": 0}, 400, VALIDATION, at_least(0, "maxItems", 1)),
    ("ListCodeSigningConfigs", {"Marker": "%"}, 400, INVALID, "Invalid Marker"),
    *[
        ("PutFunctionCodeSigningConfig", members, status, code, message)
        for members, status, code, message in [
            (
                {"FunctionName": "known", "CodeSigningConfigArn": ARN},
                404,
                "CodeSigningConfigNotFoundException",
                NO_CONFIG_FOR_IT,
            ),
            (
                {"FunctionName": "unknown", "CodeSigningConfigArn": ARN},
                404,
                "CodeSigningConfigNotFoundException",
                NO_CONFIG_FOR_IT,
            ),
            ({"FunctionName": "known"}, 400, VALIDATION, null("codeSigningConfigArn")),
            ({"FunctionName": "known:1", "CodeSigningConfigArn": ARN}, 400, INVALID, FUNCTIONS_ONLY),
        ]
    ],
    *[
        (operation, {"FunctionName": name}, status, code, message)
        for operation in ("GetFunctionCodeSigningConfig", "DeleteFunctionCodeSigningConfig")
        for name, status, code, message in [
            ("unknown", 404, NOT_FOUND, NO_FUNCTION),
            ("known:1", 400, INVALID, FUNCTIONS_ONLY),
        ]
    ],
    (
        "CreateFunction",
        {
            "FunctionName": "new",
            "Runtime": "python3.11",
            "Role": ROLE,
            "Handler": "app.handler",
            "Code": {"ZipFile": OTHER_CODE},
            "CodeSigningConfigArn": ARN,
        },
        404,
        "CodeSigningConfigNotFoundException",
        NO_CONFIG_FOR_IT,
    ),
]


@pytest.mark.parametrize(
    ("operation", "members", "status", "code", "message"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)]
)
def test_bad_input_is_refused(
    cumulet: Cumulet, operation: str, members: dict[str, Any], status: int, code: str, message: str
) -> None:
    client = cumulet.client("lambda", parameter_validation=False)
    create(cumulet, "known")
    config = configured(cumulet)

    answers = [refusal(client, operation, filled(members, cumulet.account)) for _ in range(2)]

    assert answers == 2 * [(status, code, filled(message, cumulet.account))]
    assert client.list_code_signing_configs()["CodeSigningConfigs"] == [config]
    assert without_metadata(client.get_function_code_signing_config(FunctionName="known")) == {}
    assert [function["FunctionName"] for function in client.list_functions()["Functions"]] == ["known"]


def test_a_configuration_of_another_account_is_none_for_a_function(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arn = configured(cumulet.as_account("111122223333"))["CodeSigningConfigArn"]
    create(cumulet, "hello")

    with pytest.raises(ClientError, match="The code signing configuration cannot be found"):
        client.put_function_code_signing_config(FunctionName="hello", CodeSigningConfigArn=arn)
