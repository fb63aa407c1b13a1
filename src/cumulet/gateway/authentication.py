"""Whose request it is: in open mode what the request says, in enforce mode what its signature proves.

Open mode believes every request and checks nothing, a date no more than a signature. Enforce mode knows the access
keys that the store issued. Refusals are tested in AWS's order and answered with the codes of the client's protocol;
`CODES` is the one table of them. Signature dates and the end of sessions are measured by the machine's clock, because
clients sign by theirs.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import ClassVar, NamedTuple

from cumulet.gateway.credentials import DEFAULT_ACCOUNT, Credential, Credentials
from cumulet.kernel.call import Identity
from cumulet.kernel.clock import MACHINE, Clock
from cumulet.kernel.config import AuthMode
from cumulet.kernel.errors import AwsError
from cumulet.wire import sigv4
from cumulet.wire.http import HttpRequest
from cumulet.wire.sigv4 import Claim, Reason, Scope, SignatureRefused

DEFAULT_REGION = "us-east-1"
SKEW_MS = 15 * 60 * 1000
"""AWS: the date of a signature may differ from the server's by 15 minutes."""
INVALID_TOKEN = "The security token included in the request is invalid."
EXPIRED_TOKEN = "The security token included in the request is expired"

_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Codes(NamedTuple):
    """The codes of one refusal. `json` is answered with 400 by the json protocol and with 403 by rest-json."""

    query: str
    query_status: int
    json: str
    s3: str
    s3_status: int
    s3_message: str | None = None


_INCOMPLETE = ("IncompleteSignature", 400, "IncompleteSignatureException")
_INVALID = ("InvalidClientTokenId", 403, "UnrecognizedClientException")
_EXPIRED = ("RequestExpired", 400, "InvalidSignatureException")
_MISMATCH = ("SignatureDoesNotMatch", 403, "InvalidSignatureException")
_UNSIGNED = "There were headers present in the request which were not signed"
_NO_SUCH_KEY = "The AWS Access Key Id you provided does not exist in our records."
_BAD_TOKEN = "The provided token is malformed or otherwise invalid."
_SKEWED = "The difference between the request time and the current time is too large."

CODES = {
    Reason.MISSING: Codes(
        "MissingAuthenticationToken", 403, "MissingAuthenticationTokenException", "AccessDenied", 403, "Access Denied"
    ),
    Reason.INCOMPLETE: Codes(*_INCOMPLETE, "AuthorizationHeaderMalformed", 400),
    Reason.INCOMPLETE_QUERY: Codes(*_INCOMPLETE, "AuthorizationQueryParametersError", 400),
    Reason.OUT_OF_TIME: Codes(*_EXPIRED, "RequestTimeTooSkewed", 403, _SKEWED),
    Reason.EXPIRED_URL: Codes(*_EXPIRED, "AccessDenied", 403, "Request has expired"),
    Reason.UNSIGNED_HEADER: Codes(*_MISMATCH, "AccessDenied", 403, _UNSIGNED),
    Reason.UNKNOWN_KEY: Codes(*_INVALID, "InvalidAccessKeyId", 403, _NO_SUCH_KEY),
    Reason.WRONG_TOKEN: Codes(*_INVALID, "InvalidToken", 400, _BAD_TOKEN),
    Reason.EXPIRED_TOKEN: Codes(
        "ExpiredToken", 403, "ExpiredTokenException", "ExpiredToken", 400, "The provided token has expired."
    ),
    Reason.MISMATCH: Codes(*_MISMATCH, "SignatureDoesNotMatch", 403),
    Reason.BODY_MISMATCH: Codes(*_MISMATCH, "XAmzContentSHA256Mismatch", 400),
}


class AuthenticationError(AwsError):
    """A refusal in the client's protocol.

    `query_code` and `query_status` are the same refusal in the query protocol, which a JSON service that is compatible
    with it (SQS) also answers: code in `x-amzn-query-error`, status as its own.
    """

    query_code: ClassVar[str]
    query_status: ClassVar[int]


