"""Principals of data protection policies: who a statement is about."""

from __future__ import annotations

import pytest

from cumulet.services.sns.principals import Principals, of_caller

ROLE = "arn:aws:iam::123456789012:role/Reporting"
SESSION = "arn:aws:sts::123456789012:assumed-role/Reporting/session"
USER = "arn:aws:iam::123456789012:user/team/anna"
ROOT = "arn:aws:iam::123456789012:root"


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        (SESSION, ROLE),
        ("arn:aws-cn:sts::123456789012:assumed-role/Reporting/a/b", "arn:aws-cn:iam::123456789012:role/Reporting"),
        (USER, USER),
        (ROOT, ROOT),
        ("arn:aws:sts::123456789012:federated-user/anna", "arn:aws:sts::123456789012:federated-user/anna"),
        ("", ""),
    ],
)
def test_a_session_of_a_role_counts_as_the_role(caller: str, principal: str) -> None:
    assert of_caller(caller) == principal


@pytest.mark.parametrize(
    ("stated", "principal", "is_included"),
    [
        ("*", ROLE, True),
        ("*", "", True),
        ("123456789012", ROLE, True),
        ("123456789012", USER, True),
        ("123456789012", "", False),
        ("123456789012", ROLE.replace("9012", "9013"), False),
        (ROOT, ROLE, True),
        (ROOT, ROOT, True),
        (ROLE, ROLE, True),
        (ROLE, ROLE + "2", False),
        (ROLE, ROLE.replace("9012", "9013"), False),
        (ROLE, USER, False),
        (ROLE, ROOT, False),
        (ROLE.replace("role/", "role/path/"), ROLE, True),
        (SESSION, ROLE, True),
        (USER, USER, True),
        (USER, USER.replace("team/", ""), False),
    ],
)
def test_whom_a_statement_is_about(stated: str, principal: str, is_included: bool) -> None:
    assert Principals([stated]).include(principal) is is_included


def test_a_statement_may_be_about_several() -> None:
    principals = Principals([ROLE, "111111111111"])

    assert principals.include(ROLE)
    assert principals.include("arn:aws:iam::111111111111:root")
    assert not principals.include(USER)


@pytest.mark.parametrize(
    "stated",
    [
        "",
        "anyone",
        "12345678901",
        "**",
        "arn:aws:iam::123456789012:group/all",
        "arn:aws:iam::*:role/any",
        "arn:aws:s3:::b",
    ],
)
def test_what_is_no_principal_is_refused(stated: str) -> None:
    with pytest.raises(ValueError, match="^" + stated.replace("*", r"\*") + "$"):
        Principals([stated])
