"""AWS Signature Version 4 as the server sees it: read the signature of a request, check it.

Pure: the time and the secret are arguments. `scope` tells cheaply what a request claims (routing in open mode needs
no more); `read` takes the whole claim apart, `verify` tests the signature. Every refusal is a `SignatureRefused` whose
`reason` says which of AWS's errors it is; the protocol decides on the error's code.
Header and presigned URL differ only in where the claim stands and in how long it holds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from cumulet.kernel.errors import AwsError
from cumulet.wire.http import HttpRequest

ALGORITHM = b"AWS4-HMAC-SHA256"
LONGEST_EXPIRY_SECONDS = 604_800
"""AWS: a presigned URL holds for seven days at most."""
UNSIGNED_PAYLOAD = b"UNSIGNED-PAYLOAD"
STREAMING_PAYLOAD = b"STREAMING-"
S3_SERVICES = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda"})
"""Services whose paths are signed as they are: encoded once and not normalised."""

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)

ISO_BASIC = "%Y%m%dT%H%M%SZ"
_ISO_BASIC_DATE = re.compile(rb"[0-9]{8}T[0-9]{6}Z")
_SEPARATOR = re.compile(rb"[,\s]+")
_UNRESERVED = re.compile(rb"[A-Za-z0-9\-._~]*")
_SIGNATURE_LENGTH = 64
_DEFAULT_EXPIRY = b"900"  # STS and others give a URL 15 minutes
_LONGEST_CACHED_HEADER = 1024
_PRESIGNED = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")


class Reason(StrEnum):
    """Why a request was refused."""

    MISSING = "nothing is signed"
    INCOMPLETE = "a part of the signature is missing or malformed"
    INCOMPLETE_QUERY = "a part of the presigned URL's signature is missing or malformed"
    OUT_OF_TIME = "the request's date is not the server's"
    EXPIRED_URL = "the presigned URL has expired"
    UNSIGNED_HEADER = "a header that must be signed is not"
    UNKNOWN_KEY = "no such access key"
    WRONG_TOKEN = "the session token is not the access key's"
    EXPIRED_TOKEN = "the session has expired"
    MISMATCH = "the signature is not the request's"
    BODY_MISMATCH = "the body is not the one that the header declares"


class SignatureRefused(AwsError):
    """A request whose signature does not hold, in no protocol yet."""

    code = "InvalidSignatureException"
    status = 403

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Scope(NamedTuple):
    """The five parts of a credential: `access key id/date/region/service/aws4_request`."""

    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str

    def __str__(self) -> str:
        return "/".join(self[1:])


class Claim(NamedTuple):
    """What a request says about its signature; nothing of it is verified."""

    algorithm: bytes
    credential: bytes
    scope: Scope | None
    signed_headers: tuple[bytes, ...]
    signature: bytes
    date: str
    """ISO 8601 basic format, as in the string to sign."""
    date_ms: int
    token: bytes | None
    expires_seconds: int | None
    """How long a presigned URL holds; None for a signature in the header."""


class _Terms(NamedTuple):
    """What an Authorization header says, without the signature when that stands last."""

    algorithm: bytes
    parts: Mapping[bytes, bytes]
    scope: Scope | None
    signed_headers: tuple[bytes, ...]
    is_malformed: bool


def scope(request: HttpRequest) -> Scope | None:
    """Return what the credential of a request says, from header or presigned URL; None when there is none."""
    authorization = request.headers.get(b"authorization")
    if authorization is not None and authorization.startswith(b"AWS4-"):
        return _split(authorization)[0].scope
    if b"X-Amz-Credential=" in request.query:
        return _scope_of(_parameters(request.query).get(b"X-Amz-Credential", b""))
    return None


def read(request: HttpRequest) -> Claim:
    """Return the request's claim. Raises `SignatureRefused` when there is none or a part of it is missing."""
    authorization = request.headers.get(b"authorization")
    parameters = _parameters(request.query) if b"X-Amz-Algorithm" in request.query else {}
    if b"X-Amz-Algorithm" not in parameters:
        if authorization is None or not authorization.startswith(b"AWS4-"):
            raise SignatureRefused(Reason.MISSING, "Request is missing Authentication Token")
        return _read_header(authorization, request.headers)
    if authorization is not None:
        message = "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
        raise SignatureRefused(Reason.MISMATCH, message)
    return _read_presigned(parameters)


