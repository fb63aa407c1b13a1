"""Mails hold what was published, whatever that is, and their headers nothing else."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.services.sns import mails
from cumulet.services.sns.mails import Mail

LETTERS = st.characters(exclude_categories=["Cs"])


def read(mail: Mail) -> EmailMessage:
    """Return what a mail program makes of a mail."""
    raw = mails.encoded(mail, "no-reply@example.org", "ann@example.com", "id", 1_000)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return cast(EmailMessage, message_from_bytes(raw, policy=SMTP))


def lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


@given(st.text(LETTERS))
def test_texts_arrive(text: str) -> None:
    found = read(Mail("sender", "subject", text)).get_content()

    assert lines(found) == lines(text)


@given(st.text(LETTERS, max_size=100), st.text(LETTERS, max_size=100))
def test_headers_are_the_same_few(name: str, subject: str) -> None:
    mail = Mail(mails.sender_of("Notification", name), mails.subject_of("Notification", subject), "text")

    found = read(mail)

    assert [
        header for header in found if header not in ("MIME-Version", "Content-Type", "Content-Transfer-Encoding")
    ] == [*("From", "To", "Subject", "Date", "Message-ID")]
    [sender] = cast(Any, found["From"]).addresses
    assert sender.addr_spec == "no-reply@example.org"


@pytest.mark.parametrize(
    "name", ["Orders", "Orders, late (all)", 'The "loft"', "a@b.c <x>", "Ünïcode ❤" * 10, "@" + "x" * 99, 'a "b" ' * 16]
)
def test_names_arrive(name: str) -> None:
    mail = Mail(mails.sender_of("Notification", name), mails.subject_of("Notification", name), "text")

    found = read(mail)

    [sender] = cast(Any, found["From"]).addresses
    assert (sender.display_name, str(found["Subject"])) == (name.strip(), name.strip())


@pytest.mark.parametrize("nothing", [None, "", " ", "\n\x00\u2028"])
def test_what_nobody_has_chosen_is_chosen_here(nothing: str | None) -> None:
    assert mails.sender_of("Notification", nothing) == "AWS Notifications"
    assert mails.subject_of("Notification", nothing) == "AWS Notification Message"


def test_only_notifications_are_from_whom_the_topic_names() -> None:
    assert mails.sender_of("SubscriptionConfirmation", "The loft") == "AWS Notifications"
    assert mails.sender_of("Notification", "The\r\nloft") == "The loft"
