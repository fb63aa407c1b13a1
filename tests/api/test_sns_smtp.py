"""SNS: mail through a mail server: handed in as mail, tried again, and given up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from smtp_server import MailServer, Received, serving_mail
from sns_outbox import outbox
from sns_topics import Topic

from cumulet.testing import Cumulet

ADDRESS = "ann@example.com"
HOUR = 3_600


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cumulet, MailServer]]:
    """Return a platform that knows a mail server."""
    folder = tmp_path_factory.mktemp("smtp") / "data"
    variables = {"CUMULET_SMTP_SENDER": "loft@cumulet.example"}
    with (
        serving_mail() as mail_server,
        Cumulet(folder, smtp=f"127.0.0.1:{mail_server.port}", variables=variables) as it,
    ):
        yield it, mail_server


class Loft:
    """A topic, and an address that has confirmed its subscription."""

    def __init__(self, cumulet: Cumulet, server: MailServer) -> None:
        server.received.clear()
        server.replies.clear()
        self.cumulet, self.server = cumulet, server
        self.topic = Topic(cumulet)
        self.subscription = self.topic.subscribe("email", ADDRESS)
        [asked] = server.wait_for(1)
        [link] = [line for line in asked.text.splitlines() if line.startswith("http")]
        with urlopen(link):
            server.received.clear()

    def sent(self, count: int = 1) -> list[Received]:
        return self.server.wait_for(count)


@pytest.fixture
def loft(server: tuple[Cumulet, MailServer]) -> Loft:
    return Loft(server[0].as_account("111122223333"), server[1])


def test_a_message_is_handed_in_as_mail(loft: Loft) -> None:
    sent = loft.topic.publish("Zwei Tauben fehlen: Ü & ❤\n.\n..ende", Subject="Verspätung")

    [received] = loft.sent()
    mail = received.mail
    assert (received.sender, received.recipient) == ("loft@cumulet.example", ADDRESS)
    assert (mail["From"], mail["To"]) == ("AWS Notifications <loft@cumulet.example>", ADDRESS)
    assert (mail["Subject"], mail["Message-ID"]) == ("Verspätung", f"<{sent['MessageId']}@cumulet.example>")
    assert mail["Date"].datetime.timestamp() == pytest.approx(loft.cumulet.now_ms() / 1000, abs=60)
    assert received.text.startswith("Zwei Tauben fehlen: Ü & ❤\n.\n..ende\n")
    assert received.raw.isascii()
    assert outbox(loft.cumulet) == []


def test_large_messages_in_long_lines_are_sent(loft: Loft) -> None:
    loft.topic.publish("x" * 200_000)

    [received] = loft.sent()
    assert max(map(len, received.raw.split(b"\r\n"))) <= 998
    assert received.text.startswith("x" * 200_000 + "\n")


@pytest.mark.parametrize(
    ("command", "reply"),
    [("CONNECT", "421 busy"), ("EHLO", "500 what"), ("RCPT", "451 later"), ("MAIL-DATA", "452 full"), ("MAIL", "xyz")],
)
def test_what_the_server_does_not_take_now_is_sent_later(loft: Loft, command: str, reply: str) -> None:
    loft.server.reply(command, reply, reply)

    loft.topic.publish("hello")
    loft.cumulet.advance(seconds=5)
    assert loft.server.received == []
    loft.cumulet.advance(seconds=20)

    [received] = loft.sent()
    assert received.text.startswith("hello\n")


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "MAIL-DATA"])
def test_what_the_server_refuses_is_a_dead_letter(loft: Loft, command: str) -> None:
    letters = loft.topic.queues.standard()
    policy = json.dumps({"deadLetterTargetArn": letters.arn})
    loft.topic.sns.set_subscription_attributes(
        SubscriptionArn=loft.subscription, AttributeName="RedrivePolicy", AttributeValue=policy
    )
    loft.server.reply(command, "550 no such address")

    loft.topic.publish("hello", MessageAttributes={"size": {"DataType": "Number", "StringValue": "7"}})
    loft.cumulet.advance(milliseconds=1)

    letter = letters.receive_one()
    assert letter["Body"] == "hello"
    assert letter["MessageAttributes"]["size"]["StringValue"] == "7"
    assert loft.server.received == []


def test_an_address_that_nobody_reaches_for_hours_is_given_up(loft: Loft) -> None:
    letters = loft.topic.queues.standard()
    policy = json.dumps({"deadLetterTargetArn": letters.arn})
    loft.topic.sns.set_subscription_attributes(
        SubscriptionArn=loft.subscription, AttributeName="RedrivePolicy", AttributeValue=policy
    )
    loft.server.reply("RCPT", *["451 later"] * 51)

    loft.topic.publish("hello")
    loft.cumulet.advance(hours=6)
    assert letters.receive() == []
    loft.cumulet.advance(hours=2)

    assert letters.bodies() == ["hello"]
    assert loft.server.replies["RCPT"] == []


def test_one_connection_is_enough_for_many_that_wait(loft: Loft) -> None:
    for number in range(30):
        loft.topic.publish(str(number))

    texts = {received.text.splitlines()[0] for received in loft.sent(30)}
    assert texts == {str(number) for number in range(30)}


def test_mail_goes_on_after_a_restart(tmp_path: Path) -> None:
    with serving_mail() as mail_server, Cumulet(tmp_path / "data", smtp=f"smtp://127.0.0.1:{mail_server.port}") as it:
        loft = Loft(it, mail_server)
        mail_server.reply("CONNECT", "421 busy")
        loft.topic.publish("hello")
        it.advance(milliseconds=1)

        it.stop()
        it.start()
        it.advance(seconds=10)

        [received] = loft.sent()
        assert received.text.startswith("hello\n")
