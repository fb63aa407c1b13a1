"""The context of one request: who asks for what, where, and how to tell that the caller has gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec


class Identity(msgspec.Struct, frozen=True):
    """Whose request it is."""

    account: str
    region: str
    access_key_id: str
    principal: str
    """The caller's ARN."""
    user_id: str


class Call(msgspec.Struct):
    """One request of one client."""

    service: str
    operation: str
    protocol: str
    request_id: str
    identity: Identity
    account: str
    """The account that the request acts in."""
    region: str
    """The region that the request addresses."""
    scheme: str
    host: str
    """Under which the client reached the platform, port included."""
    client: str
    """The client's IP address; empty where it has none."""
    trace_header: str | None
    """The request's `X-Amzn-Trace-Id`."""
    hang_up: Callable[[], Awaitable[None]]
    """Returns once the client has closed the connection; to be awaited by what waits long."""

    @property
    def base_url(self) -> str:
        """The address that the client used, without a slash at the end."""
        return f"{self.scheme}://{self.host}"