@cache
def error_class(reason: Reason, protocol: str) -> type[AuthenticationError]:
    """Return the error that a protocol (or `s3`, which has codes of its own) answers a refusal with."""
    codes = CODES[reason]
    if protocol == "s3":
        code, status = codes.s3, codes.s3_status
    elif protocol in ("query", "ec2", "rest-xml"):
        code, status = codes.query, codes.query_status
    else:
        code, status = codes.json, 403 if protocol == "rest-json" else 400
    members = {"code": code, "status": status, "query_code": codes.query, "query_status": codes.query_status}
    return type(code, (AuthenticationError,), {"__module__": __name__, "__doc__": f"AWS: {reason}.", **members})


def error_of(refusal: SignatureRefused, protocol: str, service: str) -> AuthenticationError:
    """Return a refusal as a service's error in a protocol, in the words that AWS uses there."""
    if service not in sigv4.S3_SERVICES:
        return error_class(refusal.reason, protocol)(refusal.message)
    return error_class(refusal.reason, "s3")(CODES[refusal.reason].s3_message or refusal.message)


class Authenticator:
    """Tells whose request it is. `mode` "open" believes it, "enforce" verifies its signature."""

    def __init__(self, mode: AuthMode, credentials: Credentials, clock: Clock = MACHINE) -> None:
        self.mode = mode
        self._credentials = credentials
        self._clock = clock

    def authenticate_now(self, request: HttpRequest, protocol: str, service: str) -> Identity | None:
        """Return whose request it is without waiting, or None when the store must be asked: see `authenticate`.

        `service` is the signing name of the service that the request was routed to. Raises `AuthenticationError` with
        the protocol's code.
        """
        return self._identify(request, protocol, service, self._credentials.cached)

    async def authenticate(self, request: HttpRequest, protocol: str, service: str) -> Identity:
        """Return whose request it is, asking the store for an access key not seen before."""
        identity = self._identify(request, protocol, service, self._credentials.cached)
        scope = sigv4.scope(request)
        if identity is None and scope is not None:
            loaded = await self._credentials.load(scope.access_key_id)

            def found(access_key_id: str) -> tuple[bool, Credential | None]:
                return True, loaded if access_key_id == scope.access_key_id else None

            identity = self._identify(request, protocol, service, found)
        if identity is None:
            raise error_of(SignatureRefused(Reason.UNKNOWN_KEY, INVALID_TOKEN), protocol, service)
        return identity

    def _identify(
        self,
        request: HttpRequest,
        protocol: str,
        service: str,
        find: Callable[[str], tuple[bool, Credential | None]],
    ) -> Identity | None:
        if self.mode == "open":
            believed = sigv4.scope(request)
            if believed is None or _ACCOUNT.fullmatch(believed.access_key_id):
                return _claimed_identity(believed)
            is_known, credential = find(believed.access_key_id)
            if credential is None:
                return _claimed_identity(believed) if is_known else None
            return _identity(credential, _region(believed))
        try:
            now_ms = self._clock.now_ms()
            claim = sigv4.read(request)
            scope = check(request, claim, service=service, now_ms=now_ms)
            is_known, credential = find(scope.access_key_id)
            if not is_known:
                return None
            if credential is None or not credential.is_active:
                raise SignatureRefused(Reason.UNKNOWN_KEY, INVALID_TOKEN)
            sigv4.verify(request, claim, scope, credential.secret)
            check_session(claim, credential, now_ms)
            return _identity(credential, scope.region)
        except SignatureRefused as refusal:
            raise error_of(refusal, protocol, service) from None


