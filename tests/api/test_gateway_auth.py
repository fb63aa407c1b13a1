"""Signatures as boto3 makes them, in both modes of authentication."""

from __future__ import annotations

import configparser
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from raw_http import exchange, head

from cumulet.testing import Cumulet
from cumulet.testing.server import StartError

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
WHO_AM_I = "Action=GetCallerIdentity&Version=2011-06-15"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    """Return a server that checks signatures."""
    with Cumulet(tmp_path_factory.mktemp("enforcing") / "data", auth="enforce") as server:
        yield server


@pytest.fixture(scope="module")
def root(server: Cumulet) -> Credentials:
    """Return the root key that the server made."""
    file = configparser.ConfigParser()
    file.read(server.folder / "root-credentials")
    return Credentials(file["default"]["aws_access_key_id"], file["default"]["aws_secret_access_key"])


def client(server: Cumulet, service: str, key: str, secret: str, token: str | None = None) -> Any:
    return boto3.Session().client(
        service,
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}),
    )


def refusal(ask: Callable[[], object]) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as refused:
        ask()
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


def shifted(monkeypatch: pytest.MonkeyPatch, **by: float) -> None:
    """Let boto3 sign with a clock that is wrong."""
    wrong = datetime.now(UTC) + timedelta(**by)

    def at_another_time(self: SigV4Auth, request: AWSRequest) -> None:
        request.context["timestamp"] = wrong.strftime("%Y%m%dT%H%M%SZ")
        original(self, request)

    original = SigV4Auth._modify_request_before_signing
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: wrong.replace(tzinfo=None))
    monkeypatch.setattr(SigV4Auth, "_modify_request_before_signing", at_another_time)


def test_the_root_key_opens_everything_and_is_its_owners_alone(server: Cumulet, root: Credentials) -> None:
    sqs = client(server, "sqs", root.access_key, root.secret_key)

    url = sqs.create_queue(QueueName="signed")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="ä+ %20\n", MessageAttributes={})
    identity = client(server, "sts", root.access_key, root.secret_key).get_caller_identity()

    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "ä+ %20\n"
    assert (identity["Account"], identity["Arn"]) == ("000000000000", "arn:aws:iam::000000000000:root")
    assert stat.S_IMODE((server.folder / "root-credentials").stat().st_mode) == 0o600


