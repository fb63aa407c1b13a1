"""SNS: platform applications, their endpoints, and messages to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sns_outbox import account_of, outbox, refusal

from cumulet.testing import Cumulet

CREDENTIALS = {"PlatformCredential": "secret", "PlatformPrincipal": "certificate"}
NO_APPLICATION = ("NotFound", 404, "PlatformApplication does not exist")


@pytest.fixture
def sns(cumulet: Cumulet) -> Any:
    """Return a client of the service."""
    return cumulet.client("sns")


def create(sns: Any, name: str = "shop", platform: str = "GCM", **attributes: str) -> str:
    """Make an application and return its ARN."""
    given = {"PlatformCredential": "key", "PlatformPrincipal": "who", **attributes}
    made = sns.create_platform_application(Name=name, Platform=platform, Attributes=given)
    arn: str = made["PlatformApplicationArn"]
    return arn


def endpoint_of(sns: Any, application: str, token: str = "phone", **members: Any) -> str:
    """Make an endpoint and return its ARN."""
    made = sns.create_platform_endpoint(PlatformApplicationArn=application, Token=token, **members)
    arn: str = made["EndpointArn"]
    return arn


def attributes_of(sns: Any, endpoint: str) -> dict[str, str]:
    attributes: dict[str, str] = sns.get_endpoint_attributes(EndpointArn=endpoint)["Attributes"]
    return attributes


def test_application_is_shown_without_its_secrets(cumulet: Cumulet, sns: Any) -> None:
    for _ in range(2):
        arn = create(sns, platform="APNS", ApplePlatformTeamID="T")

    assert arn == f"arn:aws:sns:us-east-1:{account_of(cumulet)}:app/APNS/shop"
    shown = {"Enabled": "true", "ApplePlatformTeamID": "T"}
    assert sns.get_platform_application_attributes(PlatformApplicationArn=arn)["Attributes"] == shown
    assert sns.list_platform_applications()["PlatformApplications"] == [
        {"PlatformApplicationArn": arn, "Attributes": shown}
    ]


def test_attributes_of_an_application_are_set_one_by_one(sns: Any) -> None:
    arn = create(sns)

    for _ in range(2):
        sns.set_platform_application_attributes(PlatformApplicationArn=arn, Attributes={"Enabled": "false"})
    sns.set_platform_application_attributes(PlatformApplicationArn=arn, Attributes={"ApplePlatformTeamID": "T"})

    shown = sns.get_platform_application_attributes(PlatformApplicationArn=arn)["Attributes"]
    assert shown == {"Enabled": "false", "ApplePlatformTeamID": "T"}


def test_application_goes_with_its_endpoints(sns: Any) -> None:
    arn = create(sns)
    endpoints = [endpoint_of(sns, arn, f"phone-{number}") for number in range(201)]
    other = endpoint_of(sns, create(sns, "other"))

    for _ in range(2):
        sns.delete_platform_application(PlatformApplicationArn=arn)

    assert refusal(sns.get_platform_application_attributes, PlatformApplicationArn=arn) == NO_APPLICATION
    for endpoint in (endpoints[0], endpoints[-1]):
        found = refusal(sns.get_endpoint_attributes, EndpointArn=endpoint)
        assert found == ("NotFound", 404, "Endpoint does not exist")
    assert attributes_of(sns, other) == {"Enabled": "true", "Token": "phone"}
    again = create(sns)
    assert sns.list_endpoints_by_platform_application(PlatformApplicationArn=again)["Endpoints"] == []


def test_endpoint_is_made_once_for_a_token_and_the_same_attributes(sns: Any) -> None:
    application = create(sns)

    first = endpoint_of(sns, application)
    same = [endpoint_of(sns, application), endpoint_of(sns, application, Attributes={"Enabled": "true"})]

    assert same == [first, first]
    assert first.startswith(application.replace(":app/", ":endpoint/") + "/")
    assert attributes_of(sns, first) == {"Enabled": "true", "Token": "phone"}


@pytest.mark.parametrize(
    "members",
    [{"CustomUserData": "other"}, {"Attributes": {"Enabled": "true"}}, {"Attributes": {"CustomUserData": ""}}],
)
def test_token_with_other_attributes_is_refused(sns: Any, members: dict[str, Any]) -> None:
    application = create(sns)
    first = endpoint_of(sns, application, CustomUserData="mine", Attributes={"Enabled": "false"})

    for _ in range(2):
        found = refusal(sns.create_platform_endpoint, PlatformApplicationArn=application, Token="phone", **members)
        assert found == (
            "InvalidParameter",
            400,
            f"Invalid parameter: Token Reason: Endpoint {first} already exists with the same Token, "
            "but different attributes.",
        )
    assert attributes_of(sns, first) == {"Enabled": "false", "Token": "phone", "CustomUserData": "mine"}


def test_user_data_among_the_attributes_wins(sns: Any) -> None:
    endpoint = endpoint_of(sns, create(sns), CustomUserData="a", Attributes={"CustomUserData": "b"})

    assert attributes_of(sns, endpoint)["CustomUserData"] == "b"


def test_attributes_of_an_endpoint_are_set_one_by_one(sns: Any) -> None:
    application = create(sns)
    endpoint = endpoint_of(sns, application, CustomUserData="a")

    for _ in range(2):
        sns.set_endpoint_attributes(EndpointArn=endpoint, Attributes={"Token": "new", "Enabled": "False"})

    assert attributes_of(sns, endpoint) == {"Enabled": "false", "Token": "new", "CustomUserData": "a"}
    assert endpoint_of(sns, application, "phone") != endpoint
    code, status, message = refusal(sns.set_endpoint_attributes, EndpointArn=endpoint, Attributes={"Token": "phone"})
    assert (code, status) == ("InvalidParameter", 400)
    assert "already exists with the same Token" in message


def test_endpoint_is_deleted_again_without_an_error(sns: Any) -> None:
    application = create(sns)
    endpoint = endpoint_of(sns, application)

    for _ in range(2):
        sns.delete_endpoint(EndpointArn=endpoint)

    assert sns.list_endpoints_by_platform_application(PlatformApplicationArn=application)["Endpoints"] == []
    assert endpoint_of(sns, application) != endpoint


def test_lists_come_in_pages_of_100(sns: Any) -> None:
    applications = [create(sns, f"app-{number}") for number in range(101)]
    endpoints = [endpoint_of(sns, applications[0], f"phone-{number}") for number in range(101)]

    pages = list(sns.get_paginator("list_platform_applications").paginate())
    listed = list(
        sns.get_paginator("list_endpoints_by_platform_application").paginate(PlatformApplicationArn=applications[0])
    )

    assert [len(page["PlatformApplications"]) for page in pages] == [100, 1]
    assert [one["PlatformApplicationArn"] for page in pages for one in page["PlatformApplications"]] == applications
    assert [len(page["Endpoints"]) for page in listed] == [100, 1]
    assert [one["EndpointArn"] for page in listed for one in page["Endpoints"]] == endpoints
    found = refusal(sns.list_platform_applications, NextToken=listed[0]["NextToken"])
    assert found == ("InvalidParameter", 400, "Invalid parameter: NextToken")


CHARACTERS = "must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Name": ""}, " Reason: cannot be empty"),
        ({"Name": "a b"}, f"a b Reason: {CHARACTERS}"),
        ({"Name": "n" * 257}, f"{'n' * 257} Reason: must be at most 256 characters long"),
        ({"Platform": "PIGEON"}, "Platform Reason: PIGEON is not supported"),
        ({"Attributes": {"Colour": "red"}}, "Attributes Reason: Invalid attribute name: Colour"),
        ({"Attributes": {"PlatformCredential": "key"}}, "Attributes Reason: Platform credentials are invalid"),
        ({"Attributes": {"PlatformPrincipal": "who"}}, "Attributes Reason: Platform credentials are invalid"),
    ],
)
def test_application_that_can_not_be_is_refused(sns: Any, changes: dict[str, Any], message: str) -> None:
    members = {"Name": "shop", "Platform": "APNS", "Attributes": CREDENTIALS, **changes}

    for _ in range(2):
        found = refusal(sns.create_platform_application, **members)
        assert found == ("InvalidParameter", 400, f"Invalid parameter: {message}")
    assert sns.list_platform_applications()["PlatformApplications"] == []


@pytest.mark.parametrize("name", ["EventDeliveryFailure", "SuccessFeedbackRoleArn"])
def test_attribute_that_would_have_no_effect_is_refused_by_name(sns: Any, name: str) -> None:
    arn = create(sns)

    code, status, message = refusal(
        sns.set_platform_application_attributes, PlatformApplicationArn=arn, Attributes={name: "x"}
    )

    assert (code, status) == ("InternalFailure", 501)
    assert name in message


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("get_platform_application_attributes", {}),
        ("set_platform_application_attributes", {"Attributes": {"Enabled": "true"}}),
        ("list_endpoints_by_platform_application", {}),
        ("create_platform_endpoint", {"Token": "phone"}),
    ],
)
def test_application_that_is_not_there_is_not_found(
    cumulet: Cumulet, sns: Any, operation: str, members: dict[str, Any]
) -> None:
    arn = f"arn:aws:sns:us-east-1:{account_of(cumulet)}:app/GCM/gone"

    for _ in range(2):
        assert refusal(getattr(sns, operation), PlatformApplicationArn=arn, **members) == NO_APPLICATION


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        ("gone", "An ARN must have at least 6 elements, not 1"),
        ("arn:aws:sns:us-east-1:123456789012:gone", "Wrong number of slashes in relative portion of the ARN."),
    ],
)
def test_arn_that_is_none_is_refused(sns: Any, arn: str, message: str) -> None:
    cases = [
        (sns.get_platform_application_attributes, "PlatformApplicationArn", {}),
        (sns.set_platform_application_attributes, "PlatformApplicationArn", {"Attributes": {"Enabled": "true"}}),
        (sns.delete_platform_application, "PlatformApplicationArn", {}),
        (sns.list_endpoints_by_platform_application, "PlatformApplicationArn", {}),
        (sns.create_platform_endpoint, "PlatformApplicationArn", {"Token": "phone"}),
        (sns.get_endpoint_attributes, "EndpointArn", {}),
        (sns.set_endpoint_attributes, "EndpointArn", {"Attributes": {"Enabled": "true"}}),
        (sns.delete_endpoint, "EndpointArn", {}),
    ]

    found = [(refusal(operation, **{name: arn}, **members), name) for operation, name, members in cases]

    assert found == [
        (("InvalidParameter", 400, f"Invalid parameter: {name} Reason: {message}"), name) for _, name, _ in cases
    ]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"Colour": "red"}, "Attributes Reason: Invalid attribute name: Colour"),
        (
            {"CustomUserData": "é" * 1025},
            "Attributes Reason: Invalid value for attribute: CustomUserData: "
            "must be at most 2048 bytes long in UTF-8 encoding",
        ),
        ({"Token": ""}, "Token Reason: cannot be empty"),
    ],
)
def test_attributes_that_an_endpoint_can_not_have_are_refused(
    sns: Any, attributes: dict[str, str], message: str
) -> None:
    application = create(sns)
    endpoint = endpoint_of(sns, application)
    refused = ("InvalidParameter", 400, f"Invalid parameter: {message}")

    for _ in range(2):
        assert refusal(sns.set_endpoint_attributes, EndpointArn=endpoint, Attributes=attributes) == refused
        assert (
            refusal(sns.create_platform_endpoint, PlatformApplicationArn=application, Token="b", Attributes=attributes)
            == refused
        )
    assert attributes_of(sns, endpoint) == {"Enabled": "true", "Token": "phone"}


def test_endpoint_that_is_not_there_is_not_found(sns: Any) -> None:
    endpoint = endpoint_of(sns, create(sns))
    sns.delete_endpoint(EndpointArn=endpoint)

    for _ in range(2):
        found = [
            refusal(sns.get_endpoint_attributes, EndpointArn=endpoint),
            refusal(sns.set_endpoint_attributes, EndpointArn=endpoint, Attributes={"Enabled": "true"}),
        ]
        assert found == [("NotFound", 404, "Endpoint does not exist")] * 2


def test_message_to_an_endpoint_is_in_the_outbox(cumulet: Cumulet, sns: Any) -> None:
    endpoint = endpoint_of(sns, create(sns))

    sent = sns.publish(
        TargetArn=endpoint, MessageStructure="json", Message='{"default": "hello", "GCM": "{\\"data\\": {}}"}'
    )

    [item] = outbox(cumulet)
    assert (item["kind"], item["to"], item["message_id"]) == ("push", endpoint, sent["MessageId"])
    assert item["body"] == '{"data": {}}'
    assert (item["details"]["platform"], item["details"]["token"]) == ("GCM", "phone")


@pytest.mark.parametrize(
    ("what", "code", "status", "message"),
    [
        ("endpoint", "EndpointDisabled", 400, "Endpoint is disabled"),
        ("application", "PlatformApplicationDisabled", 400, "Platform application is disabled"),
        (
            "gone",
            "InvalidParameter",
            400,
            "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified",
        ),
    ],
)
def test_endpoint_that_takes_nothing_is_told(
    cumulet: Cumulet, sns: Any, what: str, code: str, status: int, message: str
) -> None:
    application = create(sns)
    endpoint = endpoint_of(sns, application)
    if what == "endpoint":
        sns.set_endpoint_attributes(EndpointArn=endpoint, Attributes={"Enabled": "false"})
    elif what == "application":
        sns.set_platform_application_attributes(PlatformApplicationArn=application, Attributes={"Enabled": "false"})
    else:
        sns.delete_endpoint(EndpointArn=endpoint)

    for _ in range(2):
        assert refusal(sns.publish, TargetArn=endpoint, Message="hello") == (code, status, message)
    assert outbox(cumulet) == []


def test_endpoint_that_has_subscribed_gets_the_text_of_its_platform(cumulet: Cumulet, sns: Any) -> None:
    topic = sns.create_topic(Name="news")["TopicArn"]
    application = create(sns)
    endpoints = [endpoint_of(sns, application, token) for token in ("a", "b")]
    for endpoint in endpoints:
        sns.subscribe(TopicArn=topic, Protocol="application", Endpoint=endpoint)
    sns.set_endpoint_attributes(EndpointArn=endpoints[1], Attributes={"Enabled": "false"})

    sns.publish(TopicArn=topic, Subject="s", MessageStructure="json", Message='{"default": "hello", "GCM": "{}"}')

    [item] = outbox(cumulet)
    assert (item["to"], item["body"]) == (endpoints[0], "{}")
    assert item["details"] == {"platform": "GCM", "token": "a", "topic_arn": topic, "subject": "s"}


def test_applications_and_endpoints_survive_a_restart(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        application = create(server.client("sns"))
        endpoint = endpoint_of(server.client("sns"), application)

    with Cumulet(tmp_path / "data") as server:
        sns = server.client("sns")
        assert attributes_of(sns, endpoint) == {"Enabled": "true", "Token": "phone"}
        assert endpoint_of(sns, application) == endpoint
