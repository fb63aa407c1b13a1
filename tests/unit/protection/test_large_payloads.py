"""Payloads made to hurt: what an inspection costs stays in proportion to the payload, and nothing breaks it."""

import json
import time

import pytest

from cumulet.protection import (
    Inspector,
    TooExpensive,
    Work,
    custom_identifier,
    managed_identifier,
    mask,
    redact,
)
from cumulet.protection.catalogue import IDENTIFIERS

EVERYTHING = Inspector(IDENTIFIERS.values())
SIZE = 32 * 1024
# Most take some milliseconds; what is quadratic takes minutes.
MOST_SECONDS = 6


def repeated(text: str) -> str:
    return text * (SIZE // len(text))


def inspected(inspector: Inspector, text: str) -> int:
    began = time.process_time()
    findings = inspector.find(text)
    assert len(mask(text, findings, "#")) >= len(redact(text, findings))
    assert time.process_time() - began < MOST_SECONDS
    assert all(0 <= each.start < each.end <= len(text) for each in findings)
    return len(findings)


@pytest.mark.parametrize(
    "text",
    [
        repeated("1"),
        repeated("1 "),
        repeated("4111 "),
        repeated("a@"),
        repeated("a@b.co "),
        repeated("a."),
        repeated("+1 "),
        repeated("Aa "),
        repeated("Jane "),
        repeated("1 A Street, "),
        repeated("1 rue a a a a "),
        repeated("ssn dob tin vin pan "),
        repeated("ssn 123-45-6789 "),
        repeated("😀 ssn 123-45-6789 "),
        repeated("aB"),
        repeated("\\"),
        repeated('"'),
        repeated("\0"),
        repeated("-----BEGIN RSA PRIVATE KEY-----\n"),
        repeated("\ud800"),
        "[" * SIZE,
        "[" * SIZE + "]" * SIZE,
        '{"ssn":' * 9000 + '"123-45-6789"' + "}" * 9000,
        json.dumps([123456789] * 6000),
        json.dumps({f"ssn{number}": "123-45-6789" for number in range(2500)}),
        json.dumps("\\" * SIZE),
        json.dumps(["é\n\ud83d ssn 123-45-6789 " * 2500]),
    ],
    ids=lambda text: repr(text[:16]),
)
def test_any_payload_is_inspected_in_time(text):
    inspected(EVERYTHING, text)


@pytest.mark.parametrize(
    "regex",
    ["[a-z]*y|[a-z]", "x{200}y|x", "x*x*x*x*y|x", "[^y]*y|.", r"\w*\W\w*\W|\w", "x*", "x|xx|xxx*y", "$|^|x"],
)
def test_expressions_without_an_end_find_everything(regex):
    text = "x" * 2000

    findings = Inspector([custom_identifier("Mine", regex)]).find(text)

    assert mask(text, findings, "#") == "#" * 2000


def test_what_takes_too_long_is_not_looked_at_to_its_end():
    costly = Inspector([custom_identifier("Mine", "[ab]*a[ab]{600}[^ab]|[ab]")])

    with pytest.raises(TooExpensive):
        costly.find("ab" * 100_000, Work(cpu_seconds=0.05))
    with pytest.raises(TooExpensive):
        costly.find(json.dumps(["ab"] * 100_000), Work(cpu_seconds=0.05))
    assert len(costly.find("abba", Work(cpu_seconds=5))) == 4


def test_many_expressions_are_looked_for_in_many_values_in_time():
    many = Inspector([custom_identifier(f"Digits{count}", f"[0-9]{{{count}}}") for count in range(1, 11)])

    assert inspected(many, json.dumps([123456789] * 1000)) > 20_000


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("PhoneNumber", "+1 206-555-0123"),
        ("Name", "Jane Doe Smith"),
        ("EmailAddress", "jane@mail.example.com"),
        ("IpAddress", "2001:db8::1"),
        ("Address", "410 Terry Ave N, Seattle, WA 98109-1234"),
    ],
)
def test_data_is_found_whole_wherever_it_stands(name, data):
    identifier = managed_identifier(name)
    assert identifier
    inspector = Inspector([identifier])

    for padding in range(430, 530):
        text = "x " * (padding // 2) + " " * (padding % 2) + data + " end"
        assert [text[each.start : each.end] for each in inspector.find(text)] == [data]
