"""Broken constraints in AWS's words."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cumulet.kernel.errors import SerializationException, ValidationException
from cumulet.wire.errors import ValidationError
from cumulet.wire.http import HttpRequest
from cumulet.wire.service import load


def refusal(service: str, operation: str, members: dict[str, Any]) -> str:
    request = HttpRequest("POST", b"/", b"", {}, orjson.dumps(members))
    with pytest.raises(ValidationException) as refused:
        load(service).operation(operation).decode("json", request)
    return refused.value.message


def test_a_missing_member() -> None:
    assert refusal("events", "DeleteRule", {}) == (
        "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"
    )


def test_length_and_pattern_together() -> None:
    name = "!" * 65
    assert refusal("events", "DeleteRule", {"Name": name}) == (
        f"2 validation errors detected: Value '{name}' at 'name' failed to satisfy constraint: "
        f"Member must have length less than or equal to 64; Value '{name}' at 'name' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"
    )


def test_a_range() -> None:
    assert refusal("events", "ListRules", {"Limit": 0}) == (
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1"
    )


def test_an_enum_and_a_path_into_a_list() -> None:
    keys = [{"AttributeName": "a", "KeyType": "HASHED"}]
    members = {"TableName": "tab", "AttributeDefinitions": [], "KeySchema": keys}
    assert refusal("dynamodb", "CreateTable", members) == (
        "1 validation error detected: Value 'HASHED' at 'keySchema.1.member.keyType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [HASH, RANGE]"
    )


def test_an_item_of_a_list_is_told_at_its_list() -> None:
    assert refusal("events", "RemoveTargets", {"Rule": "r", "Ids": ["a", ""]}) == (
        "1 validation error detected: Value '[a, ]' at 'ids' failed to satisfy constraint: Member must satisfy "
        "constraint: [Member must have length less than or equal to 64, Member must have length greater than or "
        "equal to 1, Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+]"
    )


def test_keys_and_values_of_a_map_are_told_at_the_map() -> None:
    assert refusal("dynamodb", "BatchWriteItem", {"RequestItems": {"tab": []}}) == (
        "1 validation error detected: Value '{tab=[]}' at 'requestItems' failed to satisfy constraint: Map value must "
        "satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than "
        "or equal to 1]"
    )
    message = refusal("dynamodb", "BatchWriteItem", {"RequestItems": {"": [{}]}})
    assert "at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: [Member must" in message


def test_a_path_through_a_map_keeps_its_key() -> None:
    assert refusal("dynamodb", "BatchWriteItem", {"RequestItems": {"Tab": [{"PutRequest": {}}]}}) == (
        "1 validation error detected: Value null at 'requestItems.Tab.member.1.member.putRequest.item' failed to "
        "satisfy constraint: Member must not be null"
    )


def test_a_null_in_a_list() -> None:
    assert "Value null at 'ids.1.member' failed to satisfy constraint: Member must not be null" in refusal(
        "events", "RemoveTargets", {"Rule": "r", "Ids": [None]}
    )


def test_a_sensitive_value_is_not_shown() -> None:
    assert refusal("stepfunctions", "StartExecution", {"stateMachineArn": "a", "name": ""}).startswith("1 validation")
    message = refusal("stepfunctions", "SendTaskFailure", {"taskToken": "t", "error": "e" * 257})
    assert message.startswith("1 validation error detected: Value at 'error' failed to satisfy constraint: ")


def test_the_code_of_the_query_protocol() -> None:
    request = HttpRequest("POST", b"/", b"", {}, b"Action=DeleteStack")
    with pytest.raises(ValidationError) as refused:
        load("cloudformation").operation("DeleteStack").decode("query", request)
    assert refused.value.message == (
        "1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null"
    )


def test_a_union_has_one_member() -> None:
    operation = load("rds-data").operation("ExecuteStatement")
    parameters = [{"name": "a", "value": {"stringValue": "s", "longValue": 5}}]
    members = {"resourceArn": "a" * 20, "secretArn": "a" * 20, "sql": "s", "parameters": parameters}
    with pytest.raises(SerializationException):
        operation.decode("rest-json", HttpRequest("POST", b"/Execute", b"", {}, orjson.dumps(members)))
    del parameters[0]["value"]["longValue"]  # type: ignore[attr-defined]
    request = HttpRequest("POST", b"/Execute", b"", {}, orjson.dumps(members))
    assert operation.decode("rest-json", request) == members
