"""Refusals in every protocol of AWS, those included that no service here speaks: a client must be able to read why.

The protocols that `cumulet.wire` has write their own errors. Of the others, this is the error envelope alone.
"""

from __future__ import annotations

from collections.abc import Callable

from cumulet.kernel.errors import AwsError
from cumulet.wire.http import HttpResponse
from cumulet.wire.protocols import PROTOCOLS
from cumulet.wire.service import WireService, encode_error
from cumulet.wire.xml import DECLARATION, escaped

NO_PROTOCOL = "none"
"""Of a request that names neither service nor operation."""
XML = (b"content-type", b"text/xml")
LONGEST_CBOR_TEXT = 0xFFFF


def encode_refusal(service: WireService | None, protocol: str, error: AwsError, request_id: str) -> HttpResponse:
    """Return an error in a protocol; `service` is None when the platform does not have it."""
    if protocol in PROTOCOLS:
        return encode_error(service, protocol, error, request_id)
    return ENVELOPES[protocol](error, request_id)


def _rest_xml(error: AwsError, request_id: str) -> HttpResponse:
    fault = "Sender" if error.sender_fault else "Receiver"
    body = f"<ErrorResponse><Error><Type>{fault}</Type>{_code_and_message(error)}</Error>"
    return _xml(error, f"{body}<RequestId>{request_id}</RequestId></ErrorResponse>", request_id)


def _s3(error: AwsError, request_id: str) -> HttpResponse:
    body = f"<Error>{_code_and_message(error)}<RequestId>{request_id}</RequestId></Error>"
    return _xml(error, body, request_id)


def _ec2(error: AwsError, request_id: str) -> HttpResponse:
    errors = f"<Errors><Error>{_code_and_message(error)}</Error></Errors>"
    return _xml(error, f"<Response>{errors}<RequestID>{request_id}</RequestID></Response>", request_id)


def _cbor(error: AwsError, request_id: str) -> HttpResponse:
    members = (("__type", error.code), ("message", error.message))
    body = bytes([0xA0 + len(members)]) + b"".join(_cbor_text(name) + _cbor_text(text) for name, text in members)
    headers = [
        (b"x-amzn-requestid", request_id.encode()),
        (b"content-type", b"application/cbor"),
        (b"smithy-protocol", b"rpc-v2-cbor"),
    ]
    return HttpResponse(error.status, body, headers)


def _none(error: AwsError, request_id: str) -> HttpResponse:
    """AWS (recorded): a queue's URL without Action answers 404 with this body."""
    headers = [(b"x-amzn-requestid", request_id.encode()), XML]
    return HttpResponse(404, f"<{error.code}/>".encode(), headers)


def _code_and_message(error: AwsError) -> str:
    return f"<Code>{escaped(error.code)}</Code><Message>{escaped(error.message)}</Message>"


def _xml(error: AwsError, body: str, request_id: str) -> HttpResponse:
    headers = [(b"x-amz-request-id", request_id.encode()), XML]
    return HttpResponse(error.status, (DECLARATION + body).encode(), headers)


def _cbor_text(text: str) -> bytes:
    data = text.encode()[:LONGEST_CBOR_TEXT]
    return b"\x79" + len(data).to_bytes(2, "big") + data


ENVELOPES: dict[str, Callable[[AwsError, str], HttpResponse]] = {
    "rest-xml": _rest_xml,
    "s3": _s3,
    "ec2": _ec2,
    "smithy-rpc-v2-cbor": _cbor,
    NO_PROTOCOL: _none,
}
