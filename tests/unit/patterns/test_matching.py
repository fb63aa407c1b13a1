"""Which events a pattern matches: what EventBridge documents or was seen to do, each row one fact."""

from __future__ import annotations

from typing import Any

import pytest

from cumulet import patterns

S3 = {
    "source": ["aws.s3"],
    "detail": {"bucket": {"name": ["intraday-trading-data"]}, "object": {"key": [{"wildcard": "*/XYZ/*"}]}},
}
COMPLEX = {
    "time": [{"prefix": "2017-10-02"}],
    "detail": {
        "state": [{"anything-but": "initializing"}],
        "c-count": [{"numeric": [">", 0, "<=", 5]}],
        "d-count": [{"numeric": ["<", 10]}],
        "x-limit": [{"anything-but": [100, 200, 300]}],
    },
}
EITHER = {
    "source": ["aws.cloudwatch"],
    "$or": [
        {"metricName": ["CPUUtilization", "ReadLatency"]},
        {"metricType": ["MetricType"], "namespace": ["AWS/EC2"], "$or": [{"metricId": [1234]}, {"spaceId": [1000]}]},
        {"scope": ["Service"]},
    ],
}


def s3_event(key: str) -> dict[str, Any]:
    return {"source": "aws.s3", "detail": {"bucket": {"name": "intraday-trading-data"}, "object": {"key": key}}}


def complex_event(**changes: Any) -> dict[str, Any]:
    detail = {"state": "running", "c-count": 5, "d-count": 9, "x-limit": 999, **changes}
    return {"time": "2017-10-02T18:43:48Z", "detail": detail}


