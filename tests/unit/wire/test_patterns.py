"""AWS's patterns on RE2: each compiles, and says what Java says."""

from __future__ import annotations

import re
import time

import pytest
from botocore.loaders import Loader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulet.wire.java_regex import split_conditions, translated
from cumulet.wire.model import description
from cumulet.wire.patterns import compiled, matcher

# Patterns that can't be said in RE2 at all and so accept everything: a quantifier on a quantifier.
ACCEPT_EVERYTHING = {r"^arn:\S+:rbin:[a-z\-0-9]{0,63}:[0-9]{12}:rule/[0-9a-zA-Z]{11}{0,1011}$"}
# Of all patterns of all services, at most this share is relaxed (nearly all of them repetitions beyond 1,000).
MAX_RELAXED = 0.04


def patterns_of(service: str) -> set[str]:
    shapes = description(service)["shapes"].values()
    return {shape["pattern"] for shape in shapes if "pattern" in shape}


def test_every_pattern_of_every_service_compiles() -> None:
    services = Loader().list_available_services("service-2")
    found = set().union(*map(patterns_of, services))
    assert len(found) > 4_000
    everything = {pattern for pattern in found if compiled(pattern).matches("\0\n\U0001f600 no pattern takes this")}
    relaxed = {pattern for pattern in found if not compiled(pattern).is_exact}
    assert relaxed.issuperset(ACCEPT_EVERYTHING)
    assert {p for p in everything if not re.search(r"\\[sSwWpP]|\[\^|\.|\\u|\(\?!", p)} <= ACCEPT_EVERYTHING
    assert len(relaxed) < MAX_RELAXED * len(found)


def _plain(pattern: str) -> bool:
    """Does Python's `re` read it as Java does, and hypothesis make texts for it?"""
    if re.search(r"\\[pPuZz]|\(\?|\[\[|&&|[*+?}]\+|\d{4}", pattern):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


SERVICES = ("sns", "lambda", "events", "dynamodb", "stepfunctions", "cloudformation", "iam", "kms")
PLAIN = sorted({p for service in SERVICES for p in patterns_of(service) if _plain(p)})


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PLAIN), st.data())
def test_what_python_matches_is_matched(pattern: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True) | st.text(max_size=20))
    assert compiled(pattern).matches(text) == bool(re.fullmatch(pattern, text, re.ASCII))


@pytest.mark.parametrize(
    ("pattern", "accepted", "refused"),
    [
        ("[a-z]+", ["abc"], ["", "abc1", "abc\n"]),
        ("^(?!aws:)[a-z:]+$", ["tag", "awss:"], ["aws:tag"]),
        ("^[0-9a-z.-]*(?<!\\.)$", ["a.b", ""], ["a."]),
        ("(?=.{3,5}$)[a-z]+", ["abc", "abcde"], ["ab", "abcdef"]),
        ("^(^(?!aws:).[\\p{L}]*)$", ["x", "éa"], ["aws:"]),
        ("[\\p{Alnum}_]+", ["a_1"], ["é", "-"]),
        ("[\\p{IsAlphabetic}]+", ["é"], ["1"]),
        ("\\p{ASCII}{0,8192}", ["a", ""], ["é"]),
        ("[\\u0009\\u000A\\u000D\\u0020-\\u00FF]*", ["a\té\n"], ["€"]),
        ("[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\t]*", ["😀 a"], ["\n"]),
        ("[a-z]++", ["ab"], ["1"]),
        ("(?>a|b)c", ["ac"], ["c"]),
        ("[\\w-/]+", ["a-/"], ["+"]),
        ("a(?![\\s\\S]).*", ["a"], ["ab"]),
        ("[a-z\\-]{1,2048}", ["a" * 2048], ["", "A"]),
    ],
)
def test_translation(pattern: str, accepted: list[str], refused: list[str]) -> None:
    matches = matcher(pattern)
    assert all(matches(text) for text in accepted)
    assert not any(matches(text) for text in refused)


def test_what_is_relaxed_accepts_more() -> None:
    inner = compiled("(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\\.)+")
    assert not inner.is_exact
    assert inner.matches("example.")
    assert inner.matches("-example.")
    assert not inner.matches("exam ple.")
    assert compiled("^(?!.*(.)\\1{3})[a-z]*$").matches("aaaa")
    assert compiled("[\\p{Print}&&[^|:/]]+").matches("a b")


def test_conditions_are_taken_from_both_ends() -> None:
    body, conditions = split_conditions("^(?!a)(?=b)[a-z]+(?<!z)$")
    assert body == "[a-z]+"
    assert [(c.body, c.is_ahead, c.is_negative) for c in conditions] == [
        ("a", True, True),
        ("b", True, False),
        ("z", False, True),
    ]
    assert split_conditions("(?!a)b|c") == ("(?!a)b|c", [])
    assert translated("(?:a{2,3})\\Z") == ("(?:a{2,3})\\n?\\z", True)


def test_a_hostile_text_takes_linear_time() -> None:
    started = time.perf_counter()
    assert not compiled("^(([a-z])+.)+[A-Z]([a-z])+$").matches("a" * 50_000)
    assert time.perf_counter() - started < 5


@given(st.text(alphabet="[](){}\\^$.|?*+-&:<=!,pPuxQE0123aZ", max_size=30))
def test_no_pattern_raises(pattern: str) -> None:
    compiled(pattern).matches("a1-")
