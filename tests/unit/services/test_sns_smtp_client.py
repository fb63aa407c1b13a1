"""Mail servers that misbehave hold nobody up, and what they refuse is told apart from what may work later."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from cumulet.kernel.mail_servers import MailServer, mail_server
from cumulet.services.sns import smtp_client
from cumulet.services.sns.smtp_client import Refused, Unsent, send

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Script = Callable[[Reader, Writer], Awaitable[None]]


async def _sent_to(script: Script, url: str, within_seconds: float, tls: ssl.SSLContext | None) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        try:
            await script(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        port = server.sockets[0].getsockname()[1]
        known = mail_server(url.format(port=port))
        await send(known, "a@example.com", "b@example.com", b"Subject: x\r\n\r\nhello", within_seconds=within_seconds)


def sent_to(
    script: Script,
    url: str = "smtp://127.0.0.1:{port}",
    within_seconds: float = 5,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Send a mail to a server that does what a script says, on the event loop that the platform has."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_sent_to(script, url, within_seconds, tls))


def answering(replies: dict[bytes, bytes], heard: list[bytes] | None = None) -> Script:
    """Return a server that answers as usual, or as `replies` says, by the beginning of a line."""

    async def script(reader: Reader, writer: Writer) -> None:
        writer.write(replies.get(b"CONNECT", b"220 ready\r\n"))
        in_mail = False
        while line := await reader.readline():
            if heard is not None:
                heard.append(line.rstrip(b"\r\n"))
            if in_mail and line != b".\r\n":
                continue
            in_mail = line.startswith(b"DATA")
            usual = b"354 go on\r\n" if in_mail else b"250 ok\r\n"
            writer.write(next((reply for start, reply in replies.items() if line.startswith(start)), usual))

    return script


async def silent(reader: Reader, writer: Writer) -> None:
    await reader.read()


async def endless(reader: Reader, writer: Writer) -> None:
    while True:
        writer.write(b"220-" + b"x" * 1_000 + b"\r\n")
        await writer.drain()


async def line_without_end(reader: Reader, writer: Writer) -> None:
    while True:
        writer.write(b"x" * 10_000)
        await writer.drain()


async def closing(reader: Reader, writer: Writer) -> None:
    """Say nothing and hang up."""


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (silent, "within 0.5 seconds"),
        (endless, "answered 220-x"),
        (line_without_end, "the mail server"),
        (closing, "the mail server"),
        (answering({b"CONNECT": b"\xff\xfe\r\n"}), "answered"),
        (answering({b"CONNECT": b"\r\n"}), "answered"),
        (answering({b"EHLO": b"550 go away\r\n"}), "answered 550"),
        (answering({b"RCPT": b"450 later\r\n"}), "answered 450"),
        (answering({b"DATA": b"250 wrong\r\n"}), "answered 250"),
    ],
)
def test_a_server_that_takes_nothing_now(script: Script, reason: str) -> None:
    with pytest.raises(Unsent, match=reason):
        sent_to(script, within_seconds=0.5)


def test_nobody_listens() -> None:
    with pytest.raises(Unsent):
        asyncio.run(send(MailServer("127.0.0.1", 1, False, None, ""), "a@example.com", "b@example.com", b"x"))


@pytest.mark.parametrize("command", [b"MAIL", b"RCPT", b"DATA", b".\r\n"])
def test_a_server_that_will_never_take_the_mail(command: bytes) -> None:
    with pytest.raises(Refused, match="answered 554 no"):
        sent_to(answering({command: b"554 no\r\n"}))


def test_a_name_and_a_password_are_sent() -> None:
    heard: list[bytes] = []

    sent_to(answering({}, heard), "smtp://ann%40home:p%3Aw@127.0.0.1:{port}")

    assert b"AUTH PLAIN " + base64.b64encode(b"\0ann@home\0p:w") in heard


def test_a_password_is_not_sent_in_the_clear_to_other_machines() -> None:
    heard: list[bytes] = []

    with pytest.raises(Unsent, match="offers no TLS"):
        # An address that leads here, and is none of those that always do.
        sent_to(answering({}, heard), "smtp://ann:pw@0.0.0.0:{port}")

    assert not [line for line in heard if line.startswith(b"AUTH")]


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("localhost:25", MailServer("localhost", 25, False, None, "")),
        ("mail.example.com", MailServer("mail.example.com", 587, False, None, "")),
        ("smtps://ann:pw@mail.example.com", MailServer("mail.example.com", 465, True, "ann", "pw")),
        ("smtp://[::1]:1025/", MailServer("::1", 1025, False, None, "")),
    ],
)
def test_servers_as_settings_name_them(text: str, server: MailServer) -> None:
    assert mail_server(text) == server


@pytest.mark.parametrize(
    "text", ["", ":25", "http://mail", "mail:0", "mail:99999", "mail:x", "smtp://mail/x", "mail?x"]
)
def test_settings_that_name_no_server(text: str) -> None:
    with pytest.raises(ValueError):
        mail_server(text)


@pytest.fixture
def trust(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine trust the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    smtp_client._tls.cache_clear()
    yield
    smtp_client._tls.cache_clear()


def context(certificate: Path) -> ssl.SSLContext:
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured.load_cert_chain(certificate)
    return secured


def upgrading(certificate: Path, heard: list[bytes]) -> Script:
    """Return a server that offers TLS, and no more without it."""

    async def script(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 ready\r\n")
        await reader.readline()
        writer.write(b"250-here\r\n250 STARTTLS\r\n")
        assert await reader.readline() == b"STARTTLS\r\n"
        writer.write(b"220 go on\r\n")
        await writer.drain()
        await writer.start_tls(context(certificate))
        heard.append(b"TLS")
        await answering({b"CONNECT": b""}, heard)(reader, writer)

    return script


@pytest.mark.usefixtures("trust")
def test_tls_is_used_where_the_server_offers_it(certificate: Path) -> None:
    heard: list[bytes] = []

    sent_to(upgrading(certificate, heard), "smtp://ann:pw@127.0.0.1:{port}")

    assert heard[:2] == [b"TLS", b"EHLO localhost"]
    assert [line for line in heard if line.startswith(b"AUTH")]
    assert b"hello" in heard


def test_a_certificate_that_nobody_knows_is_not_trusted(certificate: Path) -> None:
    heard: list[bytes] = []

    with pytest.raises(Unsent, match=r"(?i)certificate"):
        sent_to(upgrading(certificate, heard))

    assert heard == []


@pytest.mark.usefixtures("trust")
def test_a_server_of_smtps_is_reached(certificate: Path) -> None:
    heard: list[bytes] = []

    sent_to(answering({}, heard), "smtps://ann:pw@127.0.0.1:{port}", tls=context(certificate))

    assert b"hello" in heard
