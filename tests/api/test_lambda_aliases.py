"""Lambda: aliases stand for a version, or for two by weight; what is invoked by one runs what it stands for."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_functions import ROLE, create, zip_of
from test_lambda_versions import without_metadata

from cumulet.testing import Cumulet

TOLD = """
import os, json
import boto3
def handler(event, context):
    said = {"version": context.function_version, "arn": context.invoked_function_arn}
    if event and "Records" in event:
        for record in event["Records"]:
            boto3.client("sqs").send_message(QueueUrl=os.environ["RESULTS"], MessageBody=json.dumps(said))
    return said
"""


def with_versions(cumulet: Cumulet, name: str = "hello", count: int = 2, **settings: Any) -> str:
    """Create a function with so many published versions; return its ARN."""
    client = cumulet.client("lambda")
    arn: str = create(cumulet, name, TOLD, **settings)["FunctionArn"]
    for number in range(count):
        client.update_function_configuration(FunctionName=name, Description=f"version {number + 1}")
        client.publish_version(FunctionName=name)
    return arn


def invoked(cumulet: Cumulet, name: str, **members: Any) -> tuple[str, str, str]:
    """Return the version that ran, as Invoke and as the function says, and the ARN that the function was given."""
    answer = cumulet.client("lambda").invoke(FunctionName=name, **members)
    said = json.loads(answer["Payload"].read())
    return answer["ExecutedVersion"], said["version"], said["arn"]


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_an_alias_is_shown_as_it_was_made(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arn = with_versions(cumulet)
    routing = {"AdditionalVersionWeights": {"2": 0.25}}

    plain = client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    weighted = client.create_alias(
        FunctionName=arn, Name="canary", FunctionVersion="1", Description="some", RoutingConfig=routing
    )

    assert plain["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert without_metadata(plain) == {
        "AliasArn": f"{arn}:live",
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "",
        "RevisionId": plain["RevisionId"],
    }
    assert without_metadata(weighted) == {
        "AliasArn": f"{arn}:canary",
        "Name": "canary",
        "FunctionVersion": "1",
        "Description": "some",
        "RoutingConfig": routing,
        "RevisionId": weighted["RevisionId"],
    }
    for answer in (plain, weighted):
        assert without_metadata(client.get_alias(FunctionName="hello", Name=answer["Name"])) == without_metadata(answer)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, {}),
        ({"Description": "new"}, {"Description": "new"}),
        ({"Description": ""}, {"Description": ""}),
        ({"FunctionVersion": "3"}, {"FunctionVersion": "3"}),
        (
            {"RoutingConfig": {"AdditionalVersionWeights": {"3": 1.0}}},
            {"RoutingConfig": {"AdditionalVersionWeights": {"3": 1.0}}},
        ),
        ({"RoutingConfig": {"AdditionalVersionWeights": {}}}, {"RoutingConfig": None}),
        ({"RoutingConfig": {}}, {"RoutingConfig": None}),
        (
            {"RoutingConfig": {}, "FunctionVersion": "$LATEST"},
            {"RoutingConfig": None, "FunctionVersion": "$LATEST"},
        ),
    ],
)
def test_what_is_named_is_changed_and_the_rest_stays(
    cumulet: Cumulet, members: dict[str, Any], expected: dict[str, Any]
) -> None:
    client = cumulet.client("lambda")
    with_versions(cumulet, count=3)
    before = client.create_alias(
        FunctionName="hello",
        Name="live",
        FunctionVersion="1",
        Description="old",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )

    after = client.update_alias(FunctionName="hello", Name="live", **members)

    assert after["RevisionId"] != before["RevisionId"]
    wanted = {**without_metadata(before), **expected, "RevisionId": after["RevisionId"]}
    assert without_metadata(after) == {name: value for name, value in wanted.items() if value is not None}
    assert without_metadata(client.get_alias(FunctionName="hello", Name="live")) == without_metadata(after)


def test_a_change_may_ask_for_the_revision_that_the_caller_knows(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    with_versions(cumulet)
    first = client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")["RevisionId"]

    client.update_alias(FunctionName="hello", Name="live", FunctionVersion="2", RevisionId=first)
    with pytest.raises(ClientError) as late:
        client.update_alias(FunctionName="hello", Name="live", FunctionVersion="1", RevisionId=first)

    assert code_of(late) == "PreconditionFailedException"
    assert client.get_alias(FunctionName="hello", Name="live")["FunctionVersion"] == "2"


def test_a_function_runs_by_an_alias_as_the_version_that_it_stands_for(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arn = with_versions(cumulet)
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")

    before = invoked(cumulet, "hello", Qualifier="live")
    client.update_alias(FunctionName="hello", Name="live", FunctionVersion="2")
    after = invoked(cumulet, "hello:live")
    client.update_alias(FunctionName="hello", Name="live", FunctionVersion="$LATEST")

    assert before == ("1", "1", f"{arn}:live")
    assert after == ("2", "2", f"{arn}:live")
    assert invoked(cumulet, f"{arn}:live") == ("$LATEST", "$LATEST", f"{arn}:live")


@pytest.mark.parametrize(("weight", "expected"), [(0.0, {"1"}), (1.0, {"2"}), (0.5, {"1", "2"})])
def test_an_alias_divides_invocations_by_weight(cumulet: Cumulet, weight: float, expected: set[str]) -> None:
    client = cumulet.client("lambda")
    with_versions(cumulet)
    routing = {"AdditionalVersionWeights": {"2": weight}}
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1", RoutingConfig=routing)

    ran = Counter(invoked(cumulet, "hello:live")[0] for _ in range(40))

    assert set(ran) == expected
    assert all(count >= 40 // len(expected) // 4 for count in ran.values())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"Role": f"{ROLE}-2"}, "Specified versions must be associated with the same execution role"),
        (
            {"DeadLetterConfig": {"TargetArn": "arn:aws:sns:us-east-1:123456789012:dead"}},
            "Specified versions must be associated with the same dead letter target",
        ),
    ],
)
def test_versions_with_other_roles_or_dead_letters_do_not_share_an_alias(
    cumulet: Cumulet, settings: dict[str, Any], message: str
) -> None:
    client = cumulet.client("lambda")
    with_versions(cumulet, count=1)
    client.update_function_configuration(FunctionName="hello", **settings)
    client.publish_version(FunctionName="hello")
    both = {"FunctionName": "hello", "Name": "live", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}}}

    for _ in range(2):
        with pytest.raises(ClientError) as at_creation:
            client.create_alias(FunctionVersion="1", **both)
        assert at_creation.value.response["Error"] == {"Code": "InvalidParameterValueException", "Message": message}
    alias = without_metadata(client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1"))
    for _ in range(2):
        with pytest.raises(ClientError) as at_update:
            client.update_alias(**both)
        assert at_update.value.response["Error"] == {"Code": "InvalidParameterValueException", "Message": message}
    assert without_metadata(client.get_alias(FunctionName="hello", Name="live")) == alias
    assert client.update_alias(FunctionName="hello", Name="live", FunctionVersion="2")["FunctionVersion"] == "2"


def test_the_configuration_by_an_alias_is_that_of_its_main_version(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    arn = with_versions(cumulet)
    routing = {"AdditionalVersionWeights": {"2": 1.0}}
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1", RoutingConfig=routing)

    by_alias = client.get_function(FunctionName="hello", Qualifier="live")["Configuration"]
    by_number = client.get_function_configuration(FunctionName="hello", Qualifier="1")

    assert by_alias == {**without_metadata(by_number), "FunctionArn": f"{arn}:live"}


def test_aliases_are_listed_by_name_in_pages(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    with_versions(cumulet)
    made = [
        without_metadata(client.create_alias(FunctionName="hello", Name=name, FunctionVersion=version))
        for name, version in [("e", "1"), ("b", "2"), ("d", "1"), ("a", "1"), ("c", "$LATEST")]
    ]
    by_name = {alias["Name"]: alias for alias in made}
    pages = client.get_paginator("list_aliases")

    all_pages = list(pages.paginate(FunctionName="hello", PaginationConfig={"PageSize": 2}))
    of_one = list(pages.paginate(FunctionName="hello", FunctionVersion="1", PaginationConfig={"PageSize": 2}))
    of_none = client.list_aliases(FunctionName="hello", FunctionVersion="7")["Aliases"]

    assert [page["Aliases"] for page in all_pages] == [
        [by_name["a"], by_name["b"]],
        [by_name["c"], by_name["d"]],
        [by_name["e"]],
    ]
    assert [alias["Name"] for page in of_one for alias in page["Aliases"]] == ["a", "d", "e"]
    assert of_none == []


def test_a_version_can_be_deleted_when_no_alias_points_to_it(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    with_versions(cumulet, count=3)
    routing = {"AdditionalVersionWeights": {"2": 0.0}}
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1", RoutingConfig=routing)
    client.create_alias(FunctionName="hello", Name="beta", FunctionVersion="2")
    messages = {}
    for number in "12":
        with pytest.raises(ClientError) as held:
            client.delete_function(FunctionName="hello", Qualifier=number)
        messages[number] = (code_of(held), held.value.response["Error"]["Message"])

    client.update_alias(FunctionName="hello", Name="live", FunctionVersion="3")
    client.delete_function(FunctionName="hello", Qualifier="1")

    words = "Unable to delete version because the following aliases reference it:"
    assert messages == {
        "1": ("ResourceConflictException", f"{words} [live]"),
        "2": ("ResourceConflictException", f"{words} [beta, live]"),
    }
    listed = client.list_versions_by_function(FunctionName="hello")["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "2", "3"]


def test_an_alias_that_was_deleted_is_gone_and_its_name_free(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    with_versions(cumulet)
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    invoked(cumulet, "hello:live")

    statuses = [
        client.delete_alias(FunctionName="hello", Name="live")["ResponseMetadata"]["HTTPStatusCode"] for _ in range(2)
    ]
    with pytest.raises(ClientError) as gone:
        invoked(cumulet, "hello:live")
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="2")

    assert (statuses, code_of(gone)) == ([204, 204], "ResourceNotFoundException")
    assert invoked(cumulet, "hello:live")[0] == "2"


def test_a_function_is_deleted_with_its_aliases(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    with_versions(cumulet)
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    invoked(cumulet, "hello:live")

    client.delete_function(FunctionName="hello")
    create(cumulet, "hello", TOLD)

    assert client.list_aliases(FunctionName="hello")["Aliases"] == []
    with pytest.raises(ClientError):
        invoked(cumulet, "hello:live")


def test_aliases_survive_a_restart(tmp_path: Path) -> None:
    routing = {"AdditionalVersionWeights": {"2": 0.125}}
    with Cumulet(tmp_path / "data") as server:
        with_versions(server)
        made = server.client("lambda").create_alias(
            FunctionName="hello", Name="live", FunctionVersion="1", RoutingConfig=routing
        )
    with Cumulet(tmp_path / "data") as server:
        found = server.client("lambda").get_alias(FunctionName="hello", Name="live")

        assert without_metadata(found) == without_metadata(made)


class Mapped:
    """A queue whose messages go to a function by a qualifier, and a queue for what it says of them."""

    def __init__(self, cumulet: Cumulet, qualifier: str) -> None:
        self.cumulet = cumulet
        self.sqs = cumulet.client("sqs")
        self.orders = self.sqs.create_queue(QueueName="orders")["QueueUrl"]
        self.results = self.sqs.create_queue(QueueName="results")["QueueUrl"]
        self.source = f"arn:aws:sqs:us-east-1:{cumulet.account}:orders"
        self.arn = with_versions(cumulet, Environment={"Variables": {"RESULTS": self.results}}, Timeout=20)
        self.qualifier = qualifier

    def map(self) -> dict[str, Any]:
        mapping: dict[str, Any] = self.cumulet.client("lambda").create_event_source_mapping(
            EventSourceArn=self.source, FunctionName=f"{self.arn}:{self.qualifier}", BatchSize=1
        )
        return mapping

    def send(self) -> dict[str, Any]:
        """Send a message and return what the function has said of it."""
        self.sqs.send_message(QueueUrl=self.orders, MessageBody="order")
        received = self.sqs.receive_message(QueueUrl=self.results, WaitTimeSeconds=15)["Messages"][0]
        self.sqs.delete_message(QueueUrl=self.results, ReceiptHandle=received["ReceiptHandle"])
        said: dict[str, Any] = json.loads(received["Body"])
        return said


def test_a_queue_can_be_mapped_to_a_version(cumulet: Cumulet) -> None:
    mapped = Mapped(cumulet, "1")

    mapping = mapped.map()

    assert mapping["FunctionArn"] == f"{mapped.arn}:1"
    assert mapped.send() == {"version": "1", "arn": f"{mapped.arn}:1"}


def test_a_queue_mapped_to_an_alias_follows_it(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    mapped = Mapped(cumulet, "live")
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    mapped.map()

    before = mapped.send()
    client.update_alias(FunctionName="hello", Name="live", FunctionVersion="2")
    after = mapped.send()

    assert (before, after) == (
        {"version": "1", "arn": f"{mapped.arn}:live"},
        {"version": "2", "arn": f"{mapped.arn}:live"},
    )


def test_an_alias_divides_the_batches_of_a_queue_by_weight(cumulet: Cumulet) -> None:
    mapped = Mapped(cumulet, "live")
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    cumulet.client("lambda").create_alias(FunctionName="hello", Name="live", FunctionVersion="1", RoutingConfig=routing)
    for first in range(0, 30, 10):
        entries = [{"Id": str(number), "MessageBody": "order"} for number in range(first, first + 10)]
        mapped.sqs.send_message_batch(QueueUrl=mapped.orders, Entries=entries)

    mapped.map()
    cumulet.advance(seconds=1)

    versions: Counter[str] = Counter()
    while received := mapped.sqs.receive_message(QueueUrl=mapped.results, MaxNumberOfMessages=10).get("Messages"):
        versions.update(json.loads(message["Body"])["version"] for message in received)
    assert (set(versions), versions.total()) == ({"1", "2"}, 30)


def test_a_mapping_waits_for_an_alias_that_was_deleted(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    mapped = Mapped(cumulet, "live")
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    mapped.map()
    client.delete_alias(FunctionName="hello", Name="live")
    mapped.sqs.send_message(QueueUrl=mapped.orders, MessageBody="waits")
    cumulet.advance(seconds=1)

    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="2")
    received = mapped.sqs.receive_message(QueueUrl=mapped.results, WaitTimeSeconds=15)["Messages"]

    assert json.loads(received[0]["Body"])["version"] == "2"


def test_mappings_are_listed_by_what_they_are_of(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    mapped = Mapped(cumulet, "1")
    of_version = mapped.map()["UUID"]
    of_function = client.create_event_source_mapping(EventSourceArn=mapped.source, FunctionName="hello")["UUID"]

    found = {
        name: [
            mapping["UUID"] for mapping in client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        ]
        for name in ("hello", "hello:1", mapped.arn, f"{mapped.arn}:2")
    }

    assert found == {"hello": [of_function], "hello:1": [of_version], mapped.arn: [of_function], f"{mapped.arn}:2": []}


def test_a_mapping_can_be_moved_to_another_qualifier(cumulet: Cumulet) -> None:
    mapped = Mapped(cumulet, "1")
    mapping = mapped.map()

    moved = cumulet.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], FunctionName="hello:2")
    kept = cumulet.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], BatchSize=2)

    assert moved["FunctionArn"] == kept["FunctionArn"] == f"{mapped.arn}:2"
    assert mapped.send()["version"] == "2"


@pytest.mark.parametrize("qualifier", ["7", "nobody"])
def test_a_queue_is_not_mapped_to_what_is_not_there(cumulet: Cumulet, qualifier: str) -> None:
    mapped = Mapped(cumulet, qualifier)

    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            mapped.map()

    assert refused.value.response["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "Function does not exist",
    }
    assert cumulet.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []


def test_code_by_an_alias_is_that_of_its_package(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello", TOLD, Publish=True)
    client.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
    digest = client.get_function(FunctionName="hello:live")["Configuration"]["CodeSha256"]

    client.update_function_code(FunctionName="hello", ZipFile=zip_of({"app.py": "changed = True\n"}))

    assert client.get_function(FunctionName="hello:live")["Configuration"]["CodeSha256"] == digest