def verify(request: HttpRequest, claim: Claim, scope: Scope, secret: str) -> None:
    """Return when the request was signed with `secret`; the comparison takes the same time for any signature.

    AWS: a plain hash in `x-amz-content-sha256` is compared with the body too; S3 has an error of its own for it.
    """
    is_s3 = scope.service in S3_SERVICES
    declared = request.headers.get(b"x-amz-content-sha256")
    is_unsigned = declared is not None and (declared == UNSIGNED_PAYLOAD or declared.startswith(STREAMING_PAYLOAD))
    if declared is not None and (is_s3 or is_unsigned):
        payload = declared
    elif is_s3 and claim.expires_seconds is not None:
        payload = UNSIGNED_PAYLOAD
    else:
        payload = hashlib.sha256(request.body).hexdigest().encode()
    canonical = canonical_request(request, claim.signed_headers, payload, is_s3=is_s3)
    to_sign = string_to_sign(canonical, claim.date, scope)
    key = signing_key(secret, scope.date, scope.region, scope.service)
    if not hmac.compare_digest(hmac.digest(key, to_sign, "sha256").hex().encode(), claim.signature):
        message = (
            f"{MISMATCH}\n\nThe Canonical String for this request should have been\n'{_text(canonical)}'"
            f"\n\nThe String-to-Sign should have been\n'{_text(to_sign)}'\n"
        )
        raise SignatureRefused(Reason.MISMATCH, message)
    if is_s3 and declared and not is_unsigned and declared != hashlib.sha256(request.body).hexdigest().encode():
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise SignatureRefused(Reason.BODY_MISMATCH, message)


def canonical_request(request: HttpRequest, signed_headers: tuple[bytes, ...], payload: bytes, *, is_s3: bool) -> bytes:
    """Return AWS's canonical form of a request; `payload` is the hash of the body or what stands for it."""
    headers = request.headers
    lines = [request.method.encode(), canonical_path(request.raw_path, is_s3=is_s3), canonical_query(request.query)]
    lines += [name + b":" + b" ".join(headers.get(name, b"").split()) for name in signed_headers]
    lines += [b"", b";".join(signed_headers), payload]
    return b"\n".join(lines)


def canonical_path(raw_path: bytes, *, is_s3: bool) -> bytes:
    """Return the path as it is signed.

    AWS: S3 signs each character encoded once and keeps dots, double slashes and encoded slashes; every other service
    removes dot segments and double slashes and encodes the already encoded path again.
    """
    if raw_path in (b"/", b""):
        return b"/"
    if is_s3:
        return "/".join([quote_from_bytes(unquote_to_bytes(it), safe="") for it in raw_path.split(b"/")]).encode()
    kept: list[bytes] = []
    for segment in raw_path.split(b"/"):
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    path = b"/" + b"/".join(kept) + (b"/" if kept and raw_path.endswith(b"/") else b"")
    return quote_from_bytes(path, safe="/~").encode()


def canonical_query(query: bytes) -> bytes:
    """Return the query as it is signed: sorted by encoded name, then value, and without `X-Amz-Signature`."""
    if not query:
        return b""
    pairs = []
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if pair and name != b"X-Amz-Signature":
            pairs.append((_encoded(name), _encoded(value)))
    return b"&".join([name + b"=" + value for name, value in sorted(pairs)])


def string_to_sign(canonical: bytes, date: str, scope: Scope) -> bytes:
    """Return what the signing key signs for a canonical request."""
    return f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}".encode()


