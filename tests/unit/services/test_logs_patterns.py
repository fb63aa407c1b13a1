"""Filter patterns: AWS's documented examples, what is refused and how, and that no pattern takes long."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cumulet.services.logs.errors import InvalidParameterException
from cumulet.services.logs.patterns import compiled
from cumulet.services.logs.patterns.fields import split

ERROR_LINES = [
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 420] INVALID ARGUMENTS",
    "[INFO] REQUEST FAILED",
    "Exiting with ERRORCODE: -1",
    "[error 400] bad request",
]


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("", [0, 1, 2, 3, 4, 5, 6]),
        ("  ", [0, 1, 2, 3, 4, 5, 6]),
        ('" "', [0, 1, 2, 3, 4, 5, 6]),
        ("ERROR", [0, 1, 2, 3, 5]),
        (" ERROR ", [0, 1, 2, 3, 5]),
        ("error", [6]),
        ("ERROR ARGUMENTS", [2, 3]),
        ("ARGUMENTS\tERROR", [2, 3]),
        ("?ERROR ?ARGUMENTS", [0, 1, 2, 3, 5]),
        ("?MISSING ?INFO", [2, 4]),
        ("?MISSING", [2]),
        # Combined with other terms, optional ones are ignored.
        ("?MISSING ?INVALID REQUEST", [0, 1, 4]),
        ("?MISSING -ERROR", [4, 6]),
        ('"BAD REQUEST"', [0]),
        ('"REQUEST BAD"', []),
        ("ERROR -ARGUMENTS", [0, 1, 5]),
        ("-ERROR", [4, 6]),
        ('-"ERROR 4"', [4, 5, 6]),
        ('-ERROR -"[INFO]"', [6]),
        ('?"[INFO]" ?"ERRORCODE: -1"', [4, 5]),
        ("400", [0, 6]),
        ("%AUTHORIZED%", [1]),
        ("%[Ee]rror%", [6]),
        (r"%^\[ERROR 4\d{2}\]%", [0, 1, 2, 3]),
        ("%REQUEST$%", [0, 1]),
        ("%BAD|INFO%", [0, 4]),
        ("%BAD REQUEST%", [0]),
        ("?%BAD% ?INFO", [0, 4]),
        ("ERROR -%4[12]%", [0, 1, 5]),
    ],
)
def test_terms(pattern: str, taken: list[int]) -> None:
    assert [number for number, line in enumerate(ERROR_LINES) if compiled(pattern).matches(line)] == taken


@pytest.mark.parametrize(
    ("pattern", "message", "is_taken"),
    [
        (r'"say \"hi\""', 'you say "hi" there', True),
        (r'"say \"hi\""', "you say hi there", False),
        (r'"back\\slash"', r"back\slash", True),
        (r'"C:\dir"', r"C:\dir", True),
        (r'?"\"level\":\"ERROR\""', '{"level":"ERROR"}', True),
        ('"ünïcode ✓"', "some ünïcode ✓ text", True),
        ('"{"', "a { b", True),
        ('"[ERROR]" Exception', "02 May 2014 00:34:16,142 [ERROR] Unhanded exception: InvalidQueryException", True),
        ('"[ERROR]" Exception', "02 May 2014 00:34:16,224 [ERROR] Terminating the application", False),
    ],
)
def test_phrases(pattern: str, message: str, is_taken: bool) -> None:
    assert compiled(pattern).matches(message) == is_taken


@pytest.mark.parametrize(
    ("body", "taken", "passed"),
    [
        ("^[hc]at", ["hat", "cat on"], ["a cat", "bat"]),
        ("[hc]at$", ["that", "a cat", "cat\n"], ["cats", "cat\nx"]),
        ("colou?r", ["color", "colour"], ["colouur"]),
        ("[abcx-z]", ["y", "b"], ["d"]),
        ("^a{3,5}$", ["aaa", "aaaaa"], ["aa", "aaaaaa"]),
        ("^a{,2}$", ["", "aa"], ["aaa"]),
        ("^a{2,}$", ["aa", "aaaa"], ["a"]),
        ("^starting|^shutting down", ["starting it", "shutting down now"], ["not starting"]),
        (r"\[.\]", ["[a]", "[]]", "[ ]"], ["[]"]),
        (r"10\.10\.0\.1", ["at 10.10.0.1"], ["10010,051"]),
        ("ab*c", ["ac", "abbbc"], ["adc"]),
        ("ab+c", ["abc"], ["ac"]),
        (r"^\d\D\s\S\w\W$", ["1a\tb_!"], ["aa bb!"]),
        (r"\x3A\x28", ["a:(b"], ["a:b"]),
        ("/service/[0-9]+$", ["GET /service/67"], ["GET /service/67/part"]),
    ],
)
def test_regular_expressions(body: str, taken: list[str], passed: list[str]) -> None:
    pattern = compiled(f"%{body}%")

    assert [line for line in (*taken, *passed) if pattern.matches(line)] == taken


EVENT: dict[str, Any] = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "ThisFlag": True,
    "ThatFlag": False,
    "cluster.name": "c",
    "detail-type": "d",
    "user": {"id": 1, "email": "John.Stiles@example.com"},
    "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
    "actions": ["GET", "PUT", "DELETE"],
    "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    "latency": 50.5,
    "count": 1000,
    "digits": "1000",
    "negative": -7,
    "empty": "",
    "number": [1000, 0.001],
    "middle": "Ev*ent",
}


@pytest.mark.parametrize(
    "condition",
    [
        '$.eventType = "UpdateTrail"',
        "$.eventType=UpdateTrail",
        '$.eventType = "*"',
        "$.eventType = *",
        "$.eventType = *Trail",
        "$.eventType = Update*",
        '$.eventType = "*date*"',
        "$.eventType = %Trail%",
        "$.sourceIPAddress != 123.123.*",
        '$.arrayKey[0] = "value"',
        "$.arrayKey[*] = %val.{2}%",
        '$.arrayKey[*] = "another value"',
        r"$.* = %111\.111\.111\.1[0-9]{1,2}%",
        "$.objectList[1].id = 2",
        "$.objectList[*].id > 1",
        "$.SomeObject IS NULL",
        "$.ThisFlag IS TRUE",
        "$.ThatFlag IS FALSE",
        "$.SomeOtherObject NOT EXISTS",
        "$.user.phone NOT EXISTS",
        "$.users[7].id NOT EXISTS",
        "$.['cluster.name'] = \"c\"",
        "$['cluster.name'] = c",
        '$["cluster.name"] = c',
        '$.["cluster.name"] = c',
        "$.detail-type = d",
        '($.user.id = 1) && ($.users[0].email = "John.Doe@example.com")',
        '$.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch"',
        "$.coordinates[1][2] = 6",
        "((($.user.id = 1)))",
        "$.latency >= 50.5",
        "$.latency < 51",
        "$.latency > +5e1",
        "$.latency != 50",
        "$.count = 1e+3",
        "$.count = 1000.0",
        "$.count = 10*",
        '$.count = "1000"',
        "$.count != 1e-3",
        "$.number[0] = 1e+3",
        "$.number[1] = 1e-3",
        "$.digits = 1000",
        "$.digits >= 1000",
        "$.negative < -6",
        "$.negative = -7",
        '$.empty = ""',
        "$.empty = *",
        # An asterisk in the middle stands for itself.
        '$.middle = "Ev*ent"',
        '$.actions[1] = "P*" && $.eventType != "P*"',
    ],
)
def test_json_condition_is_fulfilled(condition: str) -> None:
    assert compiled(f"{{ {condition} }}").matches(json.dumps(EVENT))
    assert compiled(f"{{{condition}}}").matches(json.dumps(EVENT, indent=2) + "\n")


@pytest.mark.parametrize(
    "condition",
    [
        '$.eventType = "updatetrail"',
        '$.eventType = "Update"',
        "$.eventType = Trail*",
        "$.eventType = %^Trail%",
        "$.eventType > 3",
        "$.sourceIPAddress = 123.123.*",
        "$.arrayKey[1] = value",
        "$.arrayKey[2] = value",
        # What is no string or number fulfils no comparison.
        "$.arrayKey = value",
        "$.arrayKey != value",
        "$.user != x",
        "$.missing != x",
        "$.missing = *",
        "$.SomeObject != x",
        "$.SomeObject = *",
        "$.SomeObject NOT EXISTS",
        "$.missing IS NULL",
        "$.ThisFlag = true",
        "$.ThisFlag IS FALSE",
        "$.ThatFlag IS NULL",
        "$.ThatFlag = 0",
        "$.eventType[0] = U",
        "$.eventType.length = 11",
        "$.arrayKey.value = 1",
        "$.user[0] = 1",
        '($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch"',
        '($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET"',
        "$.latency > 50.5",
        "$.count = 1000.1",
        "$.middle = Ev*ent2",
        '$.eventType = "Upd*ail"',
        '$.empty != ""',
    ],
)
def test_json_condition_is_not_fulfilled(condition: str) -> None:
    assert not compiled(f"{{ {condition} }}").matches(json.dumps(EVENT))


@pytest.mark.parametrize(
    "message", ["", "text", "{", "{}", "[]", "null", "3", '"text"', '{"a": }', "{" * 5000, "\ud800"]
)
def test_json_pattern_passes_over_other_messages(message: str) -> None:
    assert not compiled("{ $.a = 1 }").matches(message)


def test_json_pattern_reads_an_array() -> None:
    assert compiled("{ $[1].id = 2 }").matches('[{"id": 1}, {"id": 2}]')


LINES = [
    '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534',
    '127.0.0.1 - frank [10/Oct/2000:13:35:22 -0700] "GET /about-us/index.html HTTP/1.0" 200 5324',
    '127.0.0.7 - frank [10/Oct/2000:13:50:35 -0700] "GET /apache_pb.gif HTTP/1.0" 404 4355',
    "ERROR WARN message",
    "ERROR message",
    "WARNING 09/25/2014 12:00:02 Invalid user request",
]


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("[]", [0, 1, 2, 3, 4, 5]),
        ("[...]", [0, 1, 2, 3, 4, 5]),
        ("[ip, user, username, timestamp, request, status_code, bytes]", [0, 1, 2]),
        ("[ip, user, username, timestamp, request, status_code, bytes > 1534]", [1, 2]),
        ("[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]", [0, 2]),
        ("[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]", [0]),
        (r"[ip=%127\.0\.0\.[1-6]%, user, username, timestamp, request, status_code, bytes]", [0, 1]),
        ('[ip, user!="-", ..., status=404, bytes]', [0]),
        ("[..., status_code=200, size]", [1]),
        ("[..., request=*.html*, status_code=4*,]", [0]),
        ('[..., request="GET*", status, size >= 4355]', [1, 2]),
        ("[ip=127.*, ...]", [0, 1, 2]),
        ("[..., bytes<2e3]", [0]),
        ("[w1=ERROR, w2]", [3, 4]),
        ("[w1=ERROR, w2=message]", [4]),
        ("[w1=ERROR]", []),
        ("[w1=ERROR || w1=%WARN%, w2]", [3, 4, 5]),
        ("[(w1=ERROR || w1=WARNING) && w1!=WARN*, ...]", [3, 4]),
        ("[w1!=ERROR && w1!=WARNING, w2]", [0, 1, 2]),
        ("[a, b, c, d, e, f, g, h]", []),
        ("[,,]", [0, 1, 2, 3, 5]),
    ],
)
def test_fields(pattern: str, taken: list[int]) -> None:
    assert [number for number, line in enumerate(LINES) if compiled(pattern).matches(line)] == taken


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("", []),
        ("  \t\n ", []),
        ("a  b\tc\n", ["a", "b", "c"]),
        ('"a b" [c d] e', ["a b", "c d", "e"]),
        ('"" []', ["", ""]),
        ('k="a b"', ['k="a', 'b"']),
        ('[a "b] c"', ['a "b', 'c"']),
        ('a [b "c', ["a", "[b", '"c']),
        ('"a"b', ["a", "b"]),
        ("[a [b] c]", ["a [b", "c]"]),
        ("ünï ✓", ["ünï", "✓"]),
    ],
)
def test_message_is_split_into_fields(message: str, fields: list[str]) -> None:
    assert split(message) == fields


@pytest.mark.parametrize(
    ("pattern", "message", "values"),
    [
        (
            "[ip, identity, user_id, timestamp, request, status_code, size]",
            LINES[1],
            {
                "$ip": "127.0.0.1",
                "$identity": "-",
                "$user_id": "frank",
                "$timestamp": "10/Oct/2000:13:35:22 -0700",
                "$request": "GET /about-us/index.html HTTP/1.0",
                "$status_code": "200",
                "$size": "5324",
            },
        ),
        (
            "[..., request=*.html*, status_code=4*,]",
            LINES[0],
            {
                "$1": "127.0.0.1",
                "$2": "Prod",
                "$3": "frank",
                "$4": "10/Oct/2000:13:25:15 -0700",
                "$request": "GET /index.html HTTP/1.0",
                "$status_code": "404",
                "$7": "1534",
            },
        ),
        ("[]", "a b", {"$1": "a", "$2": "b"}),
        ("[w1, w2]", "a b c", {"$w1": "a", "$w2": "b", "$3": "c"}),
        ("[first, ..., last]", "a b c d", {"$first": "a", "$2": "b", "$3": "c", "$last": "d"}),
        ("[w1=x, ...]", "a b", None),
        ('"a b"', "a b", {}),
        ("c", "a b", None),
        ("{ $.a = * && ($.b.c > 1 || $.d = x) }", '{"a": "x", "b": {"c": 2.5}}', {"$.a": "x", "$.b.c": "2.5"}),
        ("{ $.list[1] = 2 && $.['a.b'] = c }", '{"list": [1, 2], "a.b": "c"}', {"$.list[1]": "2", "$['a.b']": "c"}),
        ("{ $.a IS TRUE }", '{"a": true}', {}),
        ("{ $.* = 1 }", '{"a": 1}', {}),
        ("{ $.a = 1 }", '{"a": 2}', None),
        ("{ $.a = 1 }", "text", None),
    ],
)
def test_extracted_values(pattern: str, message: str, values: dict[str, str] | None) -> None:
    assert compiled(pattern).extract(message) == values


INVALID = "Invalid filter pattern"


def bad_character(found: str) -> str:
    return f"Invalid character(s) in term '{found}'"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a:b", bad_character(":")),
        ("a, b", bad_character(",")),
        ("(a)", bad_character("(")),
        ("a-b", bad_character("-")),
        ("a*", bad_character("*")),
        ("ü", bad_character("ü")),
        ('a"b"', bad_character('"')),
        ('"a"b', bad_character("b")),
        ('""', bad_character('""')),
        ("?", INVALID),
        ("-", INVALID),
        ("a - b", INVALID),
        ('"a', INVALID),
        (r'"a\"', INVALID),
        ("%a", INVALID),
        ("%%", INVALID),
        ("%something!%", bad_character("!")),
        ("%(a)%", bad_character("(")),
        ("%ü%", bad_character("ü")),
        ("%[a%", INVALID),
        ("%*a%", INVALID),
        ("%a{2,1}%", INVALID),
        ("%a{9999}%", INVALID),
        (r"%\p%", INVALID),
        (r"%\b%", INVALID),
        (r"%a\%", INVALID),
        ("{", "If a filter pattern starts with '{' it must end with '}'"),
        ("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
        ("[", "If a filter pattern starts with '[' it must end with ']'"),
        ("[a, b", "If a filter pattern starts with '[' it must end with ']'"),
        ("{}", INVALID),
        ("{ a = 1 }", bad_character("a")),
        ('{ $."a-b" = 1 }', bad_character('$."')),
        ("{ $ = 1 }", INVALID),
        ("{ $. = 1 }", bad_character("$. ")),
        ("{ $.a }", INVALID),
        ("{ $.a = }", INVALID),
        ("{ $.a == 1 }", bad_character("=")),
        ("{ $.a = 'x' }", bad_character("'")),
        ("{ $.a = x y }", bad_character("y")),
        ("{ $.a = ü }", bad_character("ü")),
        ("{ $.a > x }", INVALID),
        ("{ $.a > 1* }", INVALID),
        ("{ $.a IS NOT NULL }", INVALID),
        ("{ $.a IS 3 }", INVALID),
        ("{ $.a EXISTS }", INVALID),
        ("{ $.a NOT }", INVALID),
        ("{ $.a is NULL }", bad_character("i")),
        ("{ $.a[x] = 1 }", INVALID),
        ("{ $.a[-1] = 1 }", INVALID),
        ("{ $.a[0 = 1 }", INVALID),
        ("{ $.a[9999999999] = 1 }", INVALID),
        ("{ $.a = 1 && }", INVALID),
        ("{ && $.a = 1 }", bad_character("&")),
        ("{ $.a = 1 & $.b = 1 }", bad_character("&")),
        ("{ ($.a = 1 }", INVALID),
        ("{ $.a = 1) }", bad_character(")")),
        ("{ () }", bad_character(")")),
        ("{ $.*[*] = 1 }", INVALID),
        ("{ $.* = 1 || $.a[*] = 1 || $.b[*] = 1 || $.c[*] = 1 }", INVALID),
        ("{ $.a = %a% || $.a = %b% || $.a = %c% }", INVALID),
        ("[a b]", bad_character("b")),
        ("[a = ]", INVALID),
        ("[a = 1 && b = 2]", INVALID),
        ("[a = 1 && = 2]", bad_character("=")),
        ("[= 1]", bad_character("=")),
        ("[(a]", INVALID),
        ("[a = !x]", bad_character("!")),
        ("[..., a, ...]", INVALID),
        ("[a = %x% || a = %y%, b = %z%]", INVALID),
        ("[status_code = 4* && bytes > 1000]", INVALID),
    ],
)
def test_bad_pattern_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(InvalidParameterException) as refused:
        compiled(pattern)

    assert refused.value.message == message


def test_deeply_nested_pattern_is_read() -> None:
    depth = 100

    pattern = compiled("{" + "($.a=1&&" * depth + "$.a=1" + ")" * depth + "}")

    assert pattern.matches('{"a": 1}')
    assert not pattern.matches('{"a": 2}')
    assert compiled("{" + "(" * 500 + "$.a=1" + ")" * 500 + "}").matches('{"a": 1}')


PIECES = st.sampled_from(
    [*"{}[]()$.,*?-%\"'\\=!<>&| \tab1", "&&", "||", "...", "IS", "NULL", "NOT", "EXISTS", "$.a", "ü"]
)


@given(pattern=st.lists(PIECES, max_size=40).map("".join), message=st.text(max_size=30))
def test_any_pattern_is_read_or_refused(pattern: str, message: str) -> None:
    try:
        found = compiled(pattern)
    except InvalidParameterException:
        return

    assert (found.extract(message) is not None) == found.matches(message)


WORDS = st.text("abAB_1", min_size=1, max_size=3)


@given(
    wanted=st.lists(WORDS, max_size=3),
    unwanted=st.lists(WORDS, max_size=3),
    optional=st.lists(WORDS, max_size=3),
    message=st.text("abAB_1 ", max_size=20),
)
def test_terms_mean_what_their_signs_say(
    wanted: list[str], unwanted: list[str], optional: list[str], message: str
) -> None:
    assume(wanted or unwanted or optional)
    expected = all(word in message for word in wanted) and not any(word in message for word in unwanted)
    if not wanted and not unwanted:
        expected = any(word in message for word in optional)

    pattern = " ".join([*wanted, *(f"-{word}" for word in unwanted), *(f"?{word}" for word in optional)])

    assert compiled(pattern).matches(message) == expected


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """Draw a condition in Python's words, which are those of a pattern but for `==`, `and` and `or`."""
    if depth == 0 or draw(st.booleans()):
        sign = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
        return f"{draw(st.sampled_from('abc'))} {sign} {draw(st.integers(-2, 2))}"
    parts = draw(st.lists(expressions(depth=depth - 1), min_size=1, max_size=3))
    joined = draw(st.sampled_from([" and ", " or "])).join(parts)
    return f"({joined})" if draw(st.booleans()) else joined


