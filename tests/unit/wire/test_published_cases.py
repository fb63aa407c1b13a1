"""AWS's published cases of the wire protocols, taken from the folder that CUMULET_PROTOCOL_CASES names.

An input case is the request that a client makes of given parameters: our decoder gives the parameters back. An
output case is an answer and what a client reads from it: a client reads the same from our encoder's bytes.
"""

from __future__ import annotations

import json
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cumulet.kernel.errors import AwsError
from cumulet.wire.form import pairs
from cumulet.wire.http import HttpRequest
from cumulet.wire.overlays import Overlay
from cumulet.wire.service import WireService, encode_error
from cumulet.wire.uri import Router, split

from .botocore_client import client_model, read

FILES = ("json", "json_1_0", "json_1_0-query-compatible", "query", "rest-json")
COMPRESSION = "tells how a client compresses; the case has no body"
TOKEN = "tells what a client adds to the parameters"
EMPTY = "a form, a query string and headers have no empty list or map: absent and empty are the same"
EMPTY_PAYLOAD = "a client sends {} for a payload that is not there"
NOT_READ = "botocore, the reader here, does not understand the case's own answer either"
NOT_APPLICABLE = {
    "input": {
        "SDKAppliedContentEncoding_awsJson1_0": COMPRESSION,
        "SDKAppliedContentEncoding_awsJson1_1": COMPRESSION,
        "SDKAppliedContentEncoding_awsQuery": COMPRESSION,
        "SDKAppliedContentEncoding_restJson1": COMPRESSION,
        "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0": COMPRESSION,
        "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1": COMPRESSION,
        "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery": COMPRESSION,
        "SDKAppendedGzipAfterProvidedEncoding_restJson1": COMPRESSION,
        "QueryProtocolIdempotencyTokenAutoFill": TOKEN,
        "RestJsonQueryIdempotencyTokenAutoFill": TOKEN,
        "QueryEmptyQueryMaps": EMPTY,
        "RestJsonHttpPrefixHeadersAreNotPresent": EMPTY,
        "RestJsonOmitsEmptyListQueryValues": EMPTY,
        "RestJsonHttpWithEmptyStructurePayload": EMPTY_PAYLOAD,
        "RestJsonHttpWithHeadersButNoPayload": EMPTY_PAYLOAD,
        "RestJsonHostWithPath": "tells how a client joins the paths of an endpoint and of an operation",
        "RestJsonQueryPrecedence": "tells which of two values for one parameter a client sends",
        "RestJsonQueryParamsStringListMap": "tells what a client is given; a server puts all parameters into the map",
        "MediaTypeHeaderInputBase64": "the parameter is the text of the JSON value that the model asks for",
    },
    "output": {
        "QueryXmlLists": "two flattened lists with one item name: botocore and SQS call elements by the item's name",
        "RestJsonHttpPayloadTraitsWithNoBlobBody": NOT_READ,
        "RestJsonHttpPayloadWithUnsetUnion": NOT_READ,
        "RestJsonInputAndOutputWithQuotedStringHeaders": NOT_READ,
        "RestJsonInputAndOutputWithTimestampHeaders": NOT_READ,
        "HttpPrefixHeadersResponse": "the empty prefix also catches the headers that every answer has",
    },
}
FOLDER = os.environ.get("CUMULET_PROTOCOL_CASES")

Suite = dict[str, Any]
Case = dict[str, Any]


def _cases(direction: str) -> list[Any]:
    if not FOLDER:
        reason = "CUMULET_PROTOCOL_CASES names no folder with AWS's protocol cases"
        return [pytest.param({}, {}, marks=pytest.mark.skip(reason=reason), id="no-folder")]
    found = []
    for file in FILES:
        suites = json.loads((Path(FOLDER) / direction / f"{file}.json").read_text())
        for suite in suites:
            for case in suite["cases"]:
                reason = NOT_APPLICABLE[direction].get(case["id"])
                marks = [pytest.mark.skip(reason=reason)] if reason else []
                found.append(pytest.param(suite, case, marks=marks, id=f"{file}-{case['id']}"))
    return found


def _service(suite: Suite, case: Case) -> WireService:
    metadata = {"apiVersion": "2020-01-01", "endpointPrefix": "cases", **suite["metadata"]}
    given = dict(case["given"])
    if metadata["protocol"] == "query" and "output" in given:
        given["output"] = {**given["output"], "resultWrapper": f"{given['name']}Result"}
    content = {"metadata": metadata, "shapes": suite["shapes"], "operations": {given["name"]: given}}
    return WireService("cases", content, Overlay())


@pytest.mark.parametrize(("suite", "case"), _cases("input"))
def test_input(suite: Suite, case: Case) -> None:
    service = _service(suite, case)
    protocol, name, serialized = suite["metadata"]["protocol"], case["given"]["name"], case["serialized"]
    url = urlsplit(serialized["uri"])
    headers = {key.lower().encode(): value.encode() for key, value in serialized.get("headers", {}).items()}
    body = serialized.get("body", "").encode()
    request = HttpRequest(serialized["method"], url.path.encode(), url.query.encode(), headers, body)
    labels: dict[str, str] = {}
    if protocol == "rest-json":
        found = Router.of(service).match(request.method, split(request.raw_path), dict(pairs(request.query)))
        assert found is not None
        labels = found[1]

    decoded = service.operation(name).decode(protocol, request, labels)

    shape = client_model(service, protocol).operation_model(name).input_shape
    assert _same(decoded, _native(shape, case["params"]))


@pytest.mark.parametrize(("suite", "case"), _cases("output"))
def test_output(suite: Suite, case: Case) -> None:
    service = _service(suite, case)
    protocol, name = suite["metadata"]["protocol"], case["given"]["name"]
    operation = client_model(service, protocol).operation_model(name)
    if "error" in case or "errorCode" in case:
        shape = client_model(service, protocol).shape_for(case["given"]["errors"][0]["shape"])
        members = _native(shape, case.get("error", {}))
        message = case.get("errorMessage", "")
        further = {key: value for key, value in members.items() if key.lower() != "message"}
        error = type(shape.name, (AwsError,), {"code": shape.name})(message, **further)

        response = encode_error(service, protocol, error, "request-id")

        parsed = read(protocol, operation, response)
        assert parsed["Error"]["Code"] == case["errorCode"]
        assert (parsed["Error"]["Message"] or "") == message
        assert _same(read(protocol, operation, response, shape), members)
        return
    result = _native(operation.output_shape, case.get("result", {}))

    response = service.operation(name).encode(protocol, result, "request-id")

    parsed = read(protocol, operation, response)
    assert parsed.pop("ResponseMetadata")["RequestId"] == "request-id"
    assert _same(parsed, result)


def _native(shape: Any, value: Any) -> Any:
    """Return a case's plain JSON as Python values of a shape."""
    if shape is None or value is None or shape.metadata.get("document"):
        return value
    kind = shape.type_name
    if kind == "structure":
        return {key: _native(shape.members[key], item) for key, item in value.items()}
    if kind == "list":
        return [_native(shape.member, item) for item in value]
    if kind == "map":
        return {key: _native(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return datetime.fromtimestamp(value, UTC)
    if kind == "blob":
        return value.encode()
    return float(value) if kind in ("float", "double") else value


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        left, right = ({k: v for k, v in d.items() if v is not None} for d in (left, right))
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(right, float) and not math.isfinite(right):
        # botocore leaves the text of a special number in JSON as it is.
        return repr(float(left)) == repr(right)
    return bool(left == right)
