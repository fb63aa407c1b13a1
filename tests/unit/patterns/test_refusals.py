"""Patterns that are refused, in EventBridge's words. Those with a column were recorded there."""

from __future__ import annotations

import pytest

from cumulet import patterns

BUT_CASE = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
EXPECTED = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
ONE_OBJECT = "There must have at least 2 Objects in $or relationship."


@pytest.mark.parametrize(
    ("text", "reason", "column", "path"),
    [
        ('{"int": 42}', '"int" must be an object or an array', 11, "int"),
        ('{"string": "my-value"}', '"string" must be an object or an array', 13, "string"),
        ('{"resources": []}', "Empty arrays are not allowed", 17, "resources"),
        ('{"my_key": [{"EXISTS": true}]}', "Unrecognized match type EXISTS", 28, "my_key"),
        (
            '{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}',
            "Unrecognized match type NUMERIC",
            36,
            "detail.equal",
        ),
        (
            '{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}',
            "Bad numeric range operator: >",
            49,
            "detail.c-count",
        ),
        (
            '{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}',
            "Value of < must be numeric",
            50,
            "detail.c-count",
        ),
        (
            '{"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:**:event-bus/*"}]}',
            "Consecutive wildcard characters at pos 26",
            72,
            "EventBusArn",
        ),
        (
            '{"detail-type": [{"equals-ignore-case": ["ec2 instance state-change notification"]}]}',
            "equals-ignore-case match pattern must be a string",
            42,
            "detail-type",
        ),
        (
            '{"detail-type": [{"equals-ignore-case": {"prefix": "ec2"}}]}',
            "equals-ignore-case match pattern must be a string",
            42,
            "detail-type",
        ),
        ('{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}', BUT_CASE, 66, "detail.state"),
        ('{"EventBusArn": [{"wildcard": 123}]}', "wildcard match pattern must be a string", 34, "EventBusArn"),
        (
            '{"detail": {"FileName": [{"anything-but": {"suffix": 123}}]}}',
            "prefix/suffix match pattern must be a string",
            57,
            "detail.FileName",
        ),
        (
            '{"detail": {"FileName": [{"anything-but": {"prefix": {"equals-ignore-case": "file"}}}]}}',
            "Value of anything-but must be an array or single string/number value.",
            55,
            "detail.FileName",
        ),
        ('{"time": [{"prefix": ["2022-07-13"]}]}', "prefix match pattern must be a string", 23, "time"),
        ('{"time": [{"prefix": 123}]}', "prefix match pattern must be a string", 25, "time"),
        ('{"FileName": [{"suffix": 123}]}', "suffix match pattern must be a string", 29, "FileName"),
        (
            '{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}',
            "prefix match pattern must be a string",
            43,
            "detail.sourceIPAddress",
        ),
        ("this is valid json but not a dict", f"Unrecognized token 'this': was expecting {EXPECTED}", 5, ""),
        ('{"not": closed mark"', f"Unrecognized token 'closed': was expecting {EXPECTED}", 15, ""),
        (
            "{'bad': 'quotation'}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
            2,
            "",
        ),
        ('["not", "a", "dict", "but valid json"]', "Filter is not an object", 2, ""),
    ],
)
def test_a_refusal_gives_the_reason_and_the_place(text: str, reason: str, column: int, path: str) -> None:
    with pytest.raises(patterns.PatternError) as caught:
        patterns.compile(text)

    assert caught.value.reason == f'{reason}\n at [Source: (String)"{text}"; line: 1, column: {column}]'
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": [{"cidr": "bad"}]}', "Malformed CIDR, one '/' required"),
        ('{"a": [{"cidr": "10.0.0.0/xx"}]}', "Malformed CIDR, mask bits must be an integer"),
        ('{"a": [{"cidr": "10.0.0.0/-1"}]}', "Malformed CIDR, mask bits must not be negative"),
        ('{"a": [{"cidr": "xx.11.xx/8"}]}', "Nonstandard IP address: xx.11.xx"),
        ('{"a": [{"cidr": "xxxx:db8:1234:1a00::/24"}]}', "Nonstandard IP address: xxxx:db8:1234:1a00::"),
        ('{"a": [{"cidr": "999.0.0.0/8"}]}', "Invalid IP address: 999.0.0.0"),
        ('{"a": [{"cidr": "10.0.0.0/32"}]}', "IPv4 mask bits must be < 32"),
        ('{"a": [{"cidr": "::1/128"}]}', "IPv6 mask bits must be < 128"),
        ('{"a": [{"anything-but": 6e9}]}', "Value must be between -5.0E9 and 5.0E9, inclusive"),
        (
            '{"EventBusArn": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}',
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
            "wildcard character",
        ),
    ],
)
def test_some_refusals_have_no_place(text: str, reason: str) -> None:
    with pytest.raises(patterns.PatternError) as caught:
        patterns.compile(text)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Filter is not an object"),
        ("null", "Filter is not an object"),
        ('"a"', "Filter is not an object"),
        ("{}", "Empty objects are not allowed"),
        ('{"a": {}}', "Empty objects are not allowed"),
        ('{"a": null}', '"a" must be an object or an array'),
        ('{"a": [[1]]}', "Match value must be String, number, true, false, or null"),
        ('{"a": [{}]}', "Match expression name not found"),
        ('{"a": [{"prefix": "a", "suffix": "b"}]}', "Only one key allowed in match expression"),
        ('{"a": [{"prefix": {}}]}', "Prefix expression name not found"),
        ('{"a": [{"suffix": {"prefix": "a"}}]}', "Unsupported suffix pattern: prefix"),
        ('{"a": [{"exists": 1}]}', "exists match pattern must be either true or false."),
        ('{"a": [{"exists": true, "prefix": "a"}]}', "Only one key allowed in match expression"),
        ('{"a": [{"numeric": "="}]}', "Value of numeric must be an array."),
        ('{"a": [{"numeric": []}]}', "Invalid member in numeric match: ]"),
        ('{"a": [{"numeric": [5]}]}', "Invalid member in numeric match: 5"),
        ('{"a": [{"numeric": ["!=", 5]}]}', "Unrecognized numeric range operator: !="),
        ('{"a": [{"numeric": ["=", "5"]}]}', "Value of equals must be numeric"),
        ('{"a": [{"numeric": ["=", 5, 6]}]}', "Too many elements in numeric expression"),
        ('{"a": [{"numeric": ["<", 5, ">", 1]}]}', "Too many elements in numeric expression"),
        ('{"a": [{"numeric": [">", 1, 5]}]}', "Bad value in numeric range: 5"),
        ('{"a": [{"numeric": [">", 1, "<", 5, 6]}]}', "Too many terms in numeric range expression"),
        ('{"a": [{"numeric": [">", 5, "<", 5]}]}', "Bottom must be less than top"),
        ('{"a": [{"numeric": [">", 6e9]}]}', "Value must be between -5.0E9 and 5.0E9, inclusive"),
        ('{"a": [{"anything-but": []}]}', "Inside anything but list, either all values are number or string, mixed"),
        (
            '{"a": [{"anything-but": [1, "a"]}]}',
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ),
        ('{"a": [{"anything-but": [null]}]}', "Inside anything but list, start|null|boolean is not supported."),
        ('{"a": [{"anything-but": true}]}', "Value of anything-but must be an array or single string/number value."),
        ('{"a": [{"anything-but": {}}]}', "Anything-But expression name not found"),
        ('{"a": [{"anything-but": {"numeric": ["=", 5]}}]}', "Unsupported anything-but pattern: numeric"),
        ('{"a": [{"anything-but": {"prefix": ""}}]}', "Null prefix/suffix not allowed"),
        ('{"a": [{"anything-but": {"suffix": [""]}}]}', "Null prefix/suffix not allowed"),
        ('{"a": [{"anything-but": {"prefix": "a", "suffix": "b"}}]}', "Too many elements in numeric expression"),
        ('{"a": [{"wildcard": "a\\\\b"}]}', "Invalid escape character at pos 2"),
        ('{"a": [{"wildcard": "\\u00e9**"}]}', "Consecutive wildcard characters at pos 3"),
        ('{"$or": [{"a": ["x"]}]}', ONE_OBJECT),
        ('{"$or": 1}', "It must be an Array followed with $or."),
        ('{"$or": [{"a": [1]}, 2]}', "Only JSON object is allowed in array of $or relationship."),
        ('{"$or": [{"a": [1]}, {"b": 2}]}', '"b" must be an object or an array'),
        (
            '{"$or": [{"a": [1]}, {"prefix": [2]}]}',
            "prefix is Ruler reserved fieldName which cannot be used inside $or.",
        ),
        ("{", "Unexpected end-of-input: expected close marker for Object"),
        ('{"a": [1', "Unexpected end-of-input: expected close marker for Array"),
        ('{"a": [1,', "Unexpected end-of-input: expected close marker for Array"),
        ('{"a"', "Unexpected end-of-input: expected close marker for Object"),
        ('{"a": ["x', "Unexpected end-of-input: was expecting closing quote for a string value"),
        ('{"a": ["\\q"]}', "Unexpected end-of-input: was expecting closing quote for a string value"),
        ('{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value"),
        ('{"a": [1 2]}', "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries"),
        (
            '{"a": [1] "b": [2]}',
            "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries",
        ),
        ('{"a": [+1]}', "Unexpected character ('+' (code 43)): expected a valid value"),
    ],
)
def test_refusal(text: str, reason: str) -> None:
    with pytest.raises(patterns.PatternError) as caught:
        patterns.compile(text)

    assert caught.value.reason.startswith(reason)


