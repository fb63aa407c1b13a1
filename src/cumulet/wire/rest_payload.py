"""Bodies of REST messages with JSON: all members without another place, or one member that is the payload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cumulet.kernel.errors import SerializationException
from cumulet.wire import json_body, lenient
from cumulet.wire.json_values import WireForms
from cumulet.wire.model import body_members, is_document
from cumulet.wire.shapes import Shape
from cumulet.wire.typed import STRINGS

if TYPE_CHECKING:
    from cumulet.wire.service import WireService

NOT_UTF8 = "The body is not UTF-8"
BINARY = b"application/octet-stream"
TEXT = b"text/plain"
JSON = b"application/json"

Read = Callable[[bytes], dict[str, Any]]
Write = Callable[[Mapping[str, Any]], bytes]


def payload_reader(service: WireService, shape: Shape) -> Read:
    """Return what reads the body's members of an input shape, constraints unchecked."""
    payload = shape.traits.get("payload")
    if payload is None:
        members = body_members(shape)
        return _members_reader(service, shape.name, members) if members else lambda body: {}
    return _payload_reader(service, payload, shape.members[payload], is_required=payload in shape.required_members)


def _members_reader(service: WireService, name: str, members: Mapping[str, Shape]) -> Read:
    fast = json_body.fast_decoder(service, name, members, ())

    def read(body: bytes) -> dict[str, Any]:
        try:
            return fast(body)
        except json_body.REFUSED:
            return json_body.slow_decode(members, body)

    return read


def _payload_reader(service: WireService, name: str, shape: Shape, *, is_required: bool) -> Read:
    if shape.type_name == "blob" or shape.traits.get("eventstream"):
        return lambda body: {name: body} if body or is_required else {}
    if shape.type_name in STRINGS:
        return lambda body: {name: _text(body)} if body or is_required else {}
    if shape.type_name == "structure" and not is_document(shape):
        read = _members_reader(service, shape.name, shape.members)
        return lambda body: {name: read(body)} if body.strip() else {}

    def read_value(body: bytes) -> dict[str, Any]:
        value = json_body.parse(body) if body.strip() else None
        json_body.refuse_depth(body, value)
        return {} if value is None else {name: lenient.read(shape, value)}

    return read_value


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise SerializationException(NOT_UTF8) from None


def payload_writer(service: WireService, shape: Shape | None) -> tuple[Write, bytes]:
    """Return what writes the body of an output shape, and the body's content type."""
    if shape is None:
        return (lambda value: b""), b""
    payload = shape.traits.get("payload")
    if payload is None:
        # A result with nothing in its body is an empty object, as in AWS's answers.
        members = body_members(shape)
        return (json_body.encoder(service, members) if members else lambda value: b"{}"), JSON
    member = shape.members[payload]
    if member.type_name == "blob":
        return (lambda value: _bytes(value.get(payload))), BINARY
    if member.type_name in STRINGS:
        return (lambda value: (value.get(payload) or "").encode()), TEXT
    if member.type_name == "structure" and not is_document(member):
        write = json_body.encoder(service, member.members)
        return (lambda value: b"" if value.get(payload) is None else write(value[payload])), JSON
    to_wire = service.shared(WireForms).compile(member)
    return (lambda value: b"" if value.get(payload) is None else json_body.dumps(to_wire(value[payload]))), JSON


def _bytes(value: Any) -> bytes:
    return b"" if value is None else value.encode() if isinstance(value, str) else bytes(value)
