"""Mail servers as settings name them: `host:port`, or a URL of scheme smtp or smtps with a name and a password."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

PORTS = {"smtp": 587, "smtps": 465}


class MailServer(NamedTuple):
    """Where mail is handed in."""

    host: str
    port: int
    is_tls: bool
    """Whether the connection begins with TLS; if not, STARTTLS is used where the server offers it."""
    user: str | None
    password: str


def mail_server(text: str) -> MailServer:
    """Return the server that a setting names; raises ValueError."""
    parts = urlsplit(text if "://" in text else f"smtp://{text}")
    port = parts.port
    if parts.scheme not in PORTS or not parts.hostname or port == 0 or parts.path.strip("/") or parts.query:
        raise ValueError(text)
    return MailServer(
        parts.hostname,
        port or PORTS[parts.scheme],
        parts.scheme == "smtps",
        unquote(parts.username) if parts.username else None,
        unquote(parts.password or ""),
    )