def test_the_place_of_an_error_in_a_list_of_anything_but_is_told_twice() -> None:
    text = '{"detail": {"state": [{"anything-but": {"equals-ignore-case": [123, 456]}}]}}'

    with pytest.raises(patterns.PatternError) as caught:
        patterns.compile(text)

    place = f'\n at [Source: (String)"{text}"; line: 1, column: 67]'
    assert caught.value.reason == BUT_CASE + place + place


def test_the_place_is_counted_in_lines_and_long_texts_are_cut() -> None:
    text = '{"a": [1],\r\n"b": [' + " " * 600 + "[]]}"

    with pytest.raises(patterns.PatternError) as caught:
        patterns.compile(text)

    assert caught.value.reason.endswith('"[truncated 122 chars]; line: 2, column: 608]')


def test_what_is_nested_too_deep_is_refused() -> None:
    with pytest.raises(patterns.PatternError, match="nesting depth"):
        patterns.compile('{"a":' * 2000)


def test_alternatives_do_not_multiply_without_end() -> None:
    pattern = {str(number): {"$or": [{"a": [1]}, {"b": [1]}]} for number in range(12)}

    with pytest.raises(patterns.PatternError, match="Rule is too complex"):
        patterns.compile(pattern)


@pytest.mark.parametrize(
    "wildcard",
    [
        "/Users/*/doc.txt",
        "/Users/*/dir/dir/dir/dir/dir/doc.txt",
        "arn:aws:events:us-east-1:*:event-bus/*",
        "arn:aws:sts::123456789012:assumed-role/*/*",
    ],
)
def test_wildcards_of_the_guide_are_not_too_complex(wildcard: str) -> None:
    patterns.compile({"a": [{"wildcard": wildcard}]})
