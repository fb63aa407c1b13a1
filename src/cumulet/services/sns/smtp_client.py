"""Hands one mail to a mail server: a connection for each, all that the server can do bounded in time and in memory."""

from __future__ import annotations

import asyncio
import base64
import ssl
from functools import cache

from cumulet.kernel.config import is_loopback
from cumulet.kernel.mail_servers import MailServer

DIALOG_SECONDS = 30.0
"""From the connection until the server has taken the mail."""
MOST_LINES = 100
"""Of one reply."""
CLIENT = "localhost"
"""What the client calls itself."""
DONE, GO_ON, SERVER_FAILURE = "2", "3", "5"


class Unsent(Exception):
    """The server wasn't reached, or does not take the mail now; says why."""


class Refused(Exception):
    """The server will never take this mail; says why."""


async def send(
    server: MailServer, sender: str, recipient: str, mail: bytes, *, within_seconds: float = DIALOG_SECONDS
) -> None:
    """Hand in a mail, whose lines end with CRLF; raises Unsent or Refused."""
    try:
        async with asyncio.timeout(within_seconds):
            secure = _tls() if server.is_tls else None
            reader, writer = await asyncio.open_connection(server.host, server.port, ssl=secure)
            try:
                dialog = _Dialog(server, reader, writer)
                await dialog.begin()
                await dialog.hand_in(sender, recipient, mail)
            finally:
                writer.transport.abort()
    except TimeoutError:
        raise Unsent(f"the mail server has not taken it within {within_seconds:g} seconds") from None
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        raise Unsent(f"the mail server: {error or type(error).__name__}") from error


class _Dialog:
    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer

    async def begin(self) -> None:
        """Greet, go over to TLS where the server offers that, and log in. What fails here may work later."""
        await self._expect(DONE)
        offered = await self._hello()
        is_secure = self._server.is_tls
        if not is_secure and "STARTTLS" in offered:
            await self._ask("STARTTLS", DONE)
            await self._writer.start_tls(_tls(), server_hostname=self._server.host)
            offered, is_secure = await self._hello(), True
        if self._server.user is not None:
            if not is_secure and not is_loopback(self._server.host):
                raise Unsent("the mail server offers no TLS, and a password is sent with it only")
            pair = f"\0{self._server.user}\0{self._server.password}"
            await self._ask(f"AUTH PLAIN {base64.b64encode(pair.encode()).decode()}", DONE)

    async def hand_in(self, sender: str, recipient: str, mail: bytes) -> None:
        """Give the mail; what the server refuses for good here, is this mail."""
        await self._ask(f"MAIL FROM:<{sender}>", DONE, is_of_mail=True)
        await self._ask(f"RCPT TO:<{recipient}>", DONE, is_of_mail=True)
        await self._ask("DATA", GO_ON, is_of_mail=True)
        stuffed = mail.replace(b"\r\n.", b"\r\n..")
        self._writer.write((b"." if stuffed.startswith(b".") else b"") + stuffed.removesuffix(b"\r\n") + b"\r\n.\r\n")
        await self._writer.drain()
        await self._expect(DONE, is_of_mail=True)
        self._writer.write(b"QUIT\r\n")
        await self._writer.drain()

    async def _hello(self) -> set[str]:
        """Return what the server offers, by name."""
        reply = await self._ask(f"EHLO {CLIENT}", DONE)
        return {line.split(" ")[0].upper() for line in reply[1:]}

    async def _ask(self, command: str, wanted: str, *, is_of_mail: bool = False) -> list[str]:
        self._writer.write(command.encode() + b"\r\n")
        await self._writer.drain()
        return await self._expect(wanted, is_of_mail=is_of_mail)

    async def _expect(self, wanted: str, *, is_of_mail: bool = False) -> list[str]:
        """Return the lines of a reply; raises Unsent, or Refused where a refusal for good is of this mail."""
        lines: list[str] = []
        for _ in range(MOST_LINES):
            line = (await self._reader.readuntil(b"\r\n")).decode("utf-8", "replace").rstrip("\r\n")
            lines.append(line[4:])
            if line[3:4] != "-":
                break
        if line[:1] == wanted:
            return lines
        text = f"the mail server has answered {line[:200]}"
        raise Refused(text) if is_of_mail and line[:1] == SERVER_FAILURE else Unsent(text)


@cache
def _tls() -> ssl.SSLContext:
    """Return what certificates are checked with: those of the machine, or of SSL_CERT_FILE."""
    return ssl.create_default_context()