@lru_cache(maxsize=1024)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Return the key that a secret gives for one day, region and service."""
    key = b"AWS4" + secret.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _split(authorization: bytes) -> tuple[_Terms, bytes]:
    """Return the terms of an Authorization header and its signature.

    The signature usually stands last, and what stands before it is the same all day: that is parsed once.
    """
    before, _, signature = authorization.rpartition(b"Signature=")
    if len(signature) == _SIGNATURE_LENGTH and b"," not in signature and len(before) <= _LONGEST_CACHED_HEADER:
        return _terms(before), signature
    terms = _terms.__wrapped__(authorization)
    return terms, terms.parts.get(b"Signature", b"")


@lru_cache(maxsize=1024)
def _terms(text: bytes) -> _Terms:
    algorithm, *pieces = _SEPARATOR.split(text)
    pairs = [piece.partition(b"=") for piece in pieces if piece]
    parts = {name: value for name, _, value in reversed(pairs)}
    scope = _scope_of(parts.get(b"Credential", b""))
    return _Terms(algorithm, parts, scope, _names(parts.get(b"SignedHeaders", b"")), not all(it[1] for it in pairs))


def _read_header(authorization: bytes, headers: Mapping[bytes, bytes]) -> Claim:
    terms, signature = _split(authorization)
    if terms.is_malformed:
        message = "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded"
        raise SignatureRefused(Reason.INCOMPLETE, f"{message} with Base64): '{_fingerprint(authorization)}'.")
    date = headers.get(b"x-amz-date") or headers.get(b"date")
    credential = terms.parts.get(b"Credential")
    if not credential or not signature or date is None or b"SignedHeaders" not in terms.parts:
        present = {"Credential": credential, "Signature": signature, "SignedHeaders": b"SignedHeaders" in terms.parts}
        missing = [f"Authorization header requires '{name}' parameter. " for name, it in present.items() if not it]
        if date is None:
            missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
        message = f"{''.join(missing)}(Hashed with SHA-256 and encoded with Base64) Authorization="
        raise SignatureRefused(Reason.INCOMPLETE, message + _fingerprint(authorization))
    return Claim(
        terms.algorithm,
        credential,
        terms.scope,
        terms.signed_headers,
        signature,
        *_date(date, Reason.INCOMPLETE),
        token=headers.get(b"x-amz-security-token"),
        expires_seconds=None,
    )


def _read_presigned(parameters: Mapping[bytes, bytes]) -> Claim:
    algorithm, credential, signature, signed_headers, date = (parameters.get(name.encode(), b"") for name in _PRESIGNED)
    if not (credential and signature and signed_headers and date):
        missing = [name for name in _PRESIGNED if not parameters.get(name.encode())]
        sentences = [f"AWS query-string parameters must include '{name}'. " for name in missing]
        message = f"{''.join(sentences)}Re-examine the query-string parameters."
        raise SignatureRefused(Reason.INCOMPLETE_QUERY, message)
    expires = parameters.get(b"X-Amz-Expires", _DEFAULT_EXPIRY)
    if not re.fullmatch(rb"[0-9]{1,9}", expires) or not 1 <= int(expires) <= LONGEST_EXPIRY_SECONDS:
        message = f"X-Amz-Expires must be a number of seconds from 1 to {LONGEST_EXPIRY_SECONDS} (a week)"
        raise SignatureRefused(Reason.INCOMPLETE_QUERY, message)
    return Claim(
        algorithm,
        credential,
        _scope_of(credential),
        _names(signed_headers),
        signature,
        *_date(date, Reason.INCOMPLETE_QUERY),
        token=parameters.get(b"X-Amz-Security-Token"),
        expires_seconds=int(expires),
    )


def _scope_of(credential: bytes) -> Scope | None:
    parts = _text(credential).rstrip("/").split("/")
    return Scope(*parts) if len(parts) == 5 else None


def _names(signed_headers: bytes) -> tuple[bytes, ...]:
    return tuple(signed_headers.lower().split(b";"))


@lru_cache(maxsize=256)
def _moment(date: bytes) -> tuple[str, int] | None:
    """Return a date in ISO basic format and in milliseconds; None when it is not one. HTTP's own format goes too."""
    try:
        if _ISO_BASIC_DATE.fullmatch(date):
            moment = datetime.strptime(date.decode(), ISO_BASIC).replace(tzinfo=UTC)
        else:
            moment = parsedate_to_datetime(date.decode("ascii"))
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.strftime(ISO_BASIC), round(moment.timestamp() * 1000)


def _date(value: bytes, incomplete: Reason) -> tuple[str, int]:
    moment = _moment(value[:_LONGEST_CACHED_HEADER])
    if moment is None:
        wanted = f"Date must be in ISO-8601 'basic format'. Got '{_text(value)}'."
        raise SignatureRefused(incomplete, f"{wanted} See http://en.wikipedia.org/wiki/ISO_8601")
    return moment


def _parameters(query: bytes) -> dict[bytes, bytes]:
    pairs = [pair.partition(b"=") for pair in query.split(b"&")]
    return {_decoded(name): _decoded(value) for name, _, value in reversed(pairs)}


def _decoded(part: bytes) -> bytes:
    return unquote_to_bytes(part.replace(b"+", b" "))


def _encoded(part: bytes) -> bytes:
    return part if _UNRESERVED.fullmatch(part) else quote_from_bytes(_decoded(part), safe="").encode()


def _fingerprint(authorization: bytes) -> str:
    return base64.b64encode(hashlib.sha256(authorization).digest()).decode()


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