def check(request: HttpRequest, claim: Claim, *, service: str, now_ms: int) -> Scope:
    """Return the claim's scope once everything holds that needs no secret.

    The date lies within 15 minutes of `now_ms` (a presigned URL: at most 15 minutes ahead and not expired), `host` and
    all `x-amz-*` headers are signed, the algorithm is known, and the scope names the date, `service` and a region.
    """
    _check_time(claim, now_ms)
    signed = claim.signed_headers
    if b"host" not in signed:
        message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        raise SignatureRefused(Reason.UNSIGNED_HEADER, message)
    for name in request.headers:
        if name.startswith(b"x-amz-") and name not in signed:
            message = f"'{name.decode('ascii', 'replace').title()}' must be a 'SignedHeader' in the AWS Authorization."
            raise SignatureRefused(Reason.UNSIGNED_HEADER, message)
    incomplete = Reason.INCOMPLETE if claim.expires_seconds is None else Reason.INCOMPLETE_QUERY
    if claim.algorithm != sigv4.ALGORITHM:
        algorithm = claim.algorithm.decode("utf-8", "replace")
        message = f"Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). "
        raise SignatureRefused(incomplete, message)
    if claim.scope is None:
        form = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term"
        raise SignatureRefused(incomplete, f"{form}, got '{claim.credential.decode('utf-8', 'replace')}'")
    _check_scope(claim.scope, claim.date, service)
    return claim.scope


def check_session(claim: Claim, credential: Credential, now_ms: int) -> None:
    """Return when the session token is the credential's, which for a permanent one is none, and has not expired."""
    expected = (credential.session_token or "").encode()
    if not hmac.compare_digest(expected, claim.token or b""):
        raise SignatureRefused(Reason.WRONG_TOKEN, INVALID_TOKEN)
    if credential.expires_at is not None and now_ms >= credential.expires_at:
        raise SignatureRefused(Reason.EXPIRED_TOKEN, EXPIRED_TOKEN)


def _check_time(claim: Claim, now_ms: int) -> None:
    lifetime_ms = SKEW_MS if claim.expires_seconds is None else claim.expires_seconds * 1000
    if claim.date_ms < now_ms - lifetime_ms:
        reason = Reason.OUT_OF_TIME if claim.expires_seconds is None else Reason.EXPIRED_URL
        border = f"{_iso(now_ms - lifetime_ms)} ({_iso(now_ms)} - {lifetime_ms / 60_000:g} min.)"
        raise SignatureRefused(reason, f"Signature expired: {claim.date} is now earlier than {border}")
    if claim.date_ms > now_ms + SKEW_MS:
        border = f"{_iso(now_ms + SKEW_MS)} ({_iso(now_ms)} + {SKEW_MS // 60_000} min.)"
        message = f"Signature not yet current: {claim.date} is still later than {border}"
        raise SignatureRefused(Reason.OUT_OF_TIME, message)


def _check_scope(scope: Scope, date: str, service: str) -> None:
    wrong = []
    if not _REGION.fullmatch(scope.region):
        wrong.append(f"Credential should be scoped to a valid region, not '{scope.region}'. ")
    if scope.service != service:
        wrong.append(f"Credential should be scoped to correct service: '{service}'. ")
    if scope.terminator != "aws4_request":
        terminators = f"'aws4_request', not '{scope.terminator}'"
        wrong.append(f"Credential should be scoped with a valid terminator: {terminators}. ")
    if scope.date != date[:8]:
        form = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"
        wrong.append(f"{form}: '{scope.date}' != '{date[:8]}', from '{date}'.")
    if wrong:
        raise SignatureRefused(Reason.MISMATCH, "".join(wrong))


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime(sigv4.ISO_BASIC)


def _region(scope: Scope) -> str:
    return scope.region if _REGION.fullmatch(scope.region) else DEFAULT_REGION


def _identity(credential: Credential, region: str) -> Identity:
    return Identity(credential.account, region, credential.id, credential.principal, credential.user_id)


@lru_cache(maxsize=256)  # what clients claim may be as long as a head
def _claimed_identity(scope: Scope | None) -> Identity:
    if scope is None:
        return _root(DEFAULT_ACCOUNT, DEFAULT_REGION, "")
    is_account = _ACCOUNT.fullmatch(scope.access_key_id)
    return _root(scope.access_key_id if is_account else DEFAULT_ACCOUNT, _region(scope), scope.access_key_id)


def _root(account: str, region: str, access_key_id: str) -> Identity:
    return Identity(account, region, access_key_id, f"arn:aws:iam::{account}:root", account)
