"""CloudWatch Logs: log groups are created, listed, tagged, protected and deleted."""

from __future__ import annotations

from typing import Any

import pytest
from logs_groups import Group

from cumulet.testing import Cumulet


def names(answer: dict[str, Any]) -> list[str]:
    return [found["logGroupName"] for found in answer["logGroups"]]


def test_new_group_is_described_as_aws_does(cumulet: Cumulet) -> None:
    group = Group(cumulet, "/aws/lambda/my.function_1-a#b").create()

    assert group.described() == {
        "arn": f"{group.arn}:*",
        "creationTime": cumulet.now_ms(),
        "deletionProtectionEnabled": False,
        "logGroupArn": group.arn,
        "logGroupClass": "STANDARD",
        "logGroupName": "/aws/lambda/my.function_1-a#b",
        "metricFilterCount": 0,
        "storedBytes": 0,
    }


def test_group_keeps_what_it_was_created_with(cumulet: Cumulet) -> None:
    key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    group = Group(cumulet).create(kmsKeyId=key, logGroupClass="INFREQUENT_ACCESS", tags={"env": "test", "empty": ""})

    described = group.described()
    assert (described["kmsKeyId"], described["logGroupClass"]) == (key, "INFREQUENT_ACCESS")
    assert group.logs.list_tags_for_resource(resourceArn=group.arn)["tags"] == {"env": "test", "empty": ""}


def test_name_is_taken_once_in_an_account_and_region(cumulet: Cumulet, group: Group) -> None:
    cumulet.client("logs", region="eu-west-1").create_log_group(logGroupName=group.name)
    cumulet.client("logs", account="999900001111").create_log_group(logGroupName=group.name)

    for _ in range(2):
        with pytest.raises(group.logs.exceptions.ResourceAlreadyExistsException) as refused:
            group.create()
        assert refused.value.response["Error"]["Message"] == "The specified log group already exists"


def test_longest_name(cumulet: Cumulet) -> None:
    group = Group(cumulet, "n" * 512).create()

    assert group.described()["logGroupName"] == "n" * 512


def test_deleted_group_is_gone_with_all_it_held(group: Group) -> None:
    group.stream("s")
    group.put("s", "old")

    group.logs.delete_log_group(logGroupName=group.name)

    assert group.logs.describe_log_groups()["logGroups"] == []
    with pytest.raises(group.logs.exceptions.ResourceNotFoundException, match="log group does not exist"):
        group.get("s")
    group.create()
    assert group.streams() == []
    group.stream("s")
    assert group.messages("s") == []
    assert group.found() == []


def test_groups_are_listed_by_name(cumulet: Cumulet) -> None:
    for name in ("b", "a/1", "B", "a", "a-1"):
        Group(cumulet, name).create()
    logs = cumulet.client("logs")

    assert names(logs.describe_log_groups()) == ["B", "a", "a-1", "a/1", "b"]
    assert names(logs.describe_log_groups(logGroupNamePrefix="a")) == ["a", "a-1", "a/1"]
    assert names(logs.describe_log_groups(logGroupNamePrefix="x")) == []