def test_the_file_of_the_root_key_is_what_aws_clients_read(
    server: Cumulet, root: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(server.folder / "root-credentials"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)

    sts = boto3.Session().client("sts", endpoint_url=server.url, region_name="us-east-1")

    assert sts.get_caller_identity()["UserId"] == "000000000000"


def test_the_root_key_stays_the_same_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "data" / "root-credentials"
    with Cumulet(tmp_path / "data", auth="enforce"):
        before = file.read_text()
    file.unlink()
    with Cumulet(tmp_path / "data", auth="enforce"):
        assert file.read_text() == before


def test_a_wrong_secret_does_not_match(server: Cumulet, root: Credentials) -> None:
    sqs = client(server, "sqs", root.access_key, "wrong")
    sts = client(server, "sts", root.access_key, "wrong")

    for ask in (sqs.list_queues, sts.get_caller_identity):
        code, status, message = refusal(ask)
        assert (code, status) == ("SignatureDoesNotMatch", 403)
        assert message.startswith(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details."
        )


def test_an_unknown_key_is_no_valid_token(server: Cumulet) -> None:
    sqs = client(server, "sqs", "AKIANOBODY", "secret")
    sts = client(server, "sts", "AKIANOBODY", "secret")

    for ask in (sqs.list_queues, sts.get_caller_identity):
        assert refusal(ask) == ("InvalidClientTokenId", 403, "The security token included in the request is invalid.")


def test_a_json_client_reads_the_codes_of_its_own_protocol_too(server: Cumulet) -> None:
    with pytest.raises(ClientError) as refused:
        client(server, "sqs", "AKIANOBODY", "secret").list_queues()
    headers = refused.value.response["ResponseMetadata"]["HTTPHeaders"]

    assert headers["x-amzn-query-error"] == "InvalidClientTokenId;Sender"


def test_an_account_is_no_key_where_signatures_are_checked(server: Cumulet) -> None:
    assert refusal(client(server, "sqs", "123456789012", "secret").list_queues)[0] == "InvalidClientTokenId"


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_date_more_than_15_minutes_off_is_refused(
    server: Cumulet, root: Credentials, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    sqs = client(server, "sqs", root.access_key, root.secret_key)
    sts = client(server, "sts", root.access_key, root.secret_key)
    shifted(monkeypatch, minutes=minutes)

    for ask in (sqs.list_queues, sts.get_caller_identity):
        code, status, message = refusal(ask)
        assert (code, status) == ("RequestExpired", 400)
        assert message.startswith("Signature expired" if minutes < 0 else "Signature not yet current")


def test_a_date_14_minutes_off_is_taken(server: Cumulet, root: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    sqs = client(server, "sqs", root.access_key, root.secret_key)
    shifted(monkeypatch, minutes=-14)

    assert sqs.list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_virtual_clock_does_not_make_signatures_old(server: Cumulet, root: Credentials) -> None:
    server.advance(days=30)

    assert client(server, "sts", root.access_key, root.secret_key).get_caller_identity()["Account"] == "000000000000"


def test_a_session_token_with_a_permanent_key_is_refused(server: Cumulet, root: Credentials) -> None:
    sqs = client(server, "sqs", root.access_key, root.secret_key, "token")

    assert refusal(sqs.list_queues)[:2] == ("InvalidClientTokenId", 403)


def test_a_body_changed_on_the_way_does_not_match(server: Cumulet, root: Credentials) -> None:
    sqs = client(server, "sqs", root.access_key, root.secret_key)
    sqs.meta.events.register("before-send.sqs.ListQueues", lambda request, **_: setattr(request, "body", b"{ }"))

    assert refusal(sqs.list_queues)[0] == "SignatureDoesNotMatch"


def test_a_header_added_on_the_way_is_noticed(server: Cumulet, root: Credentials) -> None:
    def add(request: Any, **_: object) -> None:
        request.headers["X-Amz-Extra"] = "1"

    sqs = client(server, "sqs", root.access_key, root.secret_key)
    sqs.meta.events.register("before-send.sqs.ListQueues", add)

    assert refusal(sqs.list_queues)[0] == "SignatureDoesNotMatch"


def presigned(server: Cumulet, key: Credentials, parameters: str = WHO_AM_I, service: str = "sts") -> str:
    request = AWSRequest("GET", f"{server.url}/?{parameters}")
    SigV4QueryAuth(key, service, "us-east-1", expires=60).add_auth(request)
    assert request.url
    return request.url


def test_a_presigned_url_is_a_request(server: Cumulet, root: Credentials) -> None:
    with urlopen(presigned(server, root)) as response:
        assert b"<Account>000000000000</Account>" in response.read()


def test_a_presigned_url_for_another_action_does_not_match(server: Cumulet, root: Credentials) -> None:
    url = presigned(server, root, "Action=ListQueues&Version=2012-11-05", "sqs").replace("ListQueues", "PurgeQueue")

    with pytest.raises(HTTPError) as refused:
        urlopen(url)

    assert (refused.value.code, b"SignatureDoesNotMatch" in refused.value.read()) == (403, True)


def test_an_expired_presigned_url_is_refused(
    server: Cumulet, root: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    shifted(monkeypatch, seconds=-61)

    with pytest.raises(HTTPError) as refused:
        urlopen(presigned(server, root))

    assert (refused.value.code, b"RequestExpired" in refused.value.read()) == (400, True)


@pytest.mark.parametrize(
    ("headers", "code", "status"),
    [
        ({}, "MissingAuthenticationToken", 403),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, "MissingAuthenticationToken", 403),
        (
            {"Authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/sqs/aws4_request"},
            "IncompleteSignature",
            400,
        ),
        ({"Authorization": "AWS4-HMAC-SHA256 nonsense"}, "IncompleteSignature", 400),
    ],
    ids=["none", "basic", "half", "malformed"],
)
def test_a_request_without_a_whole_signature_is_told_what_lacks(
    server: Cumulet, headers: dict[str, str], code: str, status: int
) -> None:
    path = f"{server.url}/queue/us-east-1/000000000000/orders"
    request = Request(path, data=b"Action=SendMessage&MessageBody=x", headers={**FORM, **headers})

    with pytest.raises(HTTPError) as refused:
        urlopen(request)

    assert (refused.value.code, f"<Code>{code}</Code>" in refused.value.read().decode()) == (status, True)


def test_health_needs_no_signature(server: Cumulet) -> None:
    assert server.health()["auth"] == "enforce"


def test_in_open_mode_a_key_of_12_digits_is_the_account(cumulet: Cumulet) -> None:
    first, second = (cumulet.client("sqs", account=it) for it in ("111122223333", "444455556666"))
    url = first.create_queue(QueueName="mine")["QueueUrl"]

    assert "/111122223333/mine" in url
    assert first.list_queues()["QueueUrls"] == [url]
    assert "QueueUrls" not in second.list_queues()
    assert cumulet.client("sts", account="444455556666").get_caller_identity()["Account"] == "444455556666"


@pytest.mark.parametrize("key", ["test", "AKIAIOSFODNN7EXAMPLE", "12345678901", "1234567890123"])
def test_in_open_mode_any_other_key_is_the_default_account(cumulet: Cumulet, key: str) -> None:
    assert cumulet.client("sts", account=key).get_caller_identity()["Account"] == "000000000000"


def test_in_open_mode_neither_signature_nor_date_matter(cumulet: Cumulet, monkeypatch: pytest.MonkeyPatch) -> None:
    sts = cumulet.client("sts", account="111122223333")
    shifted(monkeypatch, days=-400)

    assert sts.get_caller_identity()["Account"] == "111122223333"
    assert exchange(cumulet.url, head(f"GET /?{WHO_AM_I} HTTP/1.1".encode())).status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_open_mode_does_not_listen_to_the_network_unasked(tmp_path: Path, host: str) -> None:
    with pytest.raises(StartError, match="--let-anyone-on-the-network-in"):
        Cumulet(tmp_path / "data", host=host).start()

    assert not (tmp_path / "data").exists()
