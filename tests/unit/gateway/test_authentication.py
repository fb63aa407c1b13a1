"""Whose request it is, in both modes, and what a client is told when it can't be said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import botocore.auth
import botocore.credentials
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cumulet.gateway.authentication import CODES, AuthenticationError, Authenticator, error_class
from cumulet.gateway.credentials import Credential, Credentials
from cumulet.kernel.activity import Activity
from cumulet.kernel.call import Identity
from cumulet.kernel.clock import VirtualClock
from cumulet.kernel.errors import AwsError
from cumulet.store import Store
from cumulet.store.schema import Schema
from cumulet.store.sqlite import SqliteStore
from cumulet.wire.http import HttpRequest
from cumulet.wire.sigv4 import Reason

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
ROOT = Credential("AKIAROOT", "root's secret", "000000000000", "arn:aws:iam::000000000000:root", "000000000000")
USER = Credential("AKIAUSER", "user's secret", "222222222222", "arn:aws:iam::222222222222:user/ann", "AIDAUSER")
SESSION = Credential(
    "ASIASESSION",
    "session's secret",
    "222222222222",
    "arn:aws:sts::222222222222:assumed-role/worker/one",
    "AROAWORKER:one",
    session_token="token",
    expires_at=NOW_MS + 3_600_000,
)
INACTIVE = replace(USER, id="AKIAINACTIVE", is_active=False)


def signed(
    credential: Credential,
    signer: Callable[..., Any] = SigV4Auth,
    *,
    service: str = "sqs",
    region: str = "us-east-1",
    at: datetime = NOW,
    token: str | None = None,
    url: str = "http://localhost:4566/",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    **options: Any,
) -> HttpRequest:
    keys = botocore.credentials.Credentials(credential.id, credential.secret, token or credential.session_token)
    request = AWSRequest("POST", url, headers=headers or {}, data=body)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda: at):
        signer(keys, service, region, **options).add_auth(request)
    parts = urlsplit(request.url)
    wire_headers = {name.lower().encode(): value.encode() for name, value in request.headers.items()}
    return HttpRequest(
        "POST", parts.path.encode(), parts.query.encode(), {b"host": b"localhost:4566", **wire_headers}, body
    )


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Store, Credentials]]:
    store = SqliteStore.open(folder, schemas=[Schema.of_package("cumulet.gateway")], durability="relaxed")
    try:
        for credential in (ROOT, USER, SESSION, INACTIVE):
            await store.transact(Credentials(store).put, credential)
        yield store, Credentials(store)
    finally:
        await store.close()


def clock_at(time_ms: int) -> VirtualClock:
    return VirtualClock(time_ms, Activity())


@pytest.fixture
def authenticate(tmp_path: Path) -> Callable[..., Identity]:
    """Authenticate one request as a server that knows the keys above."""

    def run(
        request: HttpRequest, protocol: str = "json", service: str = "sqs", mode: Any = "enforce", now_ms: int = NOW_MS
    ) -> Identity:
        async def main() -> Identity:
            async with opened(tmp_path) as (_, credentials):
                return await Authenticator(mode, credentials, clock_at(now_ms)).authenticate(request, protocol, service)

        return asyncio.run(main())

    return run


def refused(
    authenticate: Callable[..., Identity], request: HttpRequest, *args: Any, **options: Any
) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        authenticate(request, *args, **options)
    return caught.value


class TestEnforce:
    @pytest.mark.parametrize("credential", [ROOT, USER, SESSION])
    @pytest.mark.parametrize("signer", [SigV4Auth, SigV4QueryAuth])
    def test_tells_whose_key_it_is(
        self, authenticate: Callable[..., Identity], credential: Credential, signer: Callable[..., Any]
    ) -> None:
        identity = authenticate(signed(credential, signer, region="eu-central-1"))

        assert identity == Identity(
            credential.account, "eu-central-1", credential.id, credential.principal, credential.user_id
        )

    @pytest.mark.parametrize("signer", [S3SigV4Auth, S3SigV4QueryAuth])
    def test_s3(self, authenticate: Callable[..., Identity], signer: Callable[..., Any]) -> None:
        request = signed(USER, signer, service="s3", url="http://localhost:4566/bucket//a%20key/../x")

        assert authenticate(request, "rest-xml", "s3").account == "222222222222"

    def test_a_key_seen_before_needs_no_waiting(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with opened(tmp_path) as (_, credentials):
                authenticator = Authenticator("enforce", credentials, clock_at(NOW_MS))
                request = signed(USER)
                assert authenticator.authenticate_now(request, "json", "sqs") is None

                identity = await authenticator.authenticate(request, "json", "sqs")

                assert authenticator.authenticate_now(request, "json", "sqs") == identity

        asyncio.run(main())

    def test_a_deactivated_key_stops_at_once(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with opened(tmp_path) as (store, credentials):
                authenticator = Authenticator("enforce", credentials, clock_at(NOW_MS))
                await authenticator.authenticate(signed(USER), "json", "sqs")

                await store.transact(credentials.put, replace(USER, is_active=False))

                with pytest.raises(AuthenticationError, match="security token included in the request is invalid"):
                    authenticator.authenticate_now(signed(USER), "json", "sqs")

        asyncio.run(main())

    def test_signing_keys_hold_for_their_day_only(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with opened(tmp_path) as (_, credentials):
                for days in (0, 1, 2, 0):
                    at = NOW + timedelta(days=days)
                    clock = clock_at(int(at.timestamp() * 1000))
                    authenticator = Authenticator("enforce", credentials, clock)

                    await authenticator.authenticate(signed(USER, at=at), "json", "sqs")
                    with pytest.raises(AuthenticationError):
                        await authenticator.authenticate(signed(USER, at=at + timedelta(days=1)), "json", "sqs")

        asyncio.run(main())

    def test_another_accounts_secret_proves_nothing(self, authenticate: Callable[..., Identity]) -> None:
        error = refused(authenticate, signed(replace(USER, id=ROOT.id)))

        assert error.code == "InvalidSignatureException"

    @pytest.mark.parametrize("key", [replace(USER, id="AKIANOBODY"), INACTIVE])
    def test_unknown_and_inactive_keys(self, authenticate: Callable[..., Identity], key: Credential) -> None:
        error = refused(authenticate, signed(key), "query")

        assert (error.code, error.status) == ("InvalidClientTokenId", 403)
        assert error.message == "The security token included in the request is invalid."


class TestSession:
    @pytest.mark.parametrize(
        "request_",
        [
            signed(replace(SESSION, session_token=None)),
            signed(SESSION, token="another"),
            signed(USER, token="of a permanent key"),
            signed(replace(SESSION, session_token=None), SigV4QueryAuth),
        ],
        ids=["missing", "other", "superfluous", "missing from a presigned URL"],
    )
    def test_wants_its_token(self, authenticate: Callable[..., Identity], request_: HttpRequest) -> None:
        assert refused(authenticate, request_, "query").code == "InvalidClientTokenId"
        assert refused(authenticate, request_, "json").code == "UnrecognizedClientException"

    @pytest.mark.parametrize(
        ("protocol", "code", "status"),
        [
            ("query", "ExpiredToken", 403),
            ("json", "ExpiredTokenException", 400),
            ("rest-json", "ExpiredTokenException", 403),
        ],
    )
    def test_ends(self, authenticate: Callable[..., Identity], protocol: str, code: str, status: int) -> None:
        end = NOW + timedelta(hours=1)
        end_ms = int(end.timestamp() * 1000)

        authenticate(signed(SESSION, at=end), protocol, now_ms=end_ms - 1)
        error = refused(authenticate, signed(SESSION, at=end), protocol, now_ms=end_ms)

        assert (error.code, error.status) == (code, status)
        assert error.message == "The security token included in the request is expired"


class TestTime:
    """AWS documents RequestExpired (400) for a query request whose date is more than 15 minutes off, and some of its
    services have been seen to answer SignatureDoesNotMatch (403) with the same text: we chose the documented code. The
    JSON protocols answer InvalidSignatureException.
    """

    @pytest.mark.parametrize("minutes", [-15, 0, 15])
    def test_fifteen_minutes_are_allowed(self, authenticate: Callable[..., Identity], minutes: int) -> None:
        authenticate(signed(USER, at=NOW + timedelta(minutes=minutes)))

    def test_too_late(self, authenticate: Callable[..., Identity]) -> None:
        request = signed(USER, at=NOW - timedelta(minutes=15))

        error = refused(authenticate, request, "query", now_ms=NOW_MS + 1)

        assert (error.code, error.status) == ("RequestExpired", 400)
        assert error.message == (
            "Signature expired: 20260101T114500Z is now earlier than 20260101T114500Z (20260101T120000Z - 15 min.)"
        )

    def test_too_early(self, authenticate: Callable[..., Identity]) -> None:
        request = signed(USER, at=NOW + timedelta(minutes=15))

        error = refused(authenticate, request, "json", now_ms=NOW_MS - 1)

        assert (error.code, error.status) == ("InvalidSignatureException", 400)
        assert error.message == (
            "Signature not yet current: 20260101T121500Z is still later than 20260101T121459Z "
            "(20260101T115959Z + 15 min.)"
        )

    @pytest.mark.parametrize("expires", [1, 900, 604_800])
    def test_a_presigned_url_holds_until_it_expires(self, authenticate: Callable[..., Identity], expires: int) -> None:
        request = signed(USER, SigV4QueryAuth, service="sts", expires=expires)

        authenticate(request, "query", "sts", now_ms=NOW_MS + expires * 1000)
        error = refused(authenticate, request, "query", "sts", now_ms=NOW_MS + expires * 1000 + 1)

        assert (error.code, error.status) == ("RequestExpired", 400)
        assert error.message.startswith("Signature expired: 20260101T120000Z is now earlier than 20260101T120000Z (")

    def test_a_presigned_url_of_s3_that_expired(self, authenticate: Callable[..., Identity]) -> None:
        request = signed(USER, S3SigV4QueryAuth, service="s3", expires=60)

        error = refused(authenticate, request, "rest-xml", "s3", now_ms=NOW_MS + 60_001)

        assert (error.code, error.status, error.message) == ("AccessDenied", 403, "Request has expired")

    def test_a_presigned_url_from_the_future(self, authenticate: Callable[..., Identity]) -> None:
        request = signed(USER, SigV4QueryAuth, at=NOW + timedelta(minutes=16))

        assert refused(authenticate, request).message.startswith("Signature not yet current: 20260101T121600Z")


class TestScope:
    def test_of_another_service(self, authenticate: Callable[..., Identity]) -> None:
        error = refused(authenticate, signed(USER, service="sns"), "query", "sqs")

        assert (error.code, error.status) == ("SignatureDoesNotMatch", 403)
        assert error.message == "Credential should be scoped to correct service: 'sqs'. "

    def test_names_everything_that_is_wrong(self, authenticate: Callable[..., Identity]) -> None:
        request = signed(USER)
        authorization = request.headers[b"authorization"]
        request.headers[b"authorization"] = authorization.replace(b"/20260101/us-east-1/sqs/aws4_request", b"/b/C!/d/e")

        error = refused(authenticate, request)

        assert error.message == (
            "Credential should be scoped to a valid region, not 'C!'. "
            "Credential should be scoped to correct service: 'sqs'. "
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. "
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            "'b' != '20260101', from '20260101T120000Z'."
        )

    def test_of_four_parts(self, authenticate: Callable[..., Identity]) -> None:
        request = signed(USER)
        request.headers[b"authorization"] = request.headers[b"authorization"].replace(b"/us-east-1", b"")

        error = refused(authenticate, request, "query")

        assert (error.code, error.status) == ("IncompleteSignature", 400)
        assert error.message == (
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            "got 'AKIAUSER/20260101/sqs/aws4_request'"
        )

    def test_another_algorithm(self, authenticate: Callable[..., Identity]) -> None:
        request = signed(USER)
        request.headers[b"authorization"] = request.headers[b"authorization"].replace(b"SHA256", b"SHA512", 1)

        error = refused(authenticate, request)

        assert error.code == "IncompleteSignatureException"
        assert error.message == "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512' (only AWS4-HMAC-SHA256 for now). "


class TestSignedHeaders:
    def test_host_must_be_signed(self, authenticate: Callable[..., Identity]) -> None:
        request = signed(USER)
        request.headers[b"authorization"] = request.headers[b"authorization"].replace(b"=host;", b"=")

        error = refused(authenticate, request)

        assert error.message == "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."

    def test_amazon_headers_must_be_signed(self, authenticate: Callable[..., Identity]) -> None:
        request = signed(USER)
        request.headers[b"x-amz-target"] = b"AmazonSQS.DeleteQueue"

        error = refused(authenticate, request, "rest-json")

        assert (error.code, error.status) == ("InvalidSignatureException", 403)
        assert error.message == "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."

    def test_other_headers_need_not(self, authenticate: Callable[..., Identity]) -> None:
        request = signed(USER)
        request.headers |= {b"x-amzn-trace-id": b"Root=1", b"accept": b"*/*"}

        authenticate(request)


class TestErrors:
    @pytest.mark.parametrize(
        ("protocol", "code", "status"),
        [
            ("query", "MissingAuthenticationToken", 403),
            ("json", "MissingAuthenticationTokenException", 400),
            ("rest-json", "MissingAuthenticationTokenException", 403),
        ],
    )
    def test_unsigned(self, authenticate: Callable[..., Identity], protocol: str, code: str, status: int) -> None:
        error = refused(authenticate, HttpRequest("POST", b"/", b"", {}), protocol)

        assert (error.code, error.status) == (code, status)
        assert error.message == "Request is missing Authentication Token"

    @pytest.mark.parametrize("reason", Reason)
    def test_every_refusal_has_a_code_in_every_protocol(self, reason: Reason) -> None:
        assert reason in CODES
        for protocol in ("query", "json", "rest-json", "rest-xml", "s3", "ec2", "smithy-rpc-v2-cbor"):
            error = error_class(reason, protocol)("why")
            assert isinstance(error, AwsError)
            assert error.status in (400, 403)
            assert error.code.endswith("Exception") is (protocol in ("json", "rest-json", "smithy-rpc-v2-cbor"))
            assert error.query_code == error_class(reason, "query").code
            assert error.query_status == error_class(reason, "query").status

    def test_s3_has_codes_of_its_own(self, authenticate: Callable[..., Identity]) -> None:
        error = refused(
            authenticate, signed(replace(USER, id="AKIANOBODY"), S3SigV4Auth, service="s3"), "rest-xml", "s3"
        )

        assert (error.code, error.status) == ("InvalidAccessKeyId", 403)
        assert error.message == "The AWS Access Key Id you provided does not exist in our records."

    def test_s3_body_that_is_another(self, authenticate: Callable[..., Identity]) -> None:
        request = replace(signed(USER, S3SigV4Auth, service="s3", body=b"one"), body=b"two")

        error = refused(authenticate, request, "rest-xml", "s3")

        assert (error.code, error.status) == ("XAmzContentSHA256Mismatch", 400)

    def test_elsewhere_a_body_that_is_another_breaks_the_signature(self, authenticate: Callable[..., Identity]) -> None:
        request = replace(signed(USER, S3SigV4Auth, body=b"one"), body=b"two")

        assert refused(authenticate, request, "query").code == "SignatureDoesNotMatch"


class TestOpen:
    def identity(self, account: str = "000000000000", region: str = "us-east-1", key: str = "") -> Identity:
        return Identity(account, region, key, f"arn:aws:iam::{account}:root", account)

    @pytest.mark.parametrize(
        "authorization", [None, b"", b"Bearer x", b"AWS4-HMAC-SHA256", b"AWS4-HMAC-SHA256 Credential=a/b, Signature="]
    )
    def test_without_a_credential(self, authenticate: Callable[..., Identity], authorization: bytes | None) -> None:
        headers = {b"authorization": authorization} if authorization is not None else {}

        assert authenticate(HttpRequest("GET", b"/", b"", headers), mode="open") == self.identity()

    @pytest.mark.parametrize("signer", [SigV4Auth, SigV4QueryAuth])
    def test_believes_the_credential(self, authenticate: Callable[..., Identity], signer: Callable[..., Any]) -> None:
        request = signed(
            replace(USER, id="test", secret="any"), signer, region="eu-west-1", at=NOW - timedelta(days=999)
        )

        assert authenticate(request, mode="open") == self.identity(region="eu-west-1", key="test")

    @pytest.mark.parametrize("key", ["123456789012", "000000000001"])
    def test_twelve_digits_are_an_account(self, authenticate: Callable[..., Identity], key: str) -> None:
        request = signed(replace(USER, id=key))

        assert authenticate(request, mode="open") == self.identity(key, key=key)

    @pytest.mark.parametrize("key", ["12345678901", "1234567890123", "١٢٣٤٥٦٧٨٩٠١٢"])
    def test_nothing_else_is_an_account(self, authenticate: Callable[..., Identity], key: str) -> None:
        assert authenticate(signed(replace(USER, id=key)), mode="open") == self.identity(key=key)

    @pytest.mark.parametrize("key", [USER, SESSION, INACTIVE])
    def test_issued_keys_belong_to_their_account(self, authenticate: Callable[..., Identity], key: Credential) -> None:
        identity = authenticate(signed(replace(key, secret="wrong", session_token=None)), mode="open")

        assert identity == Identity("222222222222", "us-east-1", key.id, key.principal, key.user_id)

    @pytest.mark.parametrize("region", ["", "Europe", "a" * 64, "-a", "a_b", "a.b"])
    def test_a_region_that_can_not_be_one_is_the_default(
        self, authenticate: Callable[..., Identity], region: str
    ) -> None:
        assert authenticate(signed(replace(USER, id="test"), region=region), mode="open") == self.identity(key="test")

    def test_a_second_request_needs_no_waiting(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with opened(tmp_path) as (_, credentials):
                authenticator = Authenticator("open", credentials)
                request = signed(replace(USER, id="test"))
                assert authenticator.authenticate_now(request, "json", "sqs") is None

                await authenticator.authenticate(request, "json", "sqs")

                assert authenticator.authenticate_now(request, "json", "sqs") == self.identity(key="test")

        asyncio.run(main())


noise = st.lists(
    st.sampled_from([b"AWS4-HMAC-SHA256 ", b"Credential=", b"SignedHeaders=", b"Signature=", b"host", b",", b"/"])
    | st.sampled_from([b"AKIAUSER/20260101/us-east-1/sqs/aws4_request", b"&", b"=", b"X-Amz-Credential="])
    | st.sampled_from([b"X-Amz-Algorithm=AWS4-HMAC-SHA256", b"X-Amz-Expires=1", b"X-Amz-Date=20260101T120000Z"])
    | st.binary(max_size=6),
    max_size=14,
).map(b"".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_input_raises_anything_but_aws_errors(tmp_path: Path, data: st.DataObject) -> None:
    async def main() -> None:
        async with opened(tmp_path) as (_, credentials):
            for _ in range(20):
                authorization, query, date = data.draw(noise), data.draw(noise), data.draw(noise)
                headers = {b"authorization": authorization, b"x-amz-date": date, b"host": b"localhost"}
                request = HttpRequest("GET", b"/" + query, query, headers)
                opened_identity = await Authenticator("open", credentials).authenticate(request, "json", "sqs")
                assert len(opened_identity.account) == 12
                for protocol in ("query", "json", "rest-json", "rest-xml"):
                    with pytest.raises(AwsError):
                        await Authenticator("enforce", credentials, clock_at(NOW_MS)).authenticate(
                            request, protocol, "sqs"
                        )

    asyncio.run(main())
