"""SigV4 against botocore's signers and against the signatures that AWS publishes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unittest import mock
from urllib.parse import quote, urlsplit

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cumulet.wire import sigv4
from cumulet.wire.http import HttpRequest
from cumulet.wire.sigv4 import Reason, Scope, SignatureRefused

KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
EMPTY_HASH = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def signed(
    signer: Callable[..., Any],
    *,
    service: str,
    method: str = "POST",
    path: str = "/",
    query: str = "",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    at: datetime = NOW,
    token: str | None = None,
) -> HttpRequest:
    """Return the request that botocore sends."""
    url = f"http://localhost:4566{path}{'?' + query if query else ''}"
    request = AWSRequest(method, url, headers=headers or {}, data=body)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda: at):
        signer(Credentials(KEY_ID, SECRET, token), service, "us-east-1").add_auth(request)
    parts = urlsplit(request.url)
    wire_headers = {name.lower().encode(): value.encode() for name, value in request.headers.items()}
    return HttpRequest(
        method, parts.path.encode(), parts.query.encode(), {b"host": b"localhost:4566", **wire_headers}, body
    )


def verify(request: HttpRequest, secret: str = SECRET) -> Scope:
    claim = sigv4.read(request)
    assert claim.scope is not None
    sigv4.verify(request, claim, claim.scope, secret)
    return claim.scope


def refusal(request: HttpRequest) -> SignatureRefused:
    with pytest.raises(SignatureRefused) as caught:
        verify(request)
    return caught.value


methods = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"])
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
segments = st.one_of(texts.map(lambda text: quote(text, safe="")), st.sampled_from(["", ".", "..", "%2F", "%3A", "~"]))
encoded_paths = st.lists(segments, max_size=6).map(lambda parts: "/" + "/".join(parts))
raw_paths = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="?#"), max_size=20).map(
    lambda text: "/" + text
)
pairs = st.tuples(texts, texts, st.booleans()).map(
    lambda pair: (
        quote(pair[0], safe="-_.~") + ("=" if pair[1] or pair[2] or not pair[0] else "") + quote(pair[1], safe="-_.~")
    )
)
queries = st.lists(pairs, max_size=5).flatmap(lambda some: st.permutations(some + some[:2])).map("&".join)
header_values = st.text(st.sampled_from('abcXYZ019 \t"-_;=/,:'), max_size=20)
headers = st.dictionaries(
    st.sampled_from(["Content-Type", "X-Amz-Target", "x-amz-meta-note", "Range", "My-Header", "User-Agent"]),
    header_values,
)
bodies = st.binary(max_size=64)


class TestBotocoreSignsAndWeAccept:
    @given(methods, encoded_paths | raw_paths, queries, headers, bodies)
    def test_header(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> None:
        request = signed(SigV4Auth, service="sqs", method=method, path=path, query=query, headers=headers, body=body)

        scope = verify(request)

        assert scope == Scope(KEY_ID, "20260101", "us-east-1", "sqs", "aws4_request")
        assert sigv4.scope(request) == scope

    @given(methods, encoded_paths, queries, headers, bodies)
    def test_header_of_s3(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> None:
        verify(signed(S3SigV4Auth, service="s3", method=method, path=path, query=query, headers=headers, body=body))

    @given(methods, encoded_paths | raw_paths, queries, headers)
    def test_presigned_url(self, method: str, path: str, query: str, headers: dict[str, str]) -> None:
        request = signed(SigV4QueryAuth, service="sts", method=method, path=path, query=query, headers=headers)

        scope = verify(request)

        assert sigv4.scope(request) == scope

    @given(methods, encoded_paths, queries, bodies)
    def test_presigned_url_of_s3_fits_any_body(self, method: str, path: str, query: str, body: bytes) -> None:
        request = signed(S3SigV4QueryAuth, service="s3", method=method, path=path, query=query)

        verify(replace(request, body=body))

    def test_date_header_instead_of_x_amz_date(self) -> None:
        request = signed(SigV4Auth, service="sqs", headers={"Date": "replaced"})
        assert b"x-amz-date" not in request.headers

        verify(request)

        assert sigv4.read(request).date_ms == NOW.timestamp() * 1000

    def test_session_token(self) -> None:
        for signer in (SigV4Auth, SigV4QueryAuth):
            request = signed(signer, service="sqs", token="to/ken+=")

            verify(request)

            assert sigv4.read(request).token == b"to/ken+="

    def test_unsigned_payload(self) -> None:
        unsigned = {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
        request = signed(SigV4Auth, service="sqs", headers=unsigned, body=b"one")

        verify(replace(request, body=b"another"))

    def test_streaming_payload_is_taken_as_declared(self) -> None:
        streaming = {"X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
        request = signed(SigV4Auth, service="s3", headers=streaming, body=b"")

        verify(replace(request, body=b"3\r\nabc\r\n0\r\n\r\n"))

    def test_plus_in_the_query_is_a_space(self) -> None:
        request = signed(SigV4Auth, service="sqs", query="a=b%20c")

        verify(replace(request, query=b"a=b+c"))


def signature_flipped(request: HttpRequest) -> HttpRequest:
    last = b"0" if request.headers[b"authorization"][-1:] != b"0" else b"1"
    return with_header(request, b"authorization", request.headers[b"authorization"][:-1] + last)


def with_header(request: HttpRequest, name: bytes, value: bytes) -> HttpRequest:
    return replace(request, headers={**request.headers, name: value})


def authorization_with(request: HttpRequest, old: bytes, new: bytes) -> HttpRequest:
    assert old in request.headers[b"authorization"]
    return with_header(request, b"authorization", request.headers[b"authorization"].replace(old, new))


TAMPERED: dict[str, Callable[[HttpRequest], HttpRequest]] = {
    "method": lambda it: replace(it, method="PUT" if it.method != "PUT" else "POST"),
    "path": lambda it: replace(it, raw_path=it.raw_path + b"/x"),
    "query": lambda it: replace(it, query=it.query + b"&added=1"),
    "body": lambda it: replace(it, body=it.body + b"!"),
    "target": lambda it: with_header(it, b"x-amz-target", it.headers[b"x-amz-target"] + b"x"),
    "missing header": lambda it: replace(it, headers={k: v for k, v in it.headers.items() if k != b"x-amz-target"}),
    "host": lambda it: with_header(it, b"host", b"evil.example"),
    "date": lambda it: with_header(it, b"x-amz-date", b"20260101T120001Z"),
    "signature": signature_flipped,
    "shorter signature": lambda it: with_header(it, b"authorization", it.headers[b"authorization"][:-1]),
    "scope's date": lambda it: authorization_with(it, b"/20260101/", b"/20260102/"),
    "region": lambda it: authorization_with(it, b"/us-east-1/", b"/us-west-2/"),
    "service": lambda it: authorization_with(it, b"/sqs/", b"/sns/"),
    "signed headers": lambda it: authorization_with(it, b";x-amz-target", b""),
}


class TestAnyChangeIsRefused:
    @pytest.mark.parametrize("part", TAMPERED)
    @given(method=methods, path=encoded_paths, query=queries, body=bodies)
    def test_of_a_signed_part(self, part: str, method: str, path: str, query: str, body: bytes) -> None:
        target = {"X-Amz-Target": "AmazonSQS.SendMessage"}
        request = signed(SigV4Auth, service="sqs", method=method, path=path, query=query, headers=target, body=body)

        refused = refusal(TAMPERED[part](request))

        assert refused.reason is Reason.MISMATCH

    @pytest.mark.parametrize("added", ["&a=1", "&X-Amz-Date=20260101T120000Z", "&X-Amz-Expires=9"])
    def test_of_a_presigned_url(self, added: str) -> None:
        request = signed(SigV4QueryAuth, service="sts", method="GET", query="Action=GetCallerIdentity")

        refused = refusal(replace(request, query=request.query + added.encode()))

        assert refused.reason is Reason.MISMATCH

    def test_of_the_secret(self) -> None:
        request = signed(SigV4Auth, service="sqs")

        with pytest.raises(SignatureRefused) as caught:
            verify(request, SECRET + "x")

        assert caught.value.reason is Reason.MISMATCH

    def test_of_an_s3_body(self) -> None:
        request = signed(S3SigV4Auth, service="s3", body=b"one")

        refused = refusal(replace(request, body=b"two"))

        assert refused.reason is Reason.BODY_MISMATCH

    def test_says_what_should_have_been_signed(self) -> None:
        request = signed(SigV4Auth, service="sqs", query="a=1", body=b"{}")

        refused = refusal(replace(request, query=b"a=2"))

        canonical = (
            "POST\n/\na=2\nhost:localhost:4566\nx-amz-date:20260101T120000Z\n\nhost;x-amz-date\n"
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        )
        to_sign = f"AWS4-HMAC-SHA256\n20260101T120000Z\n20260101/us-east-1/sqs/aws4_request\n{sha256(canonical)}"
        assert refused.message == (
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.\n\n"
            f"The Canonical String for this request should have been\n'{canonical}'\n\n"
            f"The String-to-Sign should have been\n'{to_sign}'\n"
        )


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


H = "host;x-amz-date"
SUITE = [
    ("GET", "/", "", {}, "", H, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ("GET", "/./", "", {}, "", H, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    (
        "GET",
        "/example1/example2/../..",
        "",
        {},
        "",
        H,
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    ("GET", "/./example", "", {}, "", H, "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"),
    ("GET", "//example//", "", {}, "", H, "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
    ("GET", "/example space/", "", {}, "", H, "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
    ("GET", "/ሴ", "", {}, "", H, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    ("GET", "/", "ሴ=bar", {}, "", H, "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
    (
        "GET",
        "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "",
        {},
        "",
        H,
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    (
        "GET",
        "/",
        "Param2=value2&Param1=value1",
        {},
        "",
        H,
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "GET",
        "/",
        "",
        {"my-header1": " value1", "my-header2": ' "a   b   c"'},
        "",
        "host;my-header1;my-header2;x-amz-date",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    ("POST", "/", "", {}, "", H, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    (
        "POST",
        "/",
        "",
        {"my-header1": "value1"},
        "",
        "host;my-header1;x-amz-date",
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    (
        "POST",
        "/",
        "",
        {"content-type": "application/x-www-form-urlencoded"},
        "Param1=value1",
        "content-type;host;x-amz-date",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
]
S3_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
S3_HOST = {b"host": b"examplebucket.s3.amazonaws.com"}
S3_EXAMPLES = [
    (
        "GET",
        b"/test.txt",
        b"",
        {b"range": b"bytes=0-9"},
        b"",
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    (
        "PUT",
        b"/test$file.text",
        b"",
        {
            b"date": b"Fri, 24 May 2013 00:00:00 GMT",
            b"x-amz-storage-class": b"REDUCED_REDUNDANCY",
            b"x-amz-content-sha256": b"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        },
        b"Welcome to Amazon S3.",
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    (
        "GET",
        b"/",
        b"lifecycle",
        {},
        b"",
        "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    (
        "GET",
        b"/",
        b"max-keys=2&prefix=J",
        {},
        b"",
        "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
]


class TestSignaturesThatAwsPublishes:
    @pytest.mark.parametrize(("method", "path", "query", "headers", "body", "names", "signature"), SUITE)
    def test_suite(
        self, method: str, path: str, query: str, headers: dict[str, str], body: str, names: str, signature: str
    ) -> None:
        credential = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
        all_headers = {
            b"host": b"example.amazonaws.com",
            b"x-amz-date": b"20150830T123600Z",
            b"authorization": authorization(credential, names, signature),
        } | {name.encode(): value.encode() for name, value in headers.items()}

        verify(HttpRequest(method, path.encode(), query.encode(), all_headers, body.encode()))

    def test_iam_list_users(self) -> None:
        credential = "AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request"
        signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        headers = {
            b"host": b"iam.amazonaws.com",
            b"content-type": b"application/x-www-form-urlencoded; charset=utf-8",
            b"x-amz-date": b"20150830T123600Z",
            b"authorization": authorization(credential, "content-type;host;x-amz-date", signature),
        }

        verify(HttpRequest("GET", b"/", b"Action=ListUsers&Version=2010-05-08", headers))

    @pytest.mark.parametrize(("method", "path", "query", "headers", "body", "names", "signature"), S3_EXAMPLES)
    def test_s3(
        self,
        method: str,
        path: bytes,
        query: bytes,
        headers: dict[bytes, bytes],
        body: bytes,
        names: str,
        signature: str,
    ) -> None:
        credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
        all_headers = {
            **S3_HOST,
            b"x-amz-date": b"20130524T000000Z",
            b"x-amz-content-sha256": EMPTY_HASH,
            b"authorization": authorization(credential, names, signature),
            **headers,
        }

        verify(HttpRequest(method, path, query, all_headers, body), S3_SECRET)

    def test_s3_presigned(self) -> None:
        query = (
            b"X-Amz-Algorithm=AWS4-HMAC-SHA256"
            b"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            b"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            b"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        )

        verify(HttpRequest("GET", b"/test.txt", query, S3_HOST), S3_SECRET)


def authorization(credential: str, names: str, signature: str) -> bytes:
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}".encode()


class TestReading:
    def request(self, authorization: str, **headers: str) -> HttpRequest:
        named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
        return HttpRequest("POST", b"/", b"", {b"authorization": authorization.encode(), **named})

    @pytest.mark.parametrize(
        "text",
        [
            "AWS4-HMAC-SHA256 Credential=K/20260101/r/s/aws4_request, SignedHeaders=host;x-amz-date, Signature="
            + "a" * 64,
            "AWS4-HMAC-SHA256 Credential=K/20260101/r/s/aws4_request,SignedHeaders=host;x-amz-date,Signature="
            + "a" * 64,
            "AWS4-HMAC-SHA256  Signature="
            + "a" * 64
            + ",SignedHeaders=Host;X-Amz-Date,  Credential=K/20260101/r/s/aws4_request",
            "AWS4-HMAC-SHA256 Credential=K/20260101/r/s/aws4_request/ SignedHeaders=host;x-amz-date Signature="
            + "a" * 64,
        ],
    )
    def test_order_and_spaces_are_free(self, text: str) -> None:
        claim = sigv4.read(self.request(text, x_amz_date="20260101T120000Z"))

        assert claim.scope == Scope("K", "20260101", "r", "s", "aws4_request")
        assert claim.signed_headers == (b"host", b"x-amz-date")
        assert claim.signature == b"a" * 64
        assert (claim.date, claim.date_ms) == ("20260101T120000Z", 1767268800000)

    def test_names_everything_that_is_missing(self) -> None:
        with pytest.raises(SignatureRefused) as caught:
            sigv4.read(self.request("AWS4-HMAC-SHA256 "))

        assert caught.value.reason is Reason.INCOMPLETE
        assert caught.value.message.startswith(
            "Authorization header requires 'Credential' parameter. "
            "Authorization header requires 'Signature' parameter. "
            "Authorization header requires 'SignedHeaders' parameter. "
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            "(Hashed with SHA-256 and encoded with Base64) Authorization="
        )

    def test_a_part_without_equal_sign(self) -> None:
        with pytest.raises(SignatureRefused, match="missing equal-sign") as caught:
            sigv4.read(self.request("AWS4-HMAC-SHA256 Credential", x_amz_date="20260101T120000Z"))

        assert caught.value.reason is Reason.INCOMPLETE

    @pytest.mark.parametrize("date", ["201", "20261301T000000Z", "20260101T000000", "٢٠٢٦٠١٠١T000000Z", "x" * 5000])
    def test_a_malformed_date(self, date: str) -> None:
        text = "AWS4-HMAC-SHA256 Credential=K/20260101/r/s/aws4_request,SignedHeaders=host,Signature=" + "a" * 64

        with pytest.raises(SignatureRefused, match="Date must be in ISO-8601 'basic format'") as caught:
            sigv4.read(self.request(text, x_amz_date=date))

        assert caught.value.reason is Reason.INCOMPLETE

    @pytest.mark.parametrize("text", ["", "Bearer token", "AWS KEY:signature"])
    def test_another_scheme_is_no_signature(self, text: str) -> None:
        request = self.request(text)

        with pytest.raises(SignatureRefused, match="Request is missing Authentication Token") as caught:
            sigv4.read(request)

        assert caught.value.reason is Reason.MISSING
        assert sigv4.scope(request) is None

    def test_presigned_and_header_at_once(self) -> None:
        presigned = signed(SigV4QueryAuth, service="sts")
        header = signed(SigV4Auth, service="sts")

        with pytest.raises(SignatureRefused, match="Found both 'X-Amz-Algorithm'"):
            sigv4.read(replace(header, query=presigned.query))

    def test_presigned_names_everything_that_is_missing(self) -> None:
        with pytest.raises(SignatureRefused) as caught:
            sigv4.read(HttpRequest("GET", b"/", b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=", {}))

        assert caught.value.reason is Reason.INCOMPLETE_QUERY
        assert caught.value.message == (
            "AWS query-string parameters must include 'X-Amz-Credential'. "
            "AWS query-string parameters must include 'X-Amz-Signature'. "
            "AWS query-string parameters must include 'X-Amz-SignedHeaders'. "
            "AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."
        )

    @pytest.mark.parametrize("expires", ["0", "-1", "604801", "abc", "1.5", "", "9" * 5000])
    def test_expiry_out_of_range(self, expires: str) -> None:
        request = signed(SigV4QueryAuth, service="sts")
        query = request.query.replace(b"X-Amz-Expires=3600", b"X-Amz-Expires=" + expires.encode())

        with pytest.raises(SignatureRefused, match="X-Amz-Expires must be") as caught:
            sigv4.read(replace(request, query=query))

        assert caught.value.reason is Reason.INCOMPLETE_QUERY

    @pytest.mark.parametrize("expires", [1, 604_800])
    def test_expiry_in_range(self, expires: int) -> None:
        request = signed(SigV4QueryAuth, service="sts")
        query = request.query.replace(b"X-Amz-Expires=3600", b"X-Amz-Expires=%d" % expires)

        assert sigv4.read(replace(request, query=query)).expires_seconds == expires


def test_signing_keys_differ_in_every_part() -> None:
    parts = ("secret", "20260101", "us-east-1", "sqs")

    keys = {sigv4.signing_key(*parts)}
    for index in range(4):
        keys.add(sigv4.signing_key(*parts[:index], "other", *parts[index + 1 :]))

    assert len(keys) == 5
    assert sigv4.signing_key(*parts) in keys


def test_a_new_day_needs_a_new_key() -> None:
    for day in (1, 2, 1):
        verify(signed(SigV4Auth, service="sqs", at=NOW.replace(day=day)))


pieces = ["AWS4-HMAC-SHA256", "Credential=", "SignedHeaders=", "Signature=", "host", "K/20260101/r/s/aws4_request"]
words = st.sampled_from([*pieces, *", =/;%&"])
noise = st.lists(words.map(str.encode) | st.binary(max_size=6), max_size=12).map(b"".join)
parameters = st.lists(
    st.tuples(st.sampled_from(["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"]), noise)
).map(lambda some: b"&".join(b"X-Amz-" + name.encode() + b"=" + value for name, value in some))


@given(st.none() | noise.map(lambda text: b"AWS4-" + text), noise | parameters, noise | st.just(b"20260101T120000Z"))
def test_no_input_raises_anything_else(text: bytes | None, query: bytes, date: bytes) -> None:
    headers = {b"x-amz-date": date} | ({b"authorization": text} if text is not None else {})
    request = HttpRequest("GET", b"/" + query, query, headers)

    sigv4.scope(request)
    try:
        claim = sigv4.read(request)
        sigv4.verify(request, claim, claim.scope or Scope("", "", "", "", ""), SECRET)
    except SignatureRefused as refused:
        assert refused.message
