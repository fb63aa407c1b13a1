"""The REST protocol with JSON bodies: members in the path, the query, headers, the status and the body.

A member named as payload is the whole body: bytes and text as they are, structures and documents as JSON, the events
of an event stream as frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulet.kernel.errors import AwsError
from cumulet.wire import event_stream, json_body
from cumulet.wire.constraints import Checkers
from cumulet.wire.errors import trait_of
from cumulet.wire.event_stream import EventWriter
from cumulet.wire.http import HttpRequest, HttpResponse
from cumulet.wire.model import body_members
from cumulet.wire.protocols.base import REQUEST_ID, Decode, Encode
from cumulet.wire.protocols.json_ import error_members
from cumulet.wire.rest import RequestParts, ResponseParts
from cumulet.wire.rest_payload import payload_reader, payload_writer
from cumulet.wire.shapes import OperationModel

if TYPE_CHECKING:
    from cumulet.wire.service import WireService

CONTENT_TYPE = b"content-type"
JSON = b"application/json"
ERROR_TYPE = b"x-amzn-errortype"


class RestJson:
    """The `rest-json` protocol."""

    def decoder(self, service: WireService, operation: OperationModel) -> Decode:
        shape = operation.input_shape
        if shape is None:
            return lambda request, labels: {}
        parts = RequestParts(shape)
        read_body = payload_reader(service, shape)
        check = service.shared(Checkers).of(shape)
        name = operation.name

        def decode(request: HttpRequest, labels: Mapping[str, str]) -> dict[str, Any]:
            value = read_body(request.body)
            parts.read(request, labels, value)
            if check is not None and (violations := check(value)):
                raise service.refuse("rest-json", name, violations)
            return value

        return decode

    def encoder(self, service: WireService, operation: OperationModel) -> Encode:
        shape = operation.output_shape
        status = operation.http.get("responseCode", 200)
        parts = ResponseParts(shape)
        payload = shape.traits.get("payload") if shape is not None else None
        if shape is not None and payload is not None and shape.members[payload].traits.get("eventstream"):
            return _stream_encoder(status, parts, payload, EventWriter(service, shape.members[payload]))
        write_body, content_type = payload_writer(service, shape)
        content_type = service.overlay.content_types.get(operation.name, content_type)

        def encode(result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
            value = result or {}
            body = write_body(value)
            headers = [(REQUEST_ID, request_id.encode())]
            response = HttpResponse(status, body, headers)
            parts.write(value, response)
            if content_type and body and not any(name == CONTENT_TYPE for name, _ in headers):
                headers.append((CONTENT_TYPE, content_type))
            return response

        return encode

    def encode_error(
        self, service: WireService | None, error: AwsError, request_id: str, *, query_compatible: bool
    ) -> HttpResponse:
        trait = trait_of(service.model if service else None, error)
        body = error_members(service, error, body_members(trait.shape))
        headers = [(REQUEST_ID, request_id.encode()), (ERROR_TYPE, trait.name.encode()), (CONTENT_TYPE, JSON)]
        response = HttpResponse(trait.status, json_body.dumps(body), headers)
        if trait.shape is not None:
            ResponseParts(trait.shape).write(error.members, response)
            response.status = trait.status
        return response


def _stream_encoder(status: int, parts: ResponseParts, payload: str, writer: EventWriter) -> Encode:
    """Return what answers with an event stream: the result has an iterator of events where the payload is."""

    def encode(result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
        value = result or {}
        headers = [(REQUEST_ID, request_id.encode())]
        response = HttpResponse(status, headers=headers, stream=writer.frames(value[payload]))
        parts.write(value, response)
        if not any(name == CONTENT_TYPE for name, _ in headers):
            headers.append((CONTENT_TYPE, event_stream.CONTENT_TYPE))
        return response

    return encode
