"""`cumulet data-protection test` as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sns_protection import CARD, DENY, MASK, SECRET, audit, policy, statement
from test_cli import assert_one_line, run

ROLE = "arn:aws:iam::123456789012:role/Reporting"
MASKED = SECRET.replace(CARD, "#" * len(CARD))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.txt").write_text(SECRET)
    return tmp_path


def outcome(folder: Path, *statements: Any, options: tuple[str, ...] = ()) -> Any:
    (folder / "p.json").write_text(policy(*statements))
    return run("data-protection", "test", "--policy", "p.json", "--message", "m.txt", *options, folder=folder)


def test_it_says_what_each_subscriber_gets(folder: Path) -> None:
    done = outcome(folder, statement(MASK, "Outbound", Principal=[ROLE]))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "statement 1  Outbound  Deidentify  finds CreditCardNumber (1)",
        "Anyone can publish the message, which the topic accepts as it is.",
        f"{ROLE} gets it as",
        MASKED,
        "Anyone else gets it as it is.",
    ]


def test_it_says_who_gets_nothing_and_who_can_publish_nothing(folder: Path) -> None:
    denying = outcome(folder, statement(DENY, "Outbound"), options=("--subscriber", ROLE))
    refusing = outcome(folder, statement(DENY, Principal=["123456789012"]), options=("--publisher", ROLE))
    refusing_all = outcome(folder, statement(DENY))

    assert denying.stdout.splitlines()[-1] == f"{ROLE} doesn't get it."
    assert refusing.stdout.splitlines()[-1] == f"{ROLE} can't publish the message."
    assert refusing_all.stdout.splitlines()[-1] == "Nobody can publish the message."


@pytest.mark.parametrize(
    ("statements", "last"),
    [
        ([statement(MASK)], "Everyone gets it as it is."),
        ([statement(DENY, "Outbound")], "Nobody gets it."),
        ([statement(DENY, "Outbound"), statement(MASK, "Outbound", Principal=[ROLE])], "Nobody else gets it."),
    ],
)
def test_it_says_what_all_get_whom_no_statement_names(folder: Path, statements: list[Any], last: str) -> None:
    done = outcome(folder, *statements)

    assert done.stdout.splitlines()[-1] == last


def test_the_object_has_what_the_statements_find(folder: Path) -> None:
    auditing = statement(audit(99, FindingsDestination={}))

    done = outcome(folder, statement(MASK, Sid="mask"), auditing, options=("--json",))

    found = {"name": "CreditCardNumber", "count": 1, "detections": [{"start": 6, "end": 21}]}
    inbound = {"DataDirection": "Inbound", "dataIdentifiers": [found]}
    assert json.loads(done.stdout) == {
        "statements": [
            {"Sid": "mask", "Operation": "Deidentify", **inbound},
            {"Sid": None, "Operation": "Audit", **inbound},
        ],
        "accepted": MASKED,
        "deliveries": [{"principal": "*", "text": MASKED}],
    }


@pytest.mark.parametrize(
    ("files", "options", "code", "line"),
    [
        ({"p.json": "{"}, (), 1, "cumulet: p.json: Invalid parameter: DataProtectionPolicy Reason: invalid JSON"),
        ({}, ("--message", "none"), 2, "cumulet: can't read none: No such file or directory"),
        ({}, ("--publisher", "me"), 2, "cumulet: me is no account, and no ARN of a user or a role"),
        ({}, ("--subscriber", "me"), 2, "cumulet: me is no account, and no ARN of a user or a role"),
    ],
)
def test_what_can_not_be_tested_is_said_in_one_line(
    folder: Path, files: dict[str, str], options: tuple[str, ...], code: int, line: str
) -> None:
    for name, text in ({"p.json": policy(statement(MASK))} | files).items():
        (folder / name).write_text(text)

    done = run("data-protection", "test", "--policy", "p.json", "--message", "m.txt", *options, folder=folder)

    assert_one_line(done, code, line)
