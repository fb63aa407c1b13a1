"""Which operation of which service a request means, and in which protocol it speaks.

By `X-Amz-Target` (json), by `Action` (query), by the method and path of the service that the request is signed for
(rest-json). A service or operation of AWS that the platform lacks is refused by name; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from cumulet.gateway.services import Registry
from cumulet.kernel.errors import AwsError, InvalidAction, NotImplementedFailure, UnknownOperationException
from cumulet.services.sqs.urls import is_queue_path
from cumulet.wire import sigv4
from cumulet.wire.http import HttpRequest

FORM = b"application/x-www-form-urlencoded"
ACTION = re.compile(rb"(?:^|&)Action=([^&]*)")
VERSION = re.compile(rb"(?:^|&)Version=([^&]*)")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes."""

    service: str
    operation: str
    protocol: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the path says."""


class Unroutable(Exception):
    """No operation takes the request; `error` is to be answered in `protocol`, as `service` where one was named."""

    def __init__(self, error: AwsError, protocol: str, service: str | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.protocol = protocol
        self.service = service


class Router:
    """Finds the route of each request."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._targets: dict[bytes, Route] = {}

    def route(self, request: HttpRequest) -> Route:
        """Return where a request goes; raises `Unroutable`."""
        target = request.headers.get(b"x-amz-target")
        if target is not None:
            return self._targets.get(target) or self._by_target(target)
        action = _action(request)
        if action is not None:
            return self._by_action(request, action)
        return self._by_path(request)

    def _by_target(self, target: bytes) -> Route:
        prefix, _, operation = target.decode("latin-1").rpartition(".")
        service = self._registry.by_target.get(prefix)
        if service is None:
            raise Unroutable(_lacking(f"service {prefix!r}", operation), "json")
        if operation not in self._registry.wires[service].operation_names:
            raise Unroutable(UnknownOperationException(), "json", service)
        route = self._targets[target] = Route(service, operation, "json")
        return route

    def _by_action(self, request: HttpRequest, action: str) -> Route:
        service = self._query_service(request)
        if service is None:
            scope = sigv4.scope(request)
            raise Unroutable(_lacking(f"service {scope.service!r}" if scope else "service", action), "query")
        if action not in self._registry.wires[service].operation_names:
            raise Unroutable(InvalidAction(f"The action {action} is not valid for this endpoint."), "query", service)
        return Route(service, action, "query")

    def _query_service(self, request: HttpRequest) -> str | None:
        scope = sigv4.scope(request)
        if scope is not None:
            return self._registry.by_signing_name.get(scope.service)
        if is_queue_path(request.raw_path):
            return "sqs"
        version = VERSION.search(request.query) or VERSION.search(request.body)
        return self._registry.by_version.get(version[1].decode("latin-1")) if version else None

    def _by_path(self, request: HttpRequest) -> Route:
        scope = sigv4.scope(request)
        path = request.raw_path.decode("latin-1")
        if scope is None or scope.service in self._registry.by_signing_name:
            raise Unroutable(UnknownOperationException(), "query", "sqs")
        raise Unroutable(_lacking(f"service {scope.service!r}", f"{request.method} {path}"), _guess_protocol(request))


def _action(request: HttpRequest) -> str | None:
    """Return the query protocol's Action, which stands in the form or in the query string."""
    found = ACTION.search(request.query)
    if found is None and request.headers.get(b"content-type", b"").lower().startswith(FORM):
        found = ACTION.search(request.body)
    if found is None:
        return None
    return parse_qs(b"Action=" + found[1], keep_blank_values=True, encoding="utf-8", errors="replace")[b"Action"][
        0
    ].decode()


def _guess_protocol(request: HttpRequest) -> str:
    """Return in which of the protocols that we speak a refusal may be understood."""
    content_type = request.headers.get(b"content-type", b"")
    return "rest-json" if b"json" in content_type else "query"


def _lacking(service: str, operation: str) -> NotImplementedFailure:
    return NotImplementedFailure(f"Cumulet does not implement {operation} of {service}.")
