"""Which operation of which service a request means, and in which protocol it speaks.

By `X-Amz-Target` (json), by `Action` (query), or by method and path among the operations of the service that the
request is signed for (REST). Requests of Smithy's RPC (cbor) and of services that the platform lacks are recognised so
that they are refused by name; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec

from cumulet.gateway import unserved
from cumulet.gateway.body import MOST_BODY_BYTES
from cumulet.gateway.refusals import NO_PROTOCOL
from cumulet.gateway.services import Registry
from cumulet.kernel.errors import AwsError, InvalidAction, NotImplementedFailure, UnknownOperationException
from cumulet.services.sqs.urls import is_queue_path
from cumulet.wire import sigv4
from cumulet.wire.http import HttpRequest
from cumulet.wire.uri import split

FORM = b"application/x-www-form-urlencoded"
ACTION = re.compile(rb"(?:^|&)Action=([^&]*)")
VERSION = re.compile(rb"(?:^|&)Version=([^&]*)")
RPC = re.compile(rb"/service/([^/]+)/operation/([^/]+)/?")
UNPRINTABLE = re.compile(r"[^A-Za-z0-9_.:/ -]")
LONGEST_NAME = 128
MOST_REMEMBERED = 1024
"""How many paths are looked up once."""
LONGEST_REMEMBERED = 512
"""Their length, in bytes."""


class Route(msgspec.Struct, frozen=True):
    """Where a request goes."""

    service: str
    operation: str
    protocol: str
    labels: Mapping[str, str] | None = None
    """Of a REST request: the parts of its path that are members."""


class Unroutable(Exception):
    """No operation takes the request; `error` is to be answered in `protocol`.

    `service` and `operation` are what the request names, printable; "-" where it names none.
    """

    def __init__(self, error: AwsError, protocol: str, service: str = "-", operation: str = "-") -> None:
        super().__init__(error.message)
        self.error = error
        self.protocol = protocol
        self.service = printable(service)
        self.operation = printable(operation)


class Router:
    """Finds the route of each request."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._targets: dict[bytes, Route] = {}
        self._find_again = lru_cache(MOST_REMEMBERED)(self._find)

    def route(self, request: HttpRequest) -> Route:
        """Return where a request goes; raises `Unroutable`."""
        target = request.headers.get(b"x-amz-target")
        if target is not None:
            return self._targets.get(target) or self._by_target(target)
        action = _action(request)
        if action is not None:
            return self._by_action(request, action)
        return self._by_path(request) or self._unknown_path(request)

    def most_body_bytes(self, head: HttpRequest) -> int:
        """Return how large the body of a request may be, of which all but the body is known."""
        return self.limit_of(head)[1]

    def limit_of(self, head: HttpRequest) -> tuple[Route | None, int]:
        """Return the operation that takes larger bodies than others, None where a request is for none, and the limit.

        Only operations that are found by their path may.
        """
        route = None if b"x-amz-target" in head.headers else self._by_path(head)
        own = self._registry.services[route.service].largest_requests.get(route.operation) if route else None
        return (None, MOST_BODY_BYTES) if own is None else (route, own)

    def _by_target(self, target: bytes) -> Route:
        prefix, _, operation = target.decode("latin-1").rpartition(".")
        service = self._registry.by_target.get(prefix)
        if service is None:
            raise lacking("json", prefix, operation)
        if operation not in self._registry.wire(service).operation_names:
            raise Unroutable(UnknownOperationException(), "json", service, operation)
        route = self._targets[target] = Route(service, operation, "json")
        return route

    def _by_action(self, request: HttpRequest, action: str) -> Route:
        service = self._query_service(request)
        if service is None:
            scope = sigv4.scope(request)
            name = scope.service if scope else "an unnamed service"
            raise lacking("ec2" if name == "ec2" else "query", name, action)
        if action not in self._registry.wire(service).operation_names:
            error = InvalidAction(f"The action {action[:LONGEST_NAME]} is not valid for this endpoint.")
            raise Unroutable(error, "query", service, action)
        return Route(service, action, "query")

    def _query_service(self, request: HttpRequest) -> str | None:
        scope = sigv4.scope(request)
        if scope is not None:
            return self._registry.by_signing_name.get(scope.service)
        if is_queue_path(request.raw_path):
            return "sqs"
        version = VERSION.search(request.query) or VERSION.search(request.body)
        return self._registry.by_version.get(version[1].decode("latin-1")) if version else None

    def _by_path(self, request: HttpRequest) -> Route | None:
        """Return the operation of the service that the request is signed for; unsigned, of the first that has one."""
        scope = sigv4.scope(request)
        name, path, query = scope.service if scope else None, request.raw_path, request.query
        find = self._find if query or len(path) > LONGEST_REMEMBERED else self._find_again
        return find(name, request.method, path, query)

    def _find(self, signing_name: str | None, method: str, path: bytes, query: bytes) -> Route | None:
        rest = self._registry.rest
        named = rest if signing_name is None else [found for found in rest if found.signing_name == signing_name]
        if not named:
            return None
        segments = split(path)
        parameters = dict(reversed(parse_qsl(query.decode("latin-1"), keep_blank_values=True)))
        for service in named:
            match = service.paths.match(method, segments, parameters)
            if match is not None:
                return Route(service.name, match[0], service.protocol, match[1])
        return None

    def _unknown_path(self, request: HttpRequest) -> Route:
        """Raise the refusal of a request that names no operation of ours."""
        if b"smithy-protocol" in request.headers and (rpc := RPC.fullmatch(request.raw_path)):
            raise lacking("smithy-rpc-v2-cbor", rpc[1].decode("latin-1"), rpc[2].decode("latin-1"))
        scope = sigv4.scope(request)
        if scope is None or scope.service in self._registry.by_signing_name:
            is_json = b"json" in request.headers.get(b"content-type", b"")
            protocol = "json" if is_json else NO_PROTOCOL
            service = self._registry.by_signing_name[scope.service] if scope else "-"
            for rest in self._registry.rest:
                if rest.name == service:
                    protocol = rest.protocol
            raise Unroutable(UnknownOperationException(), protocol, service)
        protocol, operation = unserved.named(request, scope.service)
        raise lacking(protocol, scope.service, operation)


def lacking(protocol: str, service: str, operation: str) -> Unroutable:
    """Return the refusal of an operation of a service that the platform does not have."""
    message = f"Cumulet does not implement {printable(operation)} of {printable(service)}."
    return Unroutable(NotImplementedFailure(message), protocol, service, operation)


def printable(name: str) -> str:
    """Return a name that a request gives, fit for a log line."""
    return UNPRINTABLE.sub("?", name[:LONGEST_NAME])


def _action(request: HttpRequest) -> str | None:
    """Return the query protocol's Action, which stands in the form or in the query string."""
    found = ACTION.search(request.query)
    if found is None and request.headers.get(b"content-type", b"").lower().startswith(FORM):
        found = ACTION.search(request.body)
    return None if found is None else unquote_to_bytes(found[1].replace(b"+", b" ")).decode("utf-8", "replace")