def test_listing_is_of_the_account_and_region_alone(cumulet: Cumulet, group: Group) -> None:
    assert names(cumulet.client("logs", region="eu-west-1").describe_log_groups()) == []
    assert names(cumulet.client("logs", account="999900002222").describe_log_groups()) == []


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_pages_of_a_listing(cumulet: Cumulet, size: int) -> None:
    for number in range(7):
        Group(cumulet, f"g{number}").create()
    logs = cumulet.client("logs")

    pages = list(logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="g", limit=size))

    assert [name for page in pages for name in names(page)] == [f"g{number}" for number in range(7)]
    assert [len(page["logGroups"]) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert "nextToken" not in pages[-1]


def test_page_has_50_groups_by_default(cumulet: Cumulet) -> None:
    for number in range(51):
        Group(cumulet, f"g{number:02}").create()
    logs = cumulet.client("logs")

    first = logs.describe_log_groups()
    second = logs.describe_log_groups(nextToken=first["nextToken"])

    assert len(first["logGroups"]) == 50
    assert names(second) == ["g50"]


def test_search_by_a_part_of_the_name_answers_in_short(cumulet: Cumulet) -> None:
    for name in ("DataLogs", "aws-DataLogs", "GroupDataLogs", "datalogs", "Data/log/s"):
        Group(cumulet, name).create()
    logs = cumulet.client("logs")

    found = logs.describe_log_groups(logGroupNamePattern="DataLogs")

    assert names(found) == ["DataLogs", "GroupDataLogs", "aws-DataLogs"]
    assert found["logGroups"][0].keys() == {
        "arn",
        "creationTime",
        "logGroupArn",
        "logGroupClass",
        "logGroupName",
        "metricFilterCount",
    }


def test_groups_are_chosen_by_class(cumulet: Cumulet) -> None:
    for log_class in ("STANDARD", "INFREQUENT_ACCESS", "ESSENTIALS", "DELIVERY"):
        Group(cumulet, log_class).create(logGroupClass=log_class)
    logs = cumulet.client("logs")

    assert names(logs.describe_log_groups(logGroupClass="STANDARD")) == ["STANDARD"]
    assert names(logs.describe_log_groups(logGroupClass="ESSENTIALS")) == ["ESSENTIALS", "INFREQUENT_ACCESS"]
    assert names(logs.list_log_groups(logGroupClass="ESSENTIALS")) == ["ESSENTIALS"]


def test_groups_are_described_by_identifier(cumulet: Cumulet) -> None:
    a, b = Group(cumulet, "a").create(), Group(cumulet, "b").create()
    a.stream("s")
    a.put("s", "four")

    described = a.logs.describe_log_groups(logGroupIdentifiers=[b.arn, "a", "missing"])["logGroups"]

    assert [(found["logGroupName"], found["storedBytes"]) for found in described] == [("a", 30), ("b", 0)]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, ["/aws/discovery", "a.b", "lambda-one", "lambda-two"]),
        ({"logGroupNamePattern": "lambda"}, ["lambda-one", "lambda-two"]),
        ({"logGroupNamePattern": "^lambda"}, ["lambda-one", "lambda-two"]),
        ({"logGroupNamePattern": "^discovery"}, []),
        ({"logGroupNamePattern": "^lambda-o|discovery"}, ["/aws/discovery", "lambda-one"]),
        ({"logGroupTags": [{"key": "env"}]}, ["lambda-one", "lambda-two"]),
        ({"logGroupTags": [{"key": "env", "values": ["prod"]}]}, ["lambda-one"]),
        ({"logGroupTags": [{"key": "env", "values": ["PROD*", "x"]}]}, ["lambda-one"]),
        ({"logGroupTags": [{"key": "env", "values": ["*ES*"]}]}, ["lambda-two"]),
        ({"logGroupTags": [{"key": "env", "values": ["!prod"]}]}, ["lambda-two"]),
        ({"fieldIndexNames": ["f"]}, []),
    ],
)
def test_groups_are_listed_in_short(cumulet: Cumulet, members: dict[str, Any], expected: list[str]) -> None:
    Group(cumulet, "lambda-one").create(tags={"env": "prod"})
    Group(cumulet, "lambda-two").create(tags={"env": "test"})
    Group(cumulet, "a.b").create()
    Group(cumulet, "/aws/discovery").create()
    logs = cumulet.client("logs")

    listed = logs.list_log_groups(**members)["logGroups"]

    assert [found["logGroupName"] for found in listed] == expected
    assert all(found.keys() == {"logGroupName", "logGroupArn", "logGroupClass"} for found in listed)


def test_tags_are_set_and_removed_both_ways(group: Group) -> None:
    logs = group.logs

    def tags() -> list[dict[str, str]]:
        return [
            logs.list_tags_for_resource(resourceArn=group.arn)["tags"],
            logs.list_tags_log_group(logGroupName=group.name)["tags"],
        ]

    assert tags() == [{}, {}]
    logs.tag_resource(resourceArn=group.arn, tags={"a": "1", "b": "2"})
    logs.tag_log_group(logGroupName=group.name, tags={"b": "3", "c": "4"})
    assert tags() == [{"a": "1", "b": "3", "c": "4"}] * 2
    logs.untag_resource(resourceArn=group.arn, tagKeys=["a", "missing"])
    logs.untag_log_group(logGroupName=group.name, tags=["b", "missing"])
    assert tags() == [{"c": "4"}] * 2


def test_group_has_up_to_50_tags(group: Group) -> None:
    group.logs.tag_resource(resourceArn=group.arn, tags={f"k{number}": "v" for number in range(50)})

    with pytest.raises(group.logs.exceptions.TooManyTagsException):
        group.logs.tag_resource(resourceArn=group.arn, tags={"one-more": "v"})
    group.logs.tag_resource(resourceArn=group.arn, tags={"k7": "other"})

    assert len(group.logs.list_tags_for_resource(resourceArn=group.arn)["tags"]) == 50


def test_protected_group_is_not_deleted(cumulet: Cumulet) -> None:
    group = Group(cumulet).create(deletionProtectionEnabled=True)
    group.stream("s")
    assert group.described()["deletionProtectionEnabled"] is True

    for _ in range(2):
        with pytest.raises(group.logs.exceptions.ValidationException, match="protection"):
            group.logs.delete_log_group(logGroupName=group.name)
    with pytest.raises(group.logs.exceptions.ValidationException, match="protection"):
        group.logs.delete_log_stream(logGroupName=group.name, logStreamName="s")
    group.logs.put_log_group_deletion_protection(logGroupIdentifier=group.arn, deletionProtectionEnabled=False)
    group.logs.delete_log_stream(logGroupName=group.name, logStreamName="s")
    group.logs.delete_log_group(logGroupName=group.name)

    assert group.logs.describe_log_groups()["logGroups"] == []


def test_stored_bytes_count_messages_and_overhead(group: Group) -> None:
    group.stream("s", "t")
    group.put("s", "abc", "ü")
    group.put("t", "d")
    assert group.described()["storedBytes"] == 3 + 2 + 1 + 3 * 26

    group.logs.delete_log_stream(logGroupName=group.name, logStreamName="s")

    assert group.described()["storedBytes"] == 1 + 26
