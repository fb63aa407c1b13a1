"""Filter policies: what SNS refuses, with its words as recorded from AWS, and what matches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.services.sns import filter_policies
from cumulet.services.sns.filter_policies import ATTRIBUTES, BODY, RefusedAttribute
from cumulet.services.sns.messages import MessageAttribute

SYNTAX = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]"


def text_of(policy: object) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy, separators=(",", ":"))


@pytest.mark.parametrize(
    ("policy", "reason", "column"),
    [
        ({"key": [["value"]]}, "Match value must be String, number, true, false, or null", 10),
        ({"key": [{"wrong-operator": True}]}, "Unrecognized match type wrong-operator", 31),
        ({"key": [{"suffix": "value", "prefix": "value2"}]}, "Only one key allowed in match expression", 37),
        ({"key": [{"suffix": 100}]}, "suffix match pattern must be a string", 22),
        ({"key": [{"suffix": None}]}, "suffix match pattern must be a string", 23),
        ({"key": {"suffix": "value"}}, '"suffix" must be an object or an array', 19),
        ({"key": [{"suffix": []}]}, "suffix match pattern must be a string", 20),
        ({"key": [{"suffix": ["test", "test2"]}]}, "suffix match pattern must be a string", 20),
        ({"key": {"suffix": "value", "prefix": "value"}}, '"suffix" must be an object or an array', 19),
        ({"key": {"not-an-operator": "value"}}, '"not-an-operator" must be an object or an array', 28),
        ({"key": [{"numeric": []}]}, "Invalid member in numeric match: ]", 22),
        ({"key": [{"numeric": ["operator"]}]}, "Unrecognized numeric range operator: operator", 32),
        ({"key": [{"numeric": [1, "<="]}]}, "Invalid member in numeric match: 1", 22),
        ({"key": [{"numeric": ["=", "000"]}]}, "Value of equals must be numeric", 26),
        ({"key": [{"numeric": [">="]}]}, "Value of >= must be numeric", 26),
        ({"key": [{"numeric": ["<", 100, ">", 10]}]}, "Too many elements in numeric expression", 30),
        ({"key": [{"numeric": [">=", 1, ">", 2]}]}, "Bad numeric range operator: >", 31),
        ({"key": [{"numeric": [">", 3, "<", 1]}]}, "Bottom must be less than top", 33),
        ({"key": [{"numeric": [">", 20, "<="]}]}, "Value of <= must be numeric", 33),
        ({"key": [{"numeric": [">", 20, 30]}]}, "Bad value in numeric range: 30", 30),
        ({"key": [{"numeric": [">", 20, "test"]}]}, "Bad numeric range operator: test", 34),
        ({"key": [{"numeric": [">", "20", "<", "30"]}]}, "Value of > must be numeric", 26),
        ({"key": [{"numeric": [">", 20, "<", "30"]}]}, "Value of < must be numeric", 33),
        ({"key": [{"numeric": [">", 20, "<", 30, "<", 50]}]}, "Too many terms in numeric range expression", 36),
        ({"key": [{"exists": None}]}, "exists match pattern must be either true or false.", 23),
        ({"key": [{"exists": "no"}]}, "exists match pattern must be either true or false.", 20),
        ({"key": [{"anything-but": {"wrong-operator": None}}]}, "Unsupported anything-but pattern: wrong-operator", 47),
        (["x"], "Filter is not an object", 2),
        ({"$or": ["literal"]}, "Only JSON object is allowed in array of $or relationship.", 10),
        ({"$or": [{"a": ["1"]}, 2]}, "Only JSON object is allowed in array of $or relationship.", 22),
        ({"$or": [{"a": ["1"]}]}, "There must have at least 2 Objects in $or relationship.", 21),
        ({"key": []}, "Empty arrays are not allowed", 10),
        ({"key": [{"anything-but": {"exists": False}}]}, "Unsupported anything-but pattern: exists", 40),
        ({"key": [{"anything-but": {"prefix": False}}]}, "prefix match pattern must be a string", 40),
        ({"key_a": "value_one"}, '"key_a" must be an object or an array', 11),
    ],
)
def test_a_policy_is_refused_in_the_words_recorded_from_aws(policy: object, reason: str, column: int) -> None:
    text = text_of(policy)

    with pytest.raises(RefusedAttribute) as refused:
        filter_policies.check(text, ATTRIBUTES)

    place = f'[Source: (String)"{text}"; line: 1, column: {column}]'
    assert str(refused.value) == f"FilterPolicy: {reason}\n at {place}"


@pytest.mark.parametrize(
    ("policy", "scope", "message"),
    [
        (
            "{invalidjson}",
            ATTRIBUTES,
            "FilterPolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to "
            f"start field name\n at {SYNTAX}",
        ),
        ('{"key": ["a"]} {', ATTRIBUTES, None),
        ({"key": [{"wildcard": "a*"}]}, ATTRIBUTES, None),
        ({"key": [{"exactly": "a"}]}, ATTRIBUTES, None),
        ({"key": [{"prefix": {"equals-ignore-case": 1}}]}, ATTRIBUTES, None),
        ({"key": [{"suffix": {"prefix": "a"}}]}, ATTRIBUTES, None),
        ({"key": [{"numeric": ["=", 1_000_000_001]}]}, ATTRIBUTES, None),
        ({"key": [{"numeric": [">", -1_000_000_001]}]}, BODY, None),
        ({"key": []}, ATTRIBUTES, None),
        ({"key": {}}, BODY, None),
        (
            {"object": {"key": [{"prefix": "auto-"}]}},
            ATTRIBUTES,
            "Filter policy scope MessageAttributes does not support nested filter policy",
        ),
        (
            {"$or": [{"a": ["1"]}, {"b": {"c": ["1"]}}]},
            ATTRIBUTES,
            "Filter policy scope MessageAttributes does not support nested filter policy",
        ),
        (
            {f"key{n}": ["value"] for n in range(6)},
            ATTRIBUTES,
            "FilterPolicy: Filter policy can not have more than 5 keys",
        ),
        (
            {"a": ["1"], "b": ["1"], "c": ["1"], "$or": [{"d": ["1"], "e": ["1"]}, {"f": ["1"]}]},
            ATTRIBUTES,
            "FilterPolicy: Filter policy can not have more than 5 keys",
        ),
        ({"key": [f"value{n}" for n in range(151)]}, ATTRIBUTES, "FilterPolicy: Filter policy is too complex"),
        (
            {"key1": [f"value{n}" for n in range(100)], "key2": [f"value{n}" for n in range(51)]},
            ATTRIBUTES,
            "FilterPolicy: Filter policy is too complex",
        ),
        (
            {
                "source": ["aws.cloudwatch", "aws.events", "aws.test", "aws.test2"],
                "$or": [
                    {"metricName": ["CPUUtilization", "ReadLatency", "t1", "t2", "t3", "t4"]},
                    {
                        "metricType": ["MetricType", "TestType", "TestType2", "TestType3"],
                        "$or": [{"metricId": [1234, 4321, 5678, 9012]}, {"spaceId": [1, 2, 3, 4]}],
                    },
                ],
            },
            ATTRIBUTES,
            "FilterPolicy: Filter policy is too complex",
        ),
        (
            {
                "$or": [
                    {"metricName": ["CPUUtilization", "ReadLatency", "TestValue"]},
                    {"namespace": ["AWS/EC2", "AWS/ES"]},
                ],
                "detail": {
                    "scope": ["Service", "Test"],
                    "$or": [
                        {"source": ["aws.cloudwatch"]},
                        {"type": ["CloudWatch Alarm State Change", "TestValue", "TestValue2"]},
                    ],
                },
            },
            BODY,
            "FilterPolicy: Filter policy is too complex",
        ),
        ({"key": ["a" * 262_144]}, ATTRIBUTES, "FilterPolicy: Filter policy is too large"),
    ],
)
def test_what_a_policy_cannot_be(policy: object, scope: str, message: str | None) -> None:
    with pytest.raises(RefusedAttribute) as refused:
        filter_policies.check(text_of(policy), scope)

    if message is not None:
        assert str(refused.value) == message


@pytest.mark.parametrize(
    ("policy", "scope"),
    [
        ({"key": [f"value{n}" for n in range(150)]}, ATTRIBUTES),
        ({f"key{n}": ["value"] for n in range(5)}, ATTRIBUTES),
        (
            {
                "source": ["aws.cloudwatch", "aws.events", "aws.test"],
                "$or": [
                    {"metricName": ["CPUUtilization", "ReadLatency", "t1", "t2", "t3", "t4"]},
                    {
                        "metricType": ["MetricType", "TestType", "TestType2", "TestType3"],
                        "$or": [{"metricId": [1234, 4321, 5678, 9012]}, {"spaceId": [1, 2, 3, 4, 5, 6, 7]}],
                    },
                ],
            },
            ATTRIBUTES,
        ),
        ({"a": {f"key{n}": ["value"] for n in range(6)}}, BODY),
        ({"key": [{"anything-but": {"prefix": "test-"}}]}, ATTRIBUTES),
        ({"key": [{"anything-but": {"suffix": ".tmp"}}]}, ATTRIBUTES),
        ({"key": [{"prefix": {"equals-ignore-case": "abc"}}]}, ATTRIBUTES),
        ({"key": [{"anything-but": ["test", "test2"]}]}, ATTRIBUTES),
        ({"key": [{"anything-but": "test"}]}, ATTRIBUTES),
        ({"key": [None, {"anything-but": "whatever"}]}, ATTRIBUTES),
        ({"key": [{"numeric": [">=", -1_000_000_000, "<=", 1_000_000_000]}]}, ATTRIBUTES),
    ],
)
def test_policies_at_the_limits_are_taken(policy: object, scope: str) -> None:
    filter_policies.check(text_of(policy), scope)


def attribute(kind: str, value: str | bytes) -> dict[str, MessageAttribute]:
    return {"key": MessageAttribute(kind, value)}


STRING = attribute("String", "rugby")
ARRAY = attribute("String.Array", '["rugby","baseball",true,null,100]')


@pytest.mark.parametrize(
    ("conditions", "attributes", "is_matched"),
    [
        (["rugby"], STRING, True),
        (["Rugby"], STRING, False),
        (["tennis", "rugby"], STRING, True),
        (["rugby"], {}, False),
        (["rugby"], ARRAY, True),
        (["tennis"], ARRAY, False),
        ([True], ARRAY, True),
        ([None], ARRAY, True),
        ([100], ARRAY, True),
        (["100"], attribute("Number", "100"), False),
        ([100], attribute("Number", "100"), True),
        ([100], attribute("Number", "1e2"), True),
        ([100], attribute("Number", "100.0"), True),
        ([7], attribute("Number", "007"), True),
        ([100], attribute("Number.int", "100"), True),
        ([100], attribute("String", "100"), False),
        (["rugby"], attribute("String.sport", "rugby"), True),
        (["rugby"], attribute("String.Array", '"rugby"'), False),
        (["rugby"], attribute("String.Array", "rugby"), False),
        (["rugby"], STRING | {"other": MessageAttribute("String.Array", "not json")}, False),
        ([{"anything-but": ["tennis"]}], attribute("String.Array", "[rugby]"), False),
        ([{"exists": True}], attribute("Binary", b"rugby"), False),
        ([{"exists": False}], attribute("Binary", b"rugby"), True),
        ([{"exists": True}], STRING, True),
        ([{"exists": False}], STRING, False),
        ([{"exists": False}], {}, False),
        ([{"exists": False}], {"other": MessageAttribute("String", "x")}, True),
        ([{"prefix": "ru"}], STRING, True),
        ([{"prefix": "by"}], STRING, False),
        ([{"suffix": "by"}], STRING, True),
        ([{"suffix": "ru"}], STRING, False),
        ([{"equals-ignore-case": "RUGBY"}], STRING, True),
        ([{"anything-but": "rugby"}], STRING, False),
        ([{"anything-but": ["tennis", "rugby"]}], ARRAY, True),
        ([{"anything-but": ["tennis", "rugby"]}], attribute("String.Array", '["rugby"]'), False),
        ([{"anything-but": ["tennis"]}], {}, False),
        ([{"anything-but": ["tennis"]}, {"exists": False}], {}, False),
        ([{"anything-but": ["tennis"]}, {"exists": False}], {"other": MessageAttribute("String", "x")}, True),
        ([{"anything-but": [100, 500]}], attribute("Number", "101"), True),
        ([{"anything-but": [100, 500]}], attribute("Number", "100"), False),
        ([{"anything-but": {"prefix": "ru"}}], STRING, False),
        ([{"anything-but": {"prefix": "te"}}], STRING, True),
        ([{"anything-but": {"suffix": "by"}}], STRING, False),
        ([{"anything-but": {"suffix": "ru"}}], STRING, True),
        ([{"prefix": {"equals-ignore-case": "RU"}}], STRING, True),
        ([{"suffix": {"equals-ignore-case": "RU"}}], STRING, False),
        ([{"numeric": [">", 0, "<=", 100]}], attribute("Number", "100"), True),
        ([{"numeric": [">", 0, "<=", 100]}], attribute("Number", "0"), False),
        ([{"numeric": ["=", 301.5]}], attribute("Number", "3.015e2"), True),
        ([{"numeric": ["<", 0]}], attribute("Number", "-1"), True),
        ([{"numeric": ["<", 0]}], attribute("String", "-1"), False),
        ([{"cidr": "10.0.0.0/24"}], attribute("String", "10.0.0.255"), True),
        ([{"cidr": "10.0.0.0/24"}], attribute("String", "10.1.1.0"), False),
    ],
)
def test_attributes_match(conditions: list[Any], attributes: dict[str, MessageAttribute], is_matched: bool) -> None:
    policy = filter_policies.compile(json.dumps({"key": conditions}), ATTRIBUTES)

    assert policy.matches(attributes, '{"key": "rugby"}') is is_matched


@pytest.mark.parametrize(
    ("policy", "body", "is_matched"),
    [
        ({"key": ["a"]}, '{"key": "a"}', True),
        ({"key": ["a"]}, '{"key": "b"}', False),
        ({"key": ["a"]}, '{"key": ["b", "a"]}', True),
        ({"key": ["a"]}, "not json", False),
        ({"key": [{"exists": False}]}, "not json", False),
        ({"key": [{"exists": False}]}, '["key"]', False),
        ({"key": [{"exists": False}]}, '"key"', False),
        ({"key": [{"exists": False}]}, "{}", True),
        ({"object": {"key": [{"prefix": "auto-"}]}}, '{"object": {"key": "auto-test"}}', True),
        ({"object": {"key": [{"prefix": "auto-"}]}}, '{"object": {"other": "auto-test"}}', False),
        ({"object": {"key": [{"prefix": "auto-"}]}}, '{"object": [{"key": 1}, {"key": "auto-test"}]}', True),
        ({"a": ["1"], "b": ["2"]}, '{"a": "1"}', False),
        ({"a": ["1"], "b": ["2"]}, '{"a": "1", "b": "2"}', True),
        ({"$or": [{"a": ["1"]}, {"b": ["2"]}]}, '{"b": "2"}', True),
        ({"$or": [{"a": ["1"]}, {"b": ["2"]}]}, '{"b": "1"}', False),
        ({"$or": [{"a": ["1"]}, {"b": ["2"]}], "c": [True]}, '{"b": "2", "c": true}', True),
        ({"price": [{"numeric": [">=", 100]}]}, '{"price": 100.0}', True),
        ({"price": [{"numeric": [">=", 100]}]}, '{"price": "100"}', False),
    ],
)
def test_bodies_match(policy: object, body: str, is_matched: bool) -> None:
    compiled = filter_policies.compile(json.dumps(policy), BODY)

    assert compiled.matches({"key": MessageAttribute("String", "a")}, body) is is_matched


def test_a_name_with_dots_is_one_attribute() -> None:
    policy = filter_policies.compile('{"a.b": ["1"]}', ATTRIBUTES)

    assert policy.matches({"a.b": MessageAttribute("String", "1")}, "")
    assert not policy.matches({"a": MessageAttribute("String", "1")}, "")


names = st.sampled_from(["a", "b", "$or", "prefix", "anything-but", "numeric", "exists", "cidr", "x.y", ""])
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False),
    st.sampled_from(["", "=", ">", "<=", "10.0.0.0/8", "::1", "\ud800", "a" * 5]),
    st.text(max_size=3),
)
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)


@given(policy=st.dictionaries(names, documents, max_size=4), body=documents, scope=st.sampled_from([ATTRIBUTES, BODY]))
def test_any_policy_is_refused_in_words_or_works(policy: object, body: object, scope: str) -> None:
    text = json.dumps(policy)

    try:
        filter_policies.check(text, scope)
    except RefusedAttribute:
        return

    attributes = {"a": MessageAttribute("String.Array", json.dumps(body))}
    assert filter_policies.compile(text, scope).matches(attributes, json.dumps({"a": body})) in (True, False)


@given(text=st.text())
def test_any_text_is_refused_in_words_or_a_policy(text: str) -> None:
    try:
        filter_policies.check(text, BODY)
    except RefusedAttribute as refused:
        assert str(refused)


@given(kind=st.sampled_from(["String", "Number", "String.Array", "Number.x"]), text=st.text())
def test_any_attribute_has_a_value_unless_it_is_a_broken_array(kind: str, text: str) -> None:
    event = filter_policies.attribute_event({"a": MessageAttribute(kind, text)})

    assert "a" in event if event is not None else kind == "String.Array"