@pytest.mark.parametrize(
    ("pattern", "event", "matches"),
    [
        # Values are alternatives, fields must all match, other fields don't matter.
        ({"a": ["x", "y"]}, {"a": "y", "b": 1}, True),
        ({"a": ["x", "y"]}, {"a": "z"}, False),
        ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "y"}, True),
        ({"a": ["x"], "b": ["y"]}, {"a": "x"}, False),
        ({"a": {"b": {"c": ["x"]}}}, {"a": {"b": {"c": "x"}}}, True),
        ({"a": {"b": {"c": ["x"]}}}, {"a": {"b": "x"}}, False),
        ({"a": {"b": ["x"]}}, {"a": None}, False),
        # Names and values have their case.
        ({"a": ["x"]}, {"A": "x"}, False),
        ({"a": ["x"]}, {"a": "X"}, False),
        # A dot in a name is a step.
        ({"a": {"b": ["x"]}}, {"a.b": "x"}, True),
        ({"a.b": ["x"]}, {"a": {"b": "x"}}, True),
        ({"a.b.c": ["x"]}, {"a": {"b.c": "x"}}, True),
        ({"a.b.c": ["x"]}, {"a.b": {"c": "x"}}, True),
        ({"a.b": ["x"]}, {"a": {"b": "y"}}, False),
        ({"a.b": ["x"]}, {"a": {"b": "y"}, "a.b": "x"}, True),
        # Arrays: any element.
        ({"a": ["x", "y"]}, {"a": ["z", "y"]}, True),
        ({"a": ["x", "y"]}, {"a": ["z"]}, False),
        ({"a": ["x"]}, {"a": [["z", ["x"]]]}, True),
        ({"a": ["x"]}, {"a": []}, False),
        ({"a": [None]}, {"a": []}, False),
        ({"a": ["x"]}, {"a": [{"b": "x"}]}, False),
        ({"a": {"b": ["x"]}}, {"a": [{"b": "y"}, {"c": 1}, {"b": "x"}]}, True),
        ({"a": {"b": ["x"]}}, {"a": [[{"b": "x"}]]}, True),
        ({"a": {"b": ["x"], "c": ["y"]}}, {"a": [{"b": "x"}, {"c": "y"}]}, True),
        # Types: null, true and false, "", numbers and strings are not each other.
        ({"a": [None]}, {"a": None}, True),
        ({"a": [None]}, {"a": ""}, False),
        ({"a": [None]}, {}, False),
        ({"a": [""]}, {"a": ""}, True),
        ({"a": [""]}, {"a": None}, False),
        ({"a": [True]}, {"a": True}, True),
        ({"a": [True]}, {"a": 1}, False),
        ({"a": [1]}, {"a": True}, False),
        ({"a": [False]}, {"a": 0}, False),
        ({"a": [0]}, {"a": False}, False),
        ({"a": ["1"]}, {"a": 1}, False),
        ({"a": [1]}, {"a": "1"}, False),
        ({"a": ["true"]}, {"a": True}, False),
        # Numbers are compared as numbers.
        ({"a": [300]}, {"a": 300.0}, True),
        ({"a": [3.018e2]}, {"a": 301.8}, True),
        ({"a": [-0.5]}, {"a": -5e-1}, True),
        ({"a": [123456789012]}, {"a": 123456789012}, True),
        ({"a": [123456789012]}, {"a": 123456789013}, False),
        # Prefix and suffix are for strings.
        ({"a": [{"prefix": "us-"}]}, {"a": "us-east-1"}, True),
        ({"a": [{"prefix": "us-"}]}, {"a": "eu-west-1"}, False),
        ({"a": [{"prefix": ""}]}, {"a": ""}, True),
        ({"a": [{"prefix": ""}]}, {"a": 1}, False),
        ({"a": [{"prefix": "1"}]}, {"a": 12}, False),
        ({"a": [{"suffix": ".png"}]}, {"a": "a.png"}, True),
        ({"a": [{"suffix": ".png"}]}, {"a": "a.png.gz"}, False),
        ({"a": [{"suffix": ".png"}]}, {"a": ".PNG"}, False),
        ({"a": [{"suffix": "l"}]}, {"a": None}, False),
        ({"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"a": "eventbridge"}, True),
        ({"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}, {"a": "event"}, False),
        ({"a": [{"suffix": {"equals-ignore-case": ".Png"}}]}, {"a": "A.pNG"}, True),
        ({"a": [{"suffix": {"equals-ignore-case": ".Png"}}]}, {"a": "A.jpg"}, False),
        ({"a": [{"equals-ignore-case": "alice"}]}, {"a": "ALICE"}, True),
        ({"a": [{"equals-ignore-case": "alice"}]}, {"a": "alices"}, False),
        ({"a": [{"equals-ignore-case": ""}]}, {"a": ""}, True),
        ({"a": [{"equals-ignore-case": ""}]}, {"a": " "}, False),
        # Anything but: any value of any type, but a value.
        ({"a": [{"anything-but": "x"}]}, {"a": "y"}, True),
        ({"a": [{"anything-but": "x"}]}, {"a": "x"}, False),
        ({"a": [{"anything-but": "x"}]}, {"a": None}, True),
        ({"a": [{"anything-but": "x"}]}, {"a": 1}, True),
        ({"a": [{"anything-but": "x"}]}, {}, False),
        ({"a": [{"anything-but": "x"}]}, {"a": ["x", "y"]}, True),
        ({"a": [{"anything-but": ["x", "y"]}]}, {"a": "y"}, False),
        ({"a": [{"anything-but": ["x", "y"]}]}, {"a": None}, True),
        ({"a": [{"anything-but": 123}]}, {"a": 123}, False),
        ({"a": [{"anything-but": 123}]}, {"a": 0}, True),
        ({"a": [{"anything-but": [100, 200]}]}, {"a": 200.0}, False),
        ({"a": [{"anything-but": [100, 200]}]}, {"a": "200"}, True),
        ({"a": [{"anything-but": {"prefix": "init"}}]}, {"a": "initializing"}, False),
        ({"a": [{"anything-but": {"prefix": "init"}}]}, {"a": 123}, True),
        ({"a": [{"anything-but": {"prefix": "init"}}]}, {"a": None}, True),
        ({"a": [{"anything-but": {"prefix": ["init", "term"]}}]}, {"a": "terminated"}, False),
        ({"a": [{"anything-but": {"prefix": ["init", "term"]}}]}, {}, False),
        ({"a": [{"anything-but": {"suffix": ".txt"}}]}, {"a": "a.txt"}, False),
        ({"a": [{"anything-but": {"suffix": ".txt"}}]}, {"a": "a.csv"}, True),
        ({"a": [{"anything-but": {"suffix": [".txt", ".rtf"]}}]}, {"a": "a.rtf"}, False),
        ({"a": [{"anything-but": {"equals-ignore-case": "init"}}]}, {"a": "INIT"}, False),
        ({"a": [{"anything-but": {"equals-ignore-case": ["init", "stop"]}}]}, {"a": "Stop"}, False),
        ({"a": [{"anything-but": {"equals-ignore-case": ["init", "stop"]}}]}, {"a": "run"}, True),
        ({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"a": "usr/lib/x"}, False),
        ({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"a": "usr/bin/x"}, True),
        ({"a": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}, {"a": "usr/bin/x"}, False),
        ({"a": [{"anything-but": {"wildcard": "1*"}}]}, {"a": 12}, True),
        # Numeric ranges.
        ({"a": [{"numeric": ["=", 5]}]}, {"a": 5.0}, True),
        ({"a": [{"numeric": ["=", 5]}]}, {"a": "5"}, False),
        ({"a": [{"numeric": ["=", 0]}]}, {"a": None}, False),
        ({"a": [{"numeric": ["=", 1]}]}, {"a": True}, False),
        ({"a": [{"numeric": ["<", 10]}]}, {"a": 10}, False),
        ({"a": [{"numeric": ["<=", 10]}]}, {"a": 10}, True),
        ({"a": [{"numeric": [">", 10]}]}, {"a": 10}, False),
        ({"a": [{"numeric": [">", 10]}]}, {"a": 10.000001}, True),
        ({"a": [{"numeric": [">=", 10]}]}, {"a": 10}, True),
        ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
        ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 0}, False),
        ({"a": [{"numeric": [">=", 0, "<", 5]}]}, {"a": 0}, True),
        ({"a": [{"numeric": [">=", 0, "<", 5]}]}, {"a": 5}, False),
        ({"a": [{"numeric": [">", 100]}]}, {"a": 5e9}, True),
        ({"a": [{"numeric": [">", 100]}]}, {"a": 6e9}, False),
        ({"a": [{"numeric": ["<", -4.5]}]}, {"a": [3, -5]}, True),
        # Addresses, in whatever form.
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.255"}, True),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.1.255"}, False),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "ten"}, False),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": 10}, False),
        ({"a": [{"cidr": "10.0.0.8/24"}]}, {"a": "10.0.0.7"}, False),
        ({"a": [{"cidr": "0.0.0.0/0"}]}, {"a": "::1"}, False),
        ({"a": [{"cidr": "2001:db8:1234:1a00::/56"}]}, {"a": "2001:0db8:1234:1aff:0000:0000:0000:0000"}, True),
        ({"a": [{"cidr": "2001:db8:1234:1a00::/56"}]}, {"a": "2001:db8:1234:1b00::"}, False),
        ({"a": ["::1"]}, {"a": "0:0:0:0:0:0:0:1"}, True),
        ({"a": ["10.0.0.1"]}, {"a": "10.0.0.1"}, True),
        ({"a": ["10.0.0.1"]}, {"a": "10.0.0.2"}, False),
        ({"a": ["999.0.0.1"]}, {"a": "999.0.0.1"}, True),
        # Exists is for leaves.
        ({"a": [{"exists": True}]}, {"a": None}, True),
        ({"a": [{"exists": True}]}, {}, False),
        ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
        ({"a": [{"exists": True}]}, {"a": []}, False),
        ({"a": [{"exists": False}]}, {"a": []}, True),
        ({"a": [{"exists": False}]}, {"a": {"b": 1}}, True),
        ({"a": [{"exists": False}]}, {"a": ""}, False),
        ({"a": {"b": [{"exists": False}]}}, {"c": 1}, True),
        ({"a": {"b": [{"exists": True}]}}, {"a": [{"c": 1}, {"b": 1}]}, True),
        ({"a": {"b": [{"exists": False}]}}, {"a": [{"c": 1}, {"b": 1}]}, False),
        ({"a": [{"exists": True}, {"prefix": "other"}]}, {"a": "value"}, True),
        ({"a": [{"anything-but": ["rose"]}, {"exists": False}]}, {"b": 1}, True),
        ({"a": [{"anything-but": ["rose"]}, {"exists": False}]}, {"a": "rose"}, False),
        # Wildcards.
        ({"a": [{"wildcard": "*.png"}]}, {"a": "a.png"}, True),
        ({"a": [{"wildcard": "*.png"}]}, {"a": ".png"}, True),
        ({"a": [{"wildcard": "*.png"}]}, {"a": "a.png.gz"}, False),
        ({"a": [{"wildcard": "*Title*"}]}, {"a": "My Title Here"}, True),
        ({"a": [{"wildcard": "*Title*"}]}, {"a": "title"}, False),
        ({"a": [{"wildcard": "*.error.*"}]}, {"a": "shopping.cart.error.timeout"}, True),
        ({"a": [{"wildcard": "*.error.*"}]}, {"a": "shopping.cart.error"}, False),
        ({"a": [{"wildcard": "a*a"}]}, {"a": "a"}, False),
        ({"a": [{"wildcard": "a*a"}]}, {"a": "aa"}, True),
        ({"a": [{"wildcard": "a*b*c"}]}, {"a": "abxbc"}, True),
        ({"a": [{"wildcard": "a*b*c"}]}, {"a": "acb"}, False),
        ({"a": [{"wildcard": "*"}]}, {"a": ""}, True),
        ({"a": [{"wildcard": "*"}]}, {"a": 1}, False),
        ({"a": [{"wildcard": ""}]}, {"a": ""}, True),
        ({"a": [{"wildcard": "a\\*\\\\*"}]}, {"a": "a*\\b"}, True),
        ({"a": [{"wildcard": "a\\*"}]}, {"a": "ab"}, False),
        (S3, s3_event("2023-10-01/T13:22:22Z/XYZ/filename.ext"), True),
        (S3, s3_event("2023-10-01/XYZ/"), True),
        (S3, s3_event("2023-10-01/T13:22:22Z/ABC/filename.ext"), False),
        (S3, s3_event("XYZ/filename.ext"), False),
        # Together.
        (COMPLEX, complex_event(), True),
        (COMPLEX, complex_event(state="initializing"), False),
        (COMPLEX, complex_event(**{"c-count": 6}), False),
        (COMPLEX, complex_event(**{"x-limit": 200}), False),
        (COMPLEX, {**complex_event(), "time": "2018-01-01T00:00:00Z"}, False),
        # Alternatives of whole objects.
        (EITHER, {"source": "aws.cloudwatch", "metricName": "ReadLatency"}, True),
        (EITHER, {"source": "aws.cloudwatch", "scope": "Service"}, True),
        (EITHER, {"source": "aws.ec2", "scope": "Service"}, False),
        (EITHER, {"source": "aws.cloudwatch", "metricType": "MetricType", "namespace": "AWS/EC2"}, False),
        (
            EITHER,
            {"source": "aws.cloudwatch", "metricType": "MetricType", "namespace": "AWS/EC2", "spaceId": 1000},
            True,
        ),
        ({"a": {"$or": [{"b": [1]}, {"c": [2]}]}}, {"a": {"c": 2}}, True),
        ({"a": {"$or": [{"b": [1]}, {"c": [2]}]}}, {"c": 2}, False),
        ({"$or": [{"a": [1]}, {"b": [1]}], "c": [1]}, {"b": 1, "c": 1}, True),
        ({"$or": [{"a": [1]}, {"b": [1]}], "c": [1]}, {"b": 1, "c": 2}, False),
        # A field that is named again in an alternative is the alternative's.
        ({"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}, {"a": 2}, True),
        # $or that is no list of two objects is a field.
        ({"$or": {"a": [1]}}, {"$or": {"a": 1}}, True),
        ({"$or": ["x"]}, {"$or": "x"}, True),
        ({"$or": [{"prefix": "x"}, {"suffix": "y"}]}, {"$or": "xa"}, True),
    ],
)
def test_pattern(pattern: dict[str, Any], event: dict[str, Any], matches: bool) -> None:
    assert patterns.compile(pattern).matches(event) is matches


def test_of_a_field_given_twice_the_last_counts() -> None:
    compiled = patterns.compile('{"a": [1], "a": [2]}')

    assert (compiled.matches({"a": 1}), compiled.matches({"a": 2})) == (False, True)


def test_what_follows_a_pattern_is_not_read() -> None:
    assert patterns.compile(' {"a" :\t[ 1 ,\n2 ] } behind').matches({"a": 2})


def test_the_fields_of_a_pattern_are_those_of_all_alternatives() -> None:
    compiled = patterns.compile({"$or": [{"a": [1], "b": {"c": [2]}}, {"d": [1], "e": [2], "f": [3]}]})

    assert compiled.paths() == {"a", "b.c", "d", "e", "f"}


def test_deep_events_and_long_paths_are_borne() -> None:
    value: Any = "x"
    for _ in range(900):
        value = [value]
    nested: Any = ["x"]
    for _ in range(190):
        nested = {"a": nested}

    assert patterns.compile({"a": ["x"]}).matches({"a": value})
    assert not patterns.compile({".".join("a" * 1000): ["x"]}).matches({"a": {"a": 1}})
    assert not patterns.compile(nested).matches({"a": {"a": 1}})
