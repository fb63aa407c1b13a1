"""botocore as the client: what it sends for given parameters, and what it reads from our answers."""

from __future__ import annotations

import io
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from cumulet.wire.form import pairs
from cumulet.wire.http import HttpRequest, HttpResponse
from cumulet.wire.service import WireService
from cumulet.wire.uri import Router, split


@cache
def client_model(service: WireService, protocol: str) -> ServiceModel:
    """Return a service as a client of a protocol has it."""
    return ServiceModel(service.description_for(protocol), service.name)


def sent(protocol: str, operation: OperationModel, params: dict[str, Any]) -> HttpRequest:
    """Return the request that botocore makes of parameters."""
    serialized = create_serializer(protocol).serialize_to_request(params, operation)
    prepare_request_dict(serialized, "http://localhost:4566", {})
    prepared = create_request_object(serialized).prepare()
    url = urlsplit(prepared.url)
    headers = {_bytes(name).lower(): _bytes(value) for name, value in prepared.headers.items()}
    body = prepared.body
    body = body.read() if hasattr(body, "read") else body or b""
    return HttpRequest(prepared.method, url.path.encode(), url.query.encode(), headers, _bytes(body))


@cache
def _router(service: WireService) -> Router:
    return Router.of(service)


def labels_of(service: WireService, name: str, request: HttpRequest) -> dict[str, str]:
    """Return the labels that the router finds, having checked that it finds the operation."""
    found = _router(service).match(request.method, split(request.raw_path), dict(pairs(request.query)))
    assert found is not None
    assert found[0] == name
    return found[1]


def read(protocol: str, operation: OperationModel, response: HttpResponse, shape: Any = None) -> dict[str, Any]:
    """Return what botocore reads from an answer (of an error's `shape`, when given)."""
    is_stream = operation.has_streaming_output and response.status < 300
    headers = HeadersDict({name.decode(): value.decode() for name, value in response.headers})
    body = io.BytesIO(response.body) if is_stream else response.body
    parsed: dict[str, Any] = create_parser(protocol).parse(
        {"headers": headers, "status_code": response.status, "body": body},
        operation.output_shape if shape is None else shape,
    )
    return {name: value.read() if hasattr(value, "read") else value for name, value in parsed.items()}


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