@given(expression=expressions(), values=st.fixed_dictionaries({name: st.integers(-2, 2) for name in "abc"}))
def test_expressions_mean_what_they_say(expression: str, values: dict[str, int]) -> None:
    pattern = re.sub(
        r"\b([abc])\b", r"$.\1", expression.replace("==", "=").replace(" and ", "&&").replace(" or ", "||")
    )

    assert compiled(f"{{{pattern}}}").matches(json.dumps(values)) == eval(expression, {}, values)


@given(words=st.lists(st.text('abc["/:', min_size=1, max_size=5).filter(lambda word: word[0] not in '["')))
def test_fields_come_back_as_they_were(words: list[str]) -> None:
    marked = [f'"{word}"' if number % 3 == 0 and '"' not in word else word for number, word in enumerate(words)]

    assert split("  ".join(marked)) == words


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("[a, b]", "[ " * 500_000),
        ("[a, b]", '" ' * 499_999 + '"'),
        ("[a=*b*, ...]", '["' * 500_000),
        ("%a*a*a*a*a*a*a*a*b%", "a" * 1_000_000),
        ("%[a-z]{1,500}[a-z]{1,500}!?$%".replace("!?", ""), "a" * 1_000_000),
        ("{ $.* = *b* }", "[" * 1_000_000),
        ("{ $.a[*] = *b* }", '{"a": [' + ",".join(['"' + "a" * 90 + '"'] * 10_000) + "]}"),
        ("{ $.a = 1 }", '{"a": ' + "9" * 1_000_000 + "}"),
        ("[a > 1, ...]", "9" * 1_000_000),
        ("-b ?c", "a" * 1_000_000),
    ],
)
def test_no_message_takes_long(pattern: str, message: str) -> None:
    compiled(pattern).matches(message)
