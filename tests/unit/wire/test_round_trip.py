"""Every operation of seven services, both ways, against botocore's own serializers and parsers."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulet.kernel.errors import AwsError
from cumulet.wire.errors import modeled
from cumulet.wire.service import encode_error, load

from .botocore_client import client_model, labels_of, read, sent
from .shape_values import Values

SERVICES = {
    "sqs": ("json", "query"),
    "sns": ("query",),
    "lambda": ("rest-json",),
    "events": ("json",),
    "dynamodb": ("json",),
    "stepfunctions": ("json",),
    "cloudformation": ("query",),
}
# Their answers are streams of events, which are not built.
EVENT_STREAMS = {("lambda", "InvokeWithResponseStream")}
REQUEST_ID = "11111111-2222-3333-4444-555555555555"

OPERATIONS = [
    (service, protocol, name)
    for service, protocols in SERVICES.items()
    for protocol in protocols
    for name in sorted(load(service).operation_names)
]
ERRORS = [
    (service, protocol, name)
    for service, protocols in SERVICES.items()
    for protocol in protocols
    for name in sorted(load(service).errors)
]
property_of_each = settings(
    max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize(("service", "protocol", "name"), OPERATIONS)
@property_of_each
@given(data=st.data())
def test_what_a_client_sends_is_what_we_decode(service: str, protocol: str, name: str, data: st.DataObject) -> None:
    wire = load(service)
    model = client_model(wire, protocol).operation_model(name)
    params = data.draw(_values(service, protocol).structure(model.input_shape)) if model.input_shape else {}
    request = sent(protocol, model, params)
    labels = labels_of(wire, name, request) if protocol == "rest-json" else {}

    decoded = wire.operation(name).decode(protocol, request, labels)

    assert _comparable(decoded, protocol) == _comparable(params, protocol)


@pytest.mark.parametrize(("service", "protocol", "name"), [o for o in OPERATIONS if (o[0], o[2]) not in EVENT_STREAMS])
@property_of_each
@given(data=st.data())
def test_what_we_encode_is_what_a_client_reads(service: str, protocol: str, name: str, data: st.DataObject) -> None:
    wire = load(service)
    model = client_model(wire, protocol).operation_model(name)
    result = data.draw(_values(service, protocol).structure(model.output_shape)) if model.output_shape else {}
    code = next((n for n, s in _members(model.output_shape) if s.serialization.get("location") == "statusCode"), None)
    if code in result:
        result[code] = 200 + abs(result[code]) % 100

    response = wire.operation(name).encode(protocol, result, REQUEST_ID)

    parsed = read(protocol, model, response)
    metadata = parsed.pop("ResponseMetadata")
    assert metadata["RequestId"] == REQUEST_ID
    assert parsed.pop(code, None) == (result.pop(code, response.status) if code else None)
    assert _comparable(parsed, protocol) == _comparable(result, protocol)


@pytest.mark.parametrize(("service", "protocol", "name"), ERRORS)
@property_of_each
@given(data=st.data())
def test_what_we_raise_is_what_a_client_catches(service: str, protocol: str, name: str, data: st.DataObject) -> None:
    wire = load(service)
    shape = client_model(wire, protocol).shape_for(name)
    members = data.draw(_values(service, protocol).structure(shape))
    message = next((members.pop(n) for n in list(members) if n.lower() == "message"), "Something is wrong.")
    error = modeled(service, name)(message, **members)

    response = encode_error(wire, protocol, error, REQUEST_ID)

    operation = client_model(wire, protocol).operation_model(min(wire.operation_names))
    parsed = read(protocol, operation, response)
    assert parsed["Error"]["Code"] == _code(service, protocol, name)
    assert (parsed["Error"]["Message"] or "") == message
    assert parsed["ResponseMetadata"]["RequestId"] == REQUEST_ID
    assert response.status == wire.errors[name].status == type(error).status
    assert issubclass(modeled(service, name), AwsError)
    of_shape = {n: v for n, v in read(protocol, operation, response, shape).items() if n.lower() != "message"}
    assert _comparable(of_shape, protocol) == _comparable(members, protocol)


@cache
def _values(service: str, protocol: str) -> Values:
    return Values(is_xml=protocol == "query")


def _code(service: str, protocol: str, name: str) -> str:
    is_old = protocol == "query" or load(service).facts.is_query_compatible
    return load(service).errors[name].query_code if is_old else name


def _members(shape: Any) -> list[tuple[str, Any]]:
    return list(shape.members.items()) if shape is not None else []


def _comparable(value: Any, protocol: str) -> Any:
    """Leave out what a form, XML or REST can't tell from absence: empty lists, maps and structures, empty bodies."""
    if protocol == "json":
        return value
    if isinstance(value, dict):
        kept = {name: _comparable(item, protocol) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in ({}, [], b"")}
    if isinstance(value, list):
        return [_comparable(item, protocol) for item in value]
    return value
