"""The JSON protocols 1.0 and 1.1: everything is in the body, the operation in a header.

Errors carry their shape's name in `__type`: with the service's namespace where the overlay knows one, with
Coral's for errors that every service has. Services that once spoke query add `x-amzn-query-error`, from which
clients take the code that they know of old.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulet.kernel.errors import AwsError, SerializationException
from cumulet.wire import json_body
from cumulet.wire.constraints import Checkers, PatternCheckers
from cumulet.wire.errors import ErrorTrait, trait_of
from cumulet.wire.http import HttpRequest, HttpResponse
from cumulet.wire.json_values import WireForms
from cumulet.wire.protocols.base import REQUEST_ID, Decode, Encode
from cumulet.wire.shapes import OperationModel, Shape

if TYPE_CHECKING:
    from cumulet.wire.service import WireService

CORAL = "com.amazon.coral.service"
QUERY_ERROR = b"x-amzn-query-error"
DEFAULT_VERSION = "1.0"
GZIP = 31
"""zlib's window for data with gzip's header."""
MOST_UNCOMPRESSED_BYTES = 1_048_576
"""CloudWatch: of a request of PutMetricData, the operation whose requests clients compress."""


class Json:
    """The `json` protocol of a model, whichever version it names."""

    def decoder(self, service: WireService, operation: OperationModel) -> Decode:
        shape = operation.input_shape
        if shape is None:
            return lambda request, labels: {}
        members: Mapping[str, Any] = shape.members
        fast = json_body.fast_decoder(service, shape.name, members, tuple(shape.required_members))
        check = service.shared(Checkers).of(shape)
        check_patterns = service.shared(PatternCheckers).of(shape)
        name = operation.name
        is_compressible = operation.is_compressible

        def decode_slowly(body: bytes) -> dict[str, Any]:
            value = json_body.slow_decode(members, body)
            if check is not None and (violations := check(value)):
                raise service.refuse("json", name, violations)
            return value

        def decode(request: HttpRequest, labels: Mapping[str, str]) -> dict[str, Any]:
            body = request.body
            if is_compressible and request.headers.get(b"content-encoding") == b"gzip":
                body = _uncompressed(body)
            try:
                value = fast(body)
            except json_body.REFUSED:
                return decode_slowly(body)
            if check_patterns is not None and (violations := check_patterns(value)):
                raise service.refuse("json", name, violations)
            return value

        return decode

    def encoder(self, service: WireService, operation: OperationModel) -> Encode:
        content_type = _content_type(service)
        shape = operation.output_shape
        if shape is None:
            return lambda result, request_id: HttpResponse(
                200, b"", [(REQUEST_ID, request_id.encode()), (b"content-type", content_type)]
            )
        write = json_body.encoder(service, shape.members)

        def encode(result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
            body = write(result) if result else b"{}"
            return HttpResponse(200, body, [(REQUEST_ID, request_id.encode()), (b"content-type", content_type)])

        return encode

    def encode_error(
        self, service: WireService | None, error: AwsError, request_id: str, *, query_compatible: bool
    ) -> HttpResponse:
        trait = trait_of(service.model if service else None, error)
        members = trait.shape.members if trait.shape is not None else {}
        body = {"__type": f"{_namespace(service, trait)}{trait.name}", **error_members(service, error, members)}
        headers = [(REQUEST_ID, request_id.encode()), (b"content-type", _content_type(service))]
        status = trait.status
        if service is not None and service.facts.is_query_compatible:
            status = error.query_status or status
            if query_compatible:
                fault = "Sender" if trait.is_sender_fault else "Receiver"
                headers.append((QUERY_ERROR, f"{trait.query_code};{fault}".encode()))
        return HttpResponse(status, json_body.dumps(body), headers)


def error_members(service: WireService | None, error: AwsError, members: Mapping[str, Shape]) -> dict[str, Any]:
    """Return the message, under the name that the shape gives it, and the shape's further members as JSON values."""
    name = next((name for name in members if name.lower() == "message"), None)
    values = error.members if name is None else {name: error.message or None, **error.members}
    written: dict[str, Any] = service.shared(WireForms).members(members)(values) if service else {}
    return {"message": error.message, **written} if name is None and error.message else written


def _uncompressed(body: bytes) -> bytes:
    """Return what a client has compressed; raises SerializationException where it is no gzip, or too much."""
    decompressor = zlib.decompressobj(GZIP)
    try:
        content = decompressor.decompress(body, MOST_UNCOMPRESSED_BYTES)
    except zlib.error:
        raise SerializationException("The body is not compressed with gzip.") from None
    if not decompressor.eof:
        raise SerializationException(
            f"The body is incomplete, or longer than {MOST_UNCOMPRESSED_BYTES} bytes when it is uncompressed."
        )
    return content


def _namespace(service: WireService | None, trait: ErrorTrait) -> str:
    if service is None or trait.shape is None or trait.name in service.overlay.coral_errors:
        return f"{CORAL}#"
    return f"{service.overlay.error_namespace}#" if service.overlay.error_namespace else ""


def _content_type(service: WireService | None) -> bytes:
    version = service.model.metadata.get("jsonVersion", DEFAULT_VERSION) if service else DEFAULT_VERSION
    return f"application/x-amz-json-{version}".encode()
