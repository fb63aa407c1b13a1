"""The path of a request, as an ASGI application.

read → route → authenticate → hooks (quotas) → decode → method → encode → respond. Each stage is one line of
`Gateway._answer`; whatever a stage refuses becomes an error in the client's protocol, and one log line tells of it.
Requests to addresses that services give out (`sites`) go to the service as they are.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

from cumulet.gateway.authentication import Authenticator
from cumulet.gateway.body import BodyTooLarge, ClientGone, hang_up, read_request
from cumulet.gateway.control import Control
from cumulet.gateway.refusals import encode_refusal
from cumulet.gateway.requestlog import RequestLog
from cumulet.gateway.routing import Route, Router, Unroutable
from cumulet.gateway.services import Registry
from cumulet.gateway.sites import Address, Sites
from cumulet.kernel.call import Call
from cumulet.kernel.clock import MACHINE
from cumulet.kernel.errors import (
    AwsError,
    InternalFailure,
    NotImplementedFailure,
    RequestEntityTooLargeException,
)
from cumulet.kernel.ids import Ids
from cumulet.wire.http import HttpRequest, HttpResponse

Send = Callable[[dict[str, Any]], Awaitable[None]]
Hook = Callable[[Call], Awaitable[None] | None]
"""Looks at a call before it is decoded; an AwsError refuses it, an awaitable delays it."""

TOO_LARGE = HttpResponse(413, b"The request is too large.\n")


class Gateway:
    """The ASGI application of one platform."""

    def __init__(
        self,
        registry: Registry,
        authenticator: Authenticator,
        ids: Ids,
        log: RequestLog,
        control: Control,
        hooks: list[Hook],
    ) -> None:
        self._registry = registry
        self._router = Router(registry)
        self._sites = Sites(registry.services.values(), authenticator)
        self._authenticator = authenticator
        self._ids = ids
        self._log = log
        self._control = control
        self.hooks = hooks

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        """Answer one HTTP request."""
        started = MACHINE.monotonic()
        request_id = self._ids.uuid()
        try:
            request = await read_request(scope, receive, self._router.most_body_bytes)
        except ClientGone:
            return
        except BodyTooLarge as refusal:
            service, operation, response = self._refuse_size(refusal.head, request_id)
            await _respond(send, response)
            self._log.request(
                service, operation, response.status, (MACHINE.monotonic() - started) * 1000, "-", request_id
            )
            return
        address = self._sites.find(request)
        if address is not None:
            await self._visit(scope, send, address, request, request_id, started)
            return
        if request.raw_path.startswith(Control.PREFIXES):
            await _respond(send, await self._control.answer(request))
            return
        service, operation, account = "-", "-", "-"
        try:
            route = self._router.route(request)
        except Unroutable as refusal:
            service, operation = refusal.service, refusal.operation
            response = self._refuse(service, refusal.protocol, refusal.error, request_id)
        else:
            service, operation = route.service, route.operation
            response, account = await self._answer(scope, receive, request, route, request_id)
        await _respond(send, response)
        milliseconds = (MACHINE.monotonic() - started) * 1000
        self._log.request(service, operation, response.status, milliseconds, account, request_id)

    async def _answer(
        self, scope: dict[str, Any], receive: Any, request: HttpRequest, route: Route, request_id: str
    ) -> tuple[HttpResponse, str]:
        account = "-"
        protocol = route.protocol
        try:
            signed_for = self._registry.signing_names[route.service]
            identity = self._authenticator.authenticate_now(request, protocol, signed_for)
            if identity is None:
                identity = await self._authenticator.authenticate(request, protocol, signed_for)
            account = identity.account
            call = Call(
                service=route.service,
                operation=route.operation,
                protocol=protocol,
                request_id=request_id,
                identity=identity,
                account=account,
                region=identity.region,
                scheme=scope["scheme"],
                host=request.headers.get(b"host", b"localhost").decode("latin-1"),
                client=scope["client"][0],
                trace_header=_text(request.headers.get(b"x-amzn-trace-id")),
                hang_up=partial(hang_up, receive),
            )
            for hook in self.hooks:
                delay = hook(call)
                if delay is not None:
                    await delay
            service = self._registry.services[route.service]
            method = service.method(route.operation)
            if method is None:
                raise NotImplementedFailure(f"Cumulet does not implement {route.operation} of {route.service} yet.")
            operation = self._registry.wire(route.service).operation(route.operation)
            labels = service.labels(request, call) if route.labels is None else route.labels
            result = await method(call, operation.decode(protocol, request, labels))
            return operation.encode(protocol, result, request_id), account
        except AwsError as error:
            return self._refuse(route.service, protocol, error, request_id), account
        except Exception as error:
            self._log.event(
                f"{route.service} {route.operation} failed", request_id=request_id, error=traceback.format_exc()
            )
            failure = InternalFailure(f"The platform failed: {type(error).__name__}. Its log has more.")
            return self._refuse(route.service, protocol, failure, request_id), account

    async def _visit(
        self, scope: dict[str, Any], send: Send, address: Address, request: HttpRequest, request_id: str, started: float
    ) -> None:
        response = await self._sites.answer(address, request, scope, request_id)
        response.headers.append((b"x-amzn-requestid", request_id.encode()))
        await _respond(send, response)
        milliseconds = (MACHINE.monotonic() - started) * 1000
        self._log.request(address.service.name, "-", response.status, milliseconds, "-", request_id)

    def _refuse_size(self, head: HttpRequest, request_id: str) -> tuple[str, str, HttpResponse]:
        """Return service, operation and refusal of a request that is too large, each "-" where no limit is its own."""
        route, most_bytes = self._router.limit_of(head)
        if route is None:
            return "-", "-", TOO_LARGE
        error = RequestEntityTooLargeException(most_bytes, route.operation)
        return route.service, route.operation, self._refuse(route.service, route.protocol, error, request_id)

    def _refuse(self, service: str, protocol: str, error: AwsError, request_id: str) -> HttpResponse:
        wire = self._registry.wire(service) if service in self._registry.services else None
        return encode_refusal(wire, protocol, error, request_id)


async def _respond(send: Send, response: HttpResponse) -> None:
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    if response.stream is None:
        await send({"type": "http.response.body", "body": response.body})
        return
    async with aclosing(response.stream) as pieces:
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
