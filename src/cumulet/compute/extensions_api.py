"""The Extensions API (2020-01-01), the Telemetry API (2022-07-01) and the Logs API (2020-08-15).

They are served on an environment's own address, beside the Runtime API. What a request does to the environment is up
to `Host`; statuses, error types and messages are AWS's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import msgspec
import orjson

from cumulet.compute.extensions import INVOKE, MOST_EXTENSIONS, SHUTDOWN, Extension, Extensions, ExtensionState
from cumulet.compute.function import Function
from cumulet.compute.runtime_api import ACCEPTED, NOT_FOUND, WRONG_METHOD, RuntimeConnection, answer, error
from cumulet.compute.subscriptions import LOGS, TELEMETRY, InvalidSubscription, Subscription, read_subscription

REGISTER = b"/2020-01-01/extension/register"
NEXT = b"/2020-01-01/extension/event/next"
INIT_ERROR = b"/2020-01-01/extension/init/error"
EXIT_ERROR = b"/2020-01-01/extension/exit/error"
SUBSCRIBE = {TELEMETRY.path: TELEMETRY, LOGS.path: LOGS}
METHODS = {REGISTER: b"POST", NEXT: b"GET", INIT_ERROR: b"POST", EXIT_ERROR: b"POST"} | dict.fromkeys(SUBSCRIBE, b"PUT")

NAME = b"lambda-extension-name"
IDENTIFIER = b"lambda-extension-identifier"
ERROR_TYPE = b"lambda-extension-function-error-type"
FEATURES = b"lambda-extension-accept-feature"

FORBIDDEN = b"403 Forbidden"
SUBSCRIBED = answer(b"200 OK", b'"OK"')
NOT_ALLOWED = "State transition is not allowed"
_IDENTIFIER = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Request(NamedTuple):
    """A request to one of the three."""

    method: bytes
    path: bytes
    headers: Mapping[bytes, bytes]
    """By their names in lower case."""
    body: bytes


class Host(Protocol):
    """What an environment does with what extensions ask for."""

    function: Function
    extensions: Extensions

    def extension_registered(self) -> None:
        """One more has registered."""

    def extension_waits(self) -> None:
        """One has asked for its next event."""

    def extension_failed(self, extension: Extension) -> None:
        """One has reported an error."""

    def subscribe(self, extension: Extension, subscription: Subscription) -> bool:
        """One wants to have telemetry; False if it has it by the other API."""


class _RegisterRequest(msgspec.Struct):
    events: list[str] = []
    configurationKeys: list[str] = []  # noqa: N815


def serve(host: Host, connection: RuntimeConnection, request: Request) -> None:
    """Answer a request; one for the next event maybe later."""
    path = request.path.rstrip(b"/")
    if path not in METHODS:
        connection.answer(NOT_FOUND)
    elif request.method != METHODS[path]:
        connection.answer(WRONG_METHOD)
    elif path == REGISTER:
        connection.answer(_register(host, request))
    else:
        extension = _who(host.extensions, request.headers.get(IDENTIFIER, b"").decode("latin-1"))
        if isinstance(extension, bytes):
            connection.answer(extension)
        elif path == NEXT:
            _next(host, connection, extension)
        elif path in SUBSCRIBE:
            connection.answer(_subscribe(host, extension, path, request.body))
        else:
            is_init = path == INIT_ERROR
            connection.answer(_fail(host, extension, request.headers.get(ERROR_TYPE, b""), is_init=is_init))


def _register(host: Host, request: Request) -> bytes:
    extensions, name = host.extensions, request.headers.get(NAME, b"").decode("latin-1")
    if not name:
        return _refuse("Extension.InvalidExtensionName", "Empty extension name")
    try:
        wanted = msgspec.json.decode(request.body, type=_RegisterRequest)
        if wanted.configurationKeys:
            raise ValueError("configurationKeys are deprecated; use environment variables instead")
    except ValueError as invalid:
        return _refuse("InvalidRequestFormat", str(invalid))
    extension = extensions.named(name)
    is_external = extension is not None and extension.is_external
    for event in wanted.events:
        if event not in (INVOKE, SHUTDOWN):
            return _refuse("Extension.InvalidEventType", f"{event}: ErrorInvalidEventType")
        if event == SHUTDOWN and not is_external:
            return _refuse("Extension.InvalidEventType", f"{event}: ShutdownEventNotSupportedForInternalExtension")
    if extension is None:
        if not extensions.is_open:
            return _refuse("Extension.RegistrationClosed", "Extension registration closed already")
        if len(extensions) >= MOST_EXTENSIONS:
            return _refuse("Extension.TooManyExtensions", f"Extension limit ({MOST_EXTENSIONS}) reached")
        extension = Extension(name, None)
        extensions.add(extension)
    elif not is_external:
        return _refuse("Extension.InvalidExtensionState", "Extension with this name already registered")
    elif extension.state is not ExtensionState.STARTED:
        return _refuse_transition(extension, ExtensionState.REGISTERED, name)
    extensions.register(extension, wanted.events)
    host.extension_registered()
    function = host.function
    facts = {
        "functionName": function.name,
        "functionVersion": function.version,
        "handler": function.handler,
    }
    features = request.headers.get(FEATURES, b"").decode("latin-1").split(",")
    if "accountId" in (feature.strip() for feature in features):
        facts["accountId"] = function.account
    head = b"Lambda-Extension-Identifier: %b\r\n" % extension.identifier.encode()
    return answer(b"200 OK", orjson.dumps(facts), head)


def _who(extensions: Extensions, identifier: str) -> Extension | bytes:
    if not identifier:
        return _refuse("Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
    if not _IDENTIFIER.fullmatch(identifier):
        return _refuse("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
    unknown = _refuse("Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")
    return extensions.identified(identifier) or unknown


def _next(host: Host, connection: RuntimeConnection, extension: Extension) -> None:
    if extension.state not in (ExtensionState.REGISTERED, ExtensionState.READY, ExtensionState.RUNNING):
        connection.answer(_refuse_transition(extension, ExtensionState.READY, extension.identifier))
        return
    connection.wait_for_event()
    extension.wait(connection)
    host.extension_waits()


def _fail(host: Host, extension: Extension, error_type: bytes, *, is_init: bool) -> bytes:
    failed = ExtensionState.INIT_ERROR if is_init else ExtensionState.EXIT_ERROR
    working = [ExtensionState.REGISTERED]
    if not is_init:
        working += [ExtensionState.READY, ExtensionState.RUNNING]
    if not error_type:
        return _refuse("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")
    if extension.state is failed:
        return ACCEPTED
    if extension.state not in working:
        # AWS names the state Exited for a report of an exit.
        wanted = ExtensionState.INIT_ERROR if is_init else ExtensionState.EXITED
        return _refuse_transition(extension, wanted, extension.identifier)
    extension.state = failed
    extension.error_type = error_type.decode("latin-1")
    host.extension_failed(extension)
    return ACCEPTED


def _subscribe(host: Host, extension: Extension, path: bytes, body: bytes) -> bytes:
    api = SUBSCRIBE[path]
    if not host.extensions.is_open:
        return _refuse(f"{api.name}.SubscriptionClosed", f"{api.name} API subscription is closed already")
    try:
        subscription = read_subscription(api, body)
    except InvalidSubscription as invalid:
        return error(b"400 Bad Request", api.invalid, str(invalid))
    if not host.subscribe(extension, subscription):
        return error(b"400 Bad Request", api.invalid, "the extension has subscribed by the other API")
    return SUBSCRIBED


def _refuse_transition(extension: Extension, wanted: ExtensionState, who: str) -> bytes:
    was = extension.state.value
    message = f"State transition from {was} to {wanted.value} failed for extension {who}. Error: {NOT_ALLOWED}"
    return _refuse("Extension.InvalidExtensionState", message)


def _refuse(error_type: str, message: Any) -> bytes:
    return error(FORBIDDEN, error_type, message)
