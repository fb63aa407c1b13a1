"""Requests to the addresses that services give out, such as function URLs.

By host, `<name>.<site>.<region>.<anything>`, as on AWS, or by path, `/_cumulet/<site>/<name>/...`, for clients that
can't resolve such hosts.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable
from functools import partial
from typing import Any, NamedTuple

from msgspec.structs import replace

from cumulet.gateway.authentication import Authenticator
from cumulet.kernel.call import Identity
from cumulet.services.service import Service, Site, Visit
from cumulet.wire.http import HttpRequest, HttpResponse

PROTOCOL = "rest-json"
"""In whose words a signature is refused."""


class Address(NamedTuple):
    """Where a request to a site goes."""

    service: Service
    site: Site
    name: str
    request: HttpRequest
    """As the site sees it: its path doesn't say what the host does otherwise."""


class Sites:
    """Finds the site that a request is for."""

    def __init__(self, services: Iterable[Service], authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._sites = {label: (service, site) for service in services for label, site in service.sites().items()}
        labels = b"|".join(re.escape(label) for label in self._sites)
        self._host = re.compile(rb"([a-z0-9-]+)\.(%s)\.[a-z0-9-]+\." % labels, re.IGNORECASE)
        self._path = re.compile(rb"/_cumulet/(%s)/([A-Za-z0-9-]+)(/.*)?" % labels, re.DOTALL)

    def find(self, request: HttpRequest) -> Address | None:
        """Return where a request goes that is for a site."""
        if found := self._host.match(request.headers.get(b"host", b"")):
            service, site = self._sites[found[2].lower()]
            return Address(service, site, found[1].decode().lower(), request)
        if found := self._path.fullmatch(request.raw_path):
            service, site = self._sites[found[1]]
            return Address(service, site, found[2].decode(), replace(request, raw_path=found[3] or b"/"))
        return None

    async def answer(
        self, address: Address, request: HttpRequest, scope: dict[str, Any], request_id: str
    ) -> HttpResponse:
        """Return the site's answer; `request` is what the client has sent, and signed."""
        visit = Visit(
            name=address.name,
            scheme=scope["scheme"],
            host=request.headers.get(b"host", b"localhost").decode("latin-1"),
            client=scope["client"][0],
            request=address.request,
            request_id=request_id,
            authenticate=partial(self._authenticate, request),
        )
        return await address.site(visit)

    def _authenticate(self, request: HttpRequest, signed_for: str) -> Awaitable[Identity]:
        return self._authenticator.authenticate(request, PROTOCOL, signed_for)
