"""What a service is to the gateway: a name, a method for each operation, tables, and work of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec
from botocore import xform_name

from cumulet.delivery import Delivery
from cumulet.kernel.activity import Activity
from cumulet.kernel.call import Call, Identity
from cumulet.kernel.clock import Clock
from cumulet.kernel.config import Config
from cumulet.kernel.credentials import CredentialIssuer
from cumulet.kernel.ids import Ids
from cumulet.kernel.listeners import Listeners
from cumulet.kernel.quotas import Quotas
from cumulet.kernel.telemetry import Telemetry
from cumulet.store import Store
from cumulet.wire.http import HttpRequest, HttpResponse
from cumulet.wire.service import NO_LABELS

Method = Callable[[Call, Any], Awaitable[dict[str, Any] | None]]
Download = Callable[[HttpRequest], Awaitable[HttpResponse]]


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A request to an address that a service has given out."""

    name: str
    """Which address of the site."""
    scheme: str
    host: str
    """Under which the client reached the platform, port included."""
    client: str
    """The client's IP address."""
    request: HttpRequest
    """Its path is that behind the address."""
    request_id: str
    authenticate: Callable[[str], Awaitable[Identity]]
    """Returns whose request it is, signed for a service (its signing name); raises AwsError."""


Site = Callable[[Visit], Awaitable[HttpResponse]]
"""Answers all requests to a service's addresses of one kind. Raises nothing."""


class Platform(msgspec.Struct, frozen=True):
    """What every service is given."""

    config: Config
    store: Store
    clock: Clock
    ids: Ids
    activity: Activity
    telemetry: Telemetry
    quotas: Quotas
    delivery: Delivery
    credentials: CredentialIssuer
    listeners: Listeners
    url: str
    """Under which functions on this machine reach the platform, without a slash at the end."""


class Service:
    """An AWS service. `class Sqs(Service, name="sqs")` has a coroutine `send_message(call, request)` for
    SendMessage, and so on; an operation without a method is answered with 501.
    """

    name: ClassVar[str]
    """botocore's name of the service."""
    limits: ClassVar[frozenset[str]] = frozenset()
    """The names of its limits that quotas can change, without the service's own."""
    largest_requests: ClassVar[Mapping[str, int]] = MappingProxyType({})
    """How many bytes a request may have, by operation, where that is more than the gateway takes otherwise."""

    def __init_subclass__(cls, *, name: str | None = None) -> None:
        if name is not None:
            cls.name = name

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.store = platform.store
        self.clock = platform.clock
        self.ids = platform.ids
        self._methods: dict[str, Method | None] = {}

    def method(self, operation: str) -> Method | None:
        """Return the method for an operation, or None when there is none yet."""
        try:
            return self._methods[operation]
        except KeyError:
            method: Method | None = getattr(self, xform_name(operation), None)
            self._methods[operation] = method
            return method

    def labels(self, request: HttpRequest, call: Call) -> Mapping[str, str]:
        """Return members that the request gives by other ways than the service's model knows."""
        return NO_LABELS

    def folders(self) -> Mapping[bytes, Download]:
        """Return what answers GET requests below folders of `/_cumulet/`, for clients that sign nothing."""
        return {}

    def sites(self) -> Mapping[bytes, Site]:
        """Return what answers requests to the addresses that the service gives out, by the kind of address: with
        `lambda-url`, hosts `<name>.lambda-url.<region>.*` and paths `/_cumulet/lambda-url/<name>/`.
        """
        return {}

    def report(self) -> Mapping[str, object]:
        """Return what the health page says of the service beside that it is there."""
        return {}

    async def start(self) -> None:
        """Go on with the service's own work after a start of the platform."""

    def stop_waiting(self) -> None:
        """Answer at once what waits for something to happen; the platform is shutting down."""

    async def stop(self) -> None:
        """End what the service runs; requests are answered already, the store still writes."""
