"""A mail server that tests hand mail in to."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import NamedTuple, cast


class Received(NamedTuple):
    """One mail."""

    sender: str
    recipient: str
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        return cast(EmailMessage, message_from_bytes(self.raw, policy=SMTP))

    @property
    def text(self) -> str:
        text: str = self.mail.get_content()
        return text.replace("\r\n", "\n")


class MailServer:
    """What has come, and what is answered."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received: list[Received] = []
        self.commands: list[str] = []
        self.replies: dict[str, list[str]] = {}
        """By command (`RCPT`): what the next ones are answered, instead of 250."""
        self._arrived = threading.Condition()

    def reply(self, command: str, *replies: str) -> None:
        """Let the next commands of a kind be answered so."""
        self.replies[command] = list(replies)

    def answer(self, command: str, usual: str) -> str:
        self.commands.append(command)
        queued = self.replies.get(command.split(" ")[0].upper())
        return queued.pop(0) if queued else usual

    def take(self, received: Received) -> None:
        with self._arrived:
            self.received.append(received)
            self._arrived.notify_all()

    def wait_for(self, count: int) -> list[Received]:
        """Return the mails when there are so many."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received) >= count, 20), f"{len(self.received)} have come"
            return list(self.received)


@contextmanager
def serving_mail() -> Iterator[MailServer]:
    """Serve on a free port."""

    class Dialog(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            sender = recipient = ""
            self.say(state.answer("CONNECT", "220 ready"))
            while line := self.rfile.readline().decode().rstrip("\r\n"):
                verb = line.split(" ")[0].upper()
                usual = {"DATA": "354 go on", "EHLO": "250-here\r\n250 8BITMIME", "QUIT": "221 bye"}.get(verb, "250 ok")
                reply = state.answer(line, usual)
                self.say(reply)
                if verb == "MAIL":
                    sender = line[len("MAIL FROM:<") : -1]
                elif verb == "RCPT":
                    recipient = line[len("RCPT TO:<") : -1]
                elif reply.startswith("354"):
                    self.read_mail(sender, recipient)
                elif verb == "QUIT":
                    return

        def read_mail(self, sender: str, recipient: str) -> None:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line[1:] if line.startswith(b".") else line)
            reply = state.answer("MAIL-DATA", "250 taken")
            if reply.startswith("2"):
                state.take(Received(sender, recipient, b"".join(lines)))
            self.say(reply)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Dialog) as server:
        state = MailServer(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
