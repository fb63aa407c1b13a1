"""Lambda: versions are published from what a function is, stay as they are, and run beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError
from lambda_functions import SOURCE, create, zip_of
from quotas import with_quotas

from cumulet.testing import Cumulet

TOLD = """
import os
def handler(event, context):
    return {{"code": {code}, "version": context.function_version, "arn": context.invoked_function_arn,
            "stream": context.log_stream_name, "variable": os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
            "colour": os.environ.get("COLOUR")}}
"""


def package(code: int) -> bytes:
    return zip_of({"app.py": TOLD.format(code=code)})


def told(cumulet: Cumulet, name: str, **members: Any) -> dict[str, Any]:
    """Return what a function that runs TOLD says, with the version that Invoke names."""
    answer = cumulet.client("lambda").invoke(FunctionName=name, **members)
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    return said | {"executed": answer["ExecutedVersion"]}


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def shown(cumulet: Cumulet, name: str, qualifier: str | None = None) -> dict[str, Any]:
    qualified = {} if qualifier is None else {"Qualifier": qualifier}
    return without_metadata(cumulet.client("lambda").get_function_configuration(FunctionName=name, **qualified))


def numbers(cumulet: Cumulet, name: str) -> list[str]:
    pages = cumulet.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=name)
    return [version["Version"] for page in pages for version in page["Versions"]]


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_version_is_what_the_function_is_when_it_is_published(cumulet: Cumulet) -> None:
    created = create(cumulet, "hello", Description="first", Environment={"Variables": {"COLOUR": "red"}})
    before = shown(cumulet, "hello")

    answer = cumulet.client("lambda").publish_version(FunctionName="hello")

    assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 201
    differing = {name for name in answer if answer[name] != before[name]}
    assert differing == {"FunctionArn", "Version", "RevisionId"}
    assert answer["FunctionArn"] == f"{created['FunctionArn']}:1"
    assert (answer["Version"], answer["State"], answer["LastUpdateStatus"]) == ("1", "Active", "Successful")
    assert shown(cumulet, "hello", "1") == shown(cumulet, "hello:1") == answer
    assert len({before["RevisionId"], answer["RevisionId"], shown(cumulet, "hello")["RevisionId"]}) == 3


def test_nothing_is_published_where_nothing_has_changed(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello")
    first = client.publish_version(FunctionName="hello", Description="given")
    revision = shown(cumulet, "hello")["RevisionId"]

    second = client.publish_version(FunctionName="hello", Description="another")
    client.update_function_configuration(FunctionName="hello", Timeout=9)
    client.update_function_configuration(FunctionName="hello", Timeout=3)
    third = client.publish_version(FunctionName="hello")

    del first["ResponseMetadata"], second["ResponseMetadata"], third["ResponseMetadata"]
    assert first == second == third
    assert first["Description"] == "given"
    assert revision != shown(cumulet, "hello")["RevisionId"]
    assert numbers(cumulet, "hello") == ["$LATEST", "1"]


@pytest.mark.parametrize("change", [{"Description": "other"}, {"Timeout": 4}, {"Environment": {"Variables": {}}}])
def test_a_changed_setting_makes_a_new_version(cumulet: Cumulet, change: dict[str, Any]) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello", Publish=True)
    client.update_function_configuration(FunctionName="hello", **change)

    answer = client.publish_version(FunctionName="hello")

    assert answer["Version"] == "2"
    ((name, value),) = change.items()
    assert (shown(cumulet, "hello", "2")[name], shown(cumulet, "hello", "1").get(name)) != (value, value)


def test_a_version_stays_as_it_was(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello", TOLD.format(code=1), Environment={"Variables": {"COLOUR": "red"}}, Publish=True)
    before = shown(cumulet, "hello", "1")

    client.update_function_code(FunctionName="hello", ZipFile=package(2))
    client.update_function_configuration(FunctionName="hello", Environment={"Variables": {"COLOUR": "blue"}})

    assert shown(cumulet, "hello", "1") == before
    assert [told(cumulet, "hello", **how)["code"] for how in ({}, {"Qualifier": "1"})] == [2, 1]
    assert told(cumulet, "hello:1")["colour"] == "red"


def test_creating_can_publish_the_first_version(cumulet: Cumulet) -> None:
    created = create(cumulet, "hello", Publish=True)

    assert (created["Version"], created["State"]) == ("1", "Pending")
    assert not created["FunctionArn"].endswith(":1")
    assert numbers(cumulet, "hello") == ["$LATEST", "1"]
    assert shown(cumulet, "hello", "1")["RevisionId"] == created["RevisionId"] != shown(cumulet, "hello")["RevisionId"]
    assert cumulet.client("lambda").publish_version(FunctionName="hello")["Version"] == "1"


def test_new_code_can_be_published_at_once(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    created = create(cumulet, "hello")

    updated = client.update_function_code(FunctionName="hello", ZipFile=package(2), Publish=True)
    same = client.update_function_code(FunctionName="hello", ZipFile=package(2), Publish=True)

    assert (updated["Version"], updated["FunctionArn"]) == ("1", created["FunctionArn"] + ":1")
    assert (updated["State"], updated["StateReasonCode"], "LastUpdateStatus" in updated) == (
        "Pending",
        "Creating",
        False,
    )
    assert (same["Version"], same["State"], same["RevisionId"]) == ("1", "Active", updated["RevisionId"])
    assert numbers(cumulet, "hello") == ["$LATEST", "1"]
    assert told(cumulet, "hello:1")["code"] == told(cumulet, "hello")["code"] == 2


def test_a_dry_run_publishes_nothing(cumulet: Cumulet) -> None:
    create(cumulet, "hello")

    cumulet.client("lambda").update_function_code(FunctionName="hello", ZipFile=package(2), Publish=True, DryRun=True)

    assert numbers(cumulet, "hello") == ["$LATEST"]


def test_publishing_asks_for_the_code_and_the_revision_that_the_caller_knows(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    created = create(cumulet, "hello")
    wrong = [{"CodeSha256": "other"}, {"RevisionId": "other"}]

    for members in wrong:
        with pytest.raises(ClientError):
            client.publish_version(FunctionName="hello", **members)
    published = client.publish_version(
        FunctionName="hello", CodeSha256=created["CodeSha256"], RevisionId=created["RevisionId"]
    )

    assert published["Version"] == "1"


def test_a_version_says_which_it_is(cumulet: Cumulet) -> None:
    arn = create(cumulet, "hello", TOLD.format(code=1), Publish=True)["FunctionArn"]

    latest, first = told(cumulet, "hello"), told(cumulet, f"{arn}:1")

    assert (latest["executed"], latest["version"], latest["variable"], latest["arn"]) == (*3 * ["$LATEST"], arn)
    assert (first["executed"], first["version"], first["variable"], first["arn"]) == (*3 * ["1"], f"{arn}:1")
    assert ("[$LATEST]" in latest["stream"], "[1]" in first["stream"]) == (True, True)
    assert told(cumulet, "hello", Qualifier="$LATEST")["arn"] == f"{arn}:$LATEST"


def test_a_version_has_environments_of_its_own_until_it_is_deleted(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello", TOLD.format(code=1), Publish=True)
    streams = {name: told(cumulet, name)["stream"] for name in ("hello", "hello:1")}

    client.update_function_code(FunctionName="hello", ZipFile=package(2))
    again = {name: told(cumulet, name)["stream"] for name in ("hello", "hello:1")}
    client.delete_function(FunctionName="hello", Qualifier="1")
    with pytest.raises(ClientError) as gone:
        told(cumulet, "hello:1")

    assert (again["hello:1"] == streams["hello:1"], again["hello"] == streams["hello"]) == (True, False)
    assert refused(gone)[0] == "ResourceNotFoundException"


def test_the_code_of_a_version_can_be_downloaded(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello", TOLD.format(code=1), Publish=True, Tags={"team": "blue"})
    client.update_function_code(FunctionName="hello", ZipFile=package(2))

    found = client.get_function(FunctionName="hello", Qualifier="1")

    assert found["Configuration"]["Version"] == "1"
    assert found["Tags"] == {"team": "blue"}
    with urlopen(found["Code"]["Location"]) as download:
        assert download.read() == package(1)


def test_the_package_of_a_version_stays_as_long_as_it_does(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello", TOLD.format(code=71), Publish=True)
    client.update_function_code(FunctionName="hello", ZipFile=package(72))

    cumulet.advance(hours=1)

    assert told(cumulet, "hello:1")["code"] == 71


def test_numbers_are_not_used_again(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello", Publish=True)
    client.delete_function(FunctionName="hello", Qualifier="1")
    client.delete_function(FunctionName="hello:1")

    published = client.publish_version(FunctionName="hello")
    client.delete_function(FunctionName="hello")
    create(cumulet, "hello")
    of_the_next = client.publish_version(FunctionName="hello")

    assert (published["Version"], of_the_next["Version"]) == ("2", "1")


def test_a_function_is_deleted_with_its_versions(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello", TOLD.format(code=1), Publish=True)
    told(cumulet, "hello:1")

    client.delete_function(FunctionName="hello")
    create(cumulet, "hello", TOLD.format(code=2))

    with pytest.raises(ClientError) as gone:
        shown(cumulet, "hello", "1")
    assert refused(gone)[0] == "ResourceNotFoundException"
    client.publish_version(FunctionName="hello")
    assert told(cumulet, "hello:1")["code"] == 2


def test_versions_are_listed_in_pages_the_oldest_first(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello")
    for number in range(11):
        client.update_function_configuration(FunctionName="hello", Description=str(number))
        client.publish_version(FunctionName="hello")

    pages = list(
        client.get_paginator("list_versions_by_function").paginate(
            FunctionName="hello", PaginationConfig={"PageSize": 5}
        )
    )

    listed = [[version["Version"] for version in page["Versions"]] for page in pages]
    assert listed == [["$LATEST", "1", "2", "3", "4"], ["5", "6", "7", "8", "9"], ["10", "11"]]
    first = pages[0]["Versions"][1]
    whole = shown(cumulet, "hello", "1")
    assert first == {name: value for name, value in whole.items() if name in first}
    assert whole.keys() - first.keys() == {"State", "LastUpdateStatus", "RuntimeVersionConfig"}


def test_all_versions_of_all_functions_are_listed_in_pages(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    for name in ("a", "b", "c"):
        create(cumulet, name, Publish=name != "b")
    client.update_function_configuration(FunctionName="a", Timeout=4)
    client.publish_version(FunctionName="a")

    everything = {}
    for size in (1, 2, 50):
        pages = client.get_paginator("list_functions").paginate(
            FunctionVersion="ALL", PaginationConfig={"PageSize": size}
        )
        everything[size] = [version["FunctionArn"] for page in pages for version in page["Functions"]]

    mark = f"arn:aws:lambda:us-east-1:{cumulet.account}:function:"
    expected = ["a:$LATEST", "a:1", "a:2", "b:$LATEST", "c:$LATEST", "c:1"]
    assert everything == {size: [mark + name for name in expected] for size in (1, 2, 50)}
    assert len(client.list_functions()["Functions"]) == 3


def test_the_account_counts_the_packages_of_all_versions(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    size = create(cumulet, "hello", Publish=True)["CodeSize"]

    settings = client.get_account_settings()

    assert settings["AccountUsage"] == {"TotalCodeSize": 2 * size, "FunctionCount": 1}
    assert settings["AccountLimit"] == {
        "TotalCodeSize": 80_530_636_800,
        "CodeSizeUnzipped": 262_144_000,
        "CodeSizeZipped": 52_428_800,
        "ConcurrentExecutions": 1000,
        "UnreservedConcurrentExecutions": 1000,
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    """Return a server with room for two packages."""
    quotas = {"lambda:code-storage-bytes": 2 * len(zip_of({"app.py": SOURCE}))}
    with with_quotas(tmp_path_factory.mktemp("small"), quotas) as server:
        yield server


def test_a_version_for_which_there_is_no_room_is_not_published(small: Cumulet) -> None:
    client = small.client("lambda")
    create(small, "hello", Publish=True)
    client.update_function_configuration(FunctionName="hello", Timeout=4)
    before = shown(small, "hello")

    for _ in range(2):
        with pytest.raises(ClientError) as full:
            client.publish_version(FunctionName="hello")

    assert refused(full) == ("CodeStorageExceededException", "Code storage limit exceeded.")
    assert (numbers(small, "hello"), shown(small, "hello")) == (["$LATEST", "1"], before)
    client.delete_function(FunctionName="hello", Qualifier="1")
    assert client.publish_version(FunctionName="hello")["Version"] == "2"


@pytest.mark.parametrize("name", ["published_version_active", "function_active_v2", "function_updated_v2"])
def test_waiters_find_a_version_ready(cumulet: Cumulet, name: str) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello", Publish=True)

    waiter = client.get_waiter(name)

    waiter.wait(FunctionName="hello", Qualifier="1", WaiterConfig={"MaxAttempts": 1})


def test_versions_survive_a_restart(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        create(server, "hello", TOLD.format(code=1), Publish=True)
        before = shown(server, "hello", "1")
    with Cumulet(tmp_path / "data") as server:
        server.client("lambda").update_function_code(FunctionName="hello", ZipFile=package(2))

        assert shown(server, "hello", "1") == before
        assert told(server, "hello:1")["code"] == 1


def test_reserved_concurrency_is_of_a_function_with_all_its_versions(cumulet: Cumulet) -> None:
    client = cumulet.client("lambda")
    create(cumulet, "hello", TOLD.format(code=1), Publish=True)
    told(cumulet, "hello:1")
    client.put_function_concurrency(FunctionName="hello", ReservedConcurrentExecutions=0)

    with pytest.raises(ClientError) as throttled:
        told(cumulet, "hello:1")

    assert refused(throttled) == ("TooManyRequestsException", "Rate Exceeded.")
