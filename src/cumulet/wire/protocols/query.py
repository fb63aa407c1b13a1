"""The query protocol: parameters of a form or a query string in, XML out.

Lists are `Name.member.N` or, flattened, `Name.N`; maps `Name.entry.N.key` and `.value`. A flattened list or map is
also found under its member's own name, and a flattened list may be a single parameter without a number, because
clients have always sent both. The router may give parameters that the request doesn't have as labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cumulet.kernel.errors import AwsError
from cumulet.wire import form, scalars
from cumulet.wire.constraints import Checkers
from cumulet.wire.errors import MalformedInput, trait_of
from cumulet.wire.http import HttpRequest, HttpResponse
from cumulet.wire.model import wire_name
from cumulet.wire.protocols.base import REQUEST_ID, Decode, Encode
from cumulet.wire.shapes import OperationModel, Shape
from cumulet.wire.xml import DECLARATION, Writers, escaped

if TYPE_CHECKING:
    from cumulet.wire.service import WireService

CONTENT_TYPE = (b"content-type", b"text/xml")
Read = Callable[[Any], Any]


class Query:
    """The `query` protocol."""

    def decoder(self, service: WireService, operation: OperationModel) -> Decode:
        shape = operation.input_shape
        if shape is None:
            return lambda request, labels: {}
        read = service.shared(Readers).members(shape.members)
        check = service.shared(Checkers).of(shape)
        name = operation.name

        def decode(request: HttpRequest, labels: Mapping[str, str]) -> dict[str, Any]:
            flat = form.parameters(request.body, request.query)
            value: dict[str, Any] = read(form.tree({**labels, **flat} if labels else flat))
            if check is not None and (violations := check(value)):
                raise service.refuse("query", name, violations)
            return value

        return decode

    def encoder(self, service: WireService, operation: OperationModel) -> Encode:
        shape = operation.output_shape
        write = service.shared(Writers).members(shape.members if shape is not None else {})
        wrapper = shape.traits.get("resultWrapper") if shape is not None else None
        opening = f'{DECLARATION}<{operation.name}Response xmlns="{escaped(service.xmlns)}">'
        closing = f"</RequestId></ResponseMetadata></{operation.name}Response>"

        def encode(result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
            out = [opening]
            if wrapper:
                out.append(f"<{wrapper}>")
            if result:
                write(out, result)
            if wrapper:
                out.append(f"</{wrapper}>")
            out += ("<ResponseMetadata><RequestId>", request_id, closing)
            return HttpResponse(200, "".join(out).encode(), [(REQUEST_ID, request_id.encode()), CONTENT_TYPE])

        return encode

    def encode_error(
        self, service: WireService | None, error: AwsError, request_id: str, *, query_compatible: bool
    ) -> HttpResponse:
        trait = trait_of(service.model if service else None, error)
        message = service.overlay.query_messages.get(error.message, error.message) if service else error.message
        fault = "Sender" if trait.is_sender_fault else "Receiver"
        namespace = f' xmlns="{escaped(service.xmlns)}"' if service else ""
        out = [
            f"{DECLARATION}<ErrorResponse{namespace}><Error><Type>{fault}</Type>",
            f"<Code>{escaped(trait.query_code)}</Code><Message>{escaped(message)}</Message>",
        ]
        if service is not None and trait.shape is not None and error.members:
            service.shared(Writers).members(trait.shape.members)(out, error.members)
        if service is not None and service.overlay.has_error_detail:
            out.append("<Detail/>")
        out.append(f"</Error><RequestId>{escaped(request_id)}</RequestId></ErrorResponse>")
        return HttpResponse(trait.status, "".join(out).encode(), [(REQUEST_ID, request_id.encode()), CONTENT_TYPE])


class Readers:
    """Compiles readers of a model's parameter trees; a recursive structure finds its own by name when it runs."""

    def __init__(self) -> None:
        self._made: dict[str, Read] = {}
        self._under_way: set[str] = set()

    def members(self, members: Mapping[str, Shape]) -> Read:
        steps = [(name, _names(shape, name), self._compile(shape)) for name, shape in members.items()]

        def read_members(node: Any) -> dict[str, Any]:
            found: dict[str, Any] = {}
            if isinstance(node, dict):
                for name, spelled, read in steps:
                    for spelling in spelled:
                        if spelling in node:
                            found[name] = read(node[spelling])
                            break
            return found

        return read_members

    def _compile(self, shape: Shape) -> Read:
        kind = shape.type_name
        if kind == "structure":
            return self._structure(shape)
        if kind == "list":
            return self._list(shape)
        if kind == "map":
            return self._map(shape)
        parse = scalars.parser(shape, MalformedInput)
        return lambda node: parse(node.get("", "") if isinstance(node, dict) else node)

    def _structure(self, shape: Shape) -> Read:
        name, made = shape.name, self._made
        if name in self._under_way:
            return lambda node: made[name](node)
        if name not in made:
            self._under_way.add(name)
            made[name] = self.members(shape.members)
            self._under_way.discard(name)
        return made[name]

    def _list(self, shape: Shape) -> Read:
        item = self._compile(shape.member)
        inner = None if shape.traits.get("flattened") else wire_name(shape.member, "member")

        def read_list(node: Any) -> list[Any]:
            if not isinstance(node, dict):
                return [item(node)] if node and inner is None else []
            inside = node if inner is None else node.get(inner, {})
            return [item(child) for child in form.numbered(inside)] if isinstance(inside, dict) else []

        return read_list

    def _map(self, shape: Shape) -> Read:
        key_name, value_name = wire_name(shape.key, "key"), wire_name(shape.value, "value")
        read_key, read_value = self._compile(shape.key), self._compile(shape.value)
        inner = None if shape.traits.get("flattened") else "entry"

        def read_map(node: Any) -> dict[str, Any]:
            inside = node if inner is None or not isinstance(node, dict) else node.get(inner, {})
            entries = form.numbered(inside) if isinstance(inside, dict) else []
            return {
                read_key(entry[key_name]): read_value(entry.get(value_name, ""))
                for entry in entries
                if isinstance(entry, dict) and key_name in entry
            }

        return read_map


def _names(shape: Shape, name: str) -> tuple[str, ...]:
    """Return what a member may be called, the proper name first."""
    own = wire_name(shape, name)
    if not shape.traits.get("flattened"):
        return (own,)
    if shape.type_name == "list":
        own = wire_name(shape.member, own)
    return tuple(dict.fromkeys((own, wire_name(shape, name), name)))
