"""Lambda: functions' code is on disk before it is answered, can be downloaded, and is removed when nothing needs it."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError
from lambda_functions import SOURCE, create, zip_of
from raw_http import RawConnection, head

from cumulet.gateway.body import MOST_BODY_BYTES
from cumulet.testing import Cumulet

PACKAGE = zip_of({"app.py": SOURCE})
OTHER_PACKAGE = zip_of({"app.py": "def handler(event, context):\n    return 'other'\n"})


def large_package(size_bytes: int) -> bytes:
    """Return a package of about a size, with content that can't be packed."""
    return zip_of({"app.py": SOURCE, "noise": os.urandom(size_bytes)})


def location(cumulet: Cumulet, name: str) -> str:
    url: str = cumulet.client("lambda").get_function(FunctionName=name)["Code"]["Location"]
    return url


def download(url: str, method: str = "GET") -> tuple[int, str | None, bytes]:
    """Return status, content type and body."""
    try:
        with urlopen(Request(url, method=method), timeout=30) as response:
            return response.status, response.headers["Content-Type"], response.read()
    except HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


def files(server: Cumulet) -> dict[str, bytes]:
    """Return what is in the folder of packages."""
    return {path.name: path.read_bytes() for path in (server.folder / "functions").iterdir()}


def file_of(package: bytes) -> str:
    return f"{hashlib.sha256(package).hexdigest()}.zip"


@pytest.fixture
def server(tmp_path: Path) -> Any:
    """Return a server whose folder the test may look into."""
    with Cumulet(tmp_path / "data") as server:
        yield server


# Downloading


def test_the_link_leads_to_the_code_as_it_was_uploaded(cumulet: Cumulet) -> None:
    create(cumulet, "hello")

    answer = cumulet.client("lambda").get_function(FunctionName="hello")["Code"]

    assert answer["RepositoryType"] == "S3"
    assert download(answer["Location"]) == (200, "application/zip", PACKAGE)
    assert download(answer["Location"], "HEAD") == (200, "application/zip", b"")


def test_the_link_of_a_changed_function_leads_to_the_new_code(cumulet: Cumulet) -> None:
    create(cumulet, "hello")
    before = location(cumulet, "hello")

    cumulet.client("lambda").update_function_code(FunctionName="hello", ZipFile=OTHER_PACKAGE)

    assert download(location(cumulet, "hello"))[2] == OTHER_PACKAGE
    assert download(before)[2] == PACKAGE


@pytest.mark.parametrize(
    ("change", "by"),
    [("expires=", "expires=9"), ("signature=", "signature=0"), (".zip", ".zap"), ("expires=", "other="), ("?", "?x=")],
)
def test_a_link_that_was_tampered_with_is_refused(cumulet: Cumulet, change: str, by: str) -> None:
    create(cumulet, "hello")

    status, content_type, body = download(location(cumulet, "hello").replace(change, by))

    assert (status, content_type) == (403, "application/json")
    assert b"signature is wrong" in body


@pytest.mark.parametrize("path", ["", "x", "%2e%2e", "..%2fcumulet.db", "x.zip?expires=soon&signature=%ff"])
def test_no_other_file_can_be_downloaded(cumulet: Cumulet, path: str) -> None:
    assert download(f"{cumulet.url}/_cumulet/functions/{path}")[0] == 403


def test_what_is_below_the_folder_is_no_endpoint(cumulet: Cumulet) -> None:
    assert download(f"{cumulet.url}/_cumulet/functions/x/y")[0] == 404
    assert download(f"{cumulet.url}/_cumulet/functions/x", "POST")[0] == 404


# On disk


def test_a_package_is_a_file_for_the_user_alone_named_by_its_digest(server: Cumulet) -> None:
    create(server, "a")
    create(server, "b")
    create(server, "c", Code={"ZipFile": OTHER_PACKAGE})

    assert files(server) == {file_of(PACKAGE): PACKAGE, file_of(OTHER_PACKAGE): OTHER_PACKAGE}
    folder = server.folder / "functions"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_dry_run_and_refused_requests_write_nothing(server: Cumulet) -> None:
    create(server, "a")
    client = server.client("lambda")

    client.update_function_code(FunctionName="a", ZipFile=OTHER_PACKAGE, DryRun=True)
    with pytest.raises(ClientError):
        create(server, "a", Code={"ZipFile": OTHER_PACKAGE})
    with pytest.raises(ClientError):
        client.update_function_code(FunctionName="a", ZipFile=OTHER_PACKAGE, RevisionId="other")

    assert files(server).keys() == {file_of(PACKAGE)}


@pytest.mark.parametrize("change", ["update", "delete"])
def test_a_package_is_removed_once_no_invocation_can_need_it(server: Cumulet, change: str) -> None:
    create(server, "a")
    create(server, "b", Code={"ZipFile": OTHER_PACKAGE})
    client = server.client("lambda")
    if change == "update":
        client.update_function_code(FunctionName="a", ZipFile=OTHER_PACKAGE)
    else:
        client.delete_function(FunctionName="a")

    server.advance(minutes=14)
    early = files(server).keys()
    server.advance(minutes=1)
    late = files(server).keys()

    assert early == {file_of(PACKAGE), file_of(OTHER_PACKAGE)}
    assert late == {file_of(OTHER_PACKAGE)}


def test_a_package_that_another_function_has_is_kept(server: Cumulet) -> None:
    create(server, "a")
    create(server, "b")
    server.client("lambda").delete_function(FunctionName="a")

    server.advance(minutes=15)

    assert download(location(server, "b"))[2] == PACKAGE


def test_a_link_to_code_that_was_removed_says_so(server: Cumulet) -> None:
    create(server, "a")
    link = location(server, "a")
    server.client("lambda").delete_function(FunctionName="a")
    server.advance(minutes=15)

    status, _, body = download(link)

    assert status == 404
    assert b"was replaced" in body


def test_code_that_was_removed_can_be_uploaded_again(server: Cumulet) -> None:
    create(server, "a")
    server.client("lambda").delete_function(FunctionName="a")
    server.advance(minutes=15)

    create(server, "a")

    assert download(location(server, "a"))[2] == PACKAGE


# Restart


def seen(server: Cumulet) -> Any:
    """Return all that a client can see of the functions."""
    client = server.client("lambda")
    found = []
    for function in client.list_functions()["Functions"]:
        answer = client.get_function(FunctionName=function["FunctionName"])
        code = download(answer["Code"]["Location"])[2]
        found.append((answer["Configuration"], answer.get("Tags"), answer.get("Concurrency"), code))
    return found, client.get_account_settings()["AccountLimit"], client.get_account_settings()["AccountUsage"]


def test_functions_are_the_same_after_a_kill(tmp_path: Path) -> None:
    server = Cumulet(tmp_path / "data", durability="full")
    server.start()
    client = server.client("lambda")
    create(server, "plain")
    create(server, "rich", Tags={"a": "b"}, Environment={"Variables": {"A1": "b"}}, MemorySize=512)
    client.put_function_concurrency(FunctionName="rich", ReservedConcurrentExecutions=9)
    client.update_function_code(FunctionName="rich", ZipFile=OTHER_PACKAGE)
    client.update_function_configuration(FunctionName="plain", Timeout=9)
    create(server, "gone")
    client.delete_function(FunctionName="gone")
    before = seen(server)

    server.kill()
    server.start()

    try:
        assert seen(server) == before
        assert len(before[0]) == 2
    finally:
        server.stop()


def test_a_start_removes_what_no_function_has_and_what_a_crash_left_half_written(tmp_path: Path) -> None:
    server = Cumulet(tmp_path / "data")
    server.start()
    create(server, "a")
    create(server, "b", Code={"ZipFile": OTHER_PACKAGE})
    server.client("lambda").delete_function(FunctionName="b")
    old_link = location(server, "a")
    server.kill()
    (server.folder / "functions" / "tmphalf.new").write_bytes(PACKAGE[:10])

    server.start()

    try:
        assert files(server).keys() == {file_of(PACKAGE)}
        assert download(old_link.replace(old_link.split("/_")[0], server.url))[0] == 403
        assert download(location(server, "a"))[2] == PACKAGE
    finally:
        server.stop()


# Size


def test_a_package_larger_than_other_requests_may_be_is_taken_and_delivered(cumulet: Cumulet) -> None:
    package = large_package(20_000_000)
    assert len(package) > MOST_BODY_BYTES

    created = create(cumulet, "large", Code={"ZipFile": package})
    updated = cumulet.client("lambda").update_function_code(FunctionName="large", ZipFile=package)

    assert created["CodeSize"] == updated["CodeSize"] == len(package)
    assert download(location(cumulet, "large"))[2] == package


def length(size_bytes: int) -> bytes:
    return b"Content-Length: %d" % size_bytes


SIGNED = (
    b"Authorization: AWS4-HMAC-SHA256 Credential=1/20260101/us-east-1/%s/aws4_request, SignedHeaders=host, Signature=x"
)


@pytest.mark.parametrize(
    ("line", "service", "size_bytes", "code"),
    [
        (b"POST /2015-03-31/functions HTTP/1.1", b"lambda", 70_167_212, b"RequestEntityTooLargeException"),
        (b"PUT /2015-03-31/functions/f/code HTTP/1.1", b"lambda", 70_167_212, b"RequestEntityTooLargeException"),
        (b"PUT /2015-03-31/functions/f/configuration HTTP/1.1", b"lambda", MOST_BODY_BYTES + 1, None),
        (b"POST /2015-03-31/functions/f/invocations HTTP/1.1", b"lambda", MOST_BODY_BYTES + 1, None),
        (b"POST /2015-03-31/functions HTTP/1.1", b"sqs", MOST_BODY_BYTES + 1, None),
        (b"GET /2015-03-31/functions HTTP/1.1", b"lambda", MOST_BODY_BYTES + 1, None),
        (b"POST /nowhere HTTP/1.1", b"lambda", MOST_BODY_BYTES + 1, None),
    ],
)
def test_only_requests_with_packages_may_be_larger_than_others(
    cumulet: Cumulet, line: bytes, service: bytes, size_bytes: int, code: bytes | None
) -> None:
    with RawConnection(cumulet.url) as connection:
        answer = connection.send(head(line, SIGNED % service, length(size_bytes))).answer()

    assert answer.status == 413
    assert answer.headers.get(b"x-amzn-errortype") == code


def test_a_request_that_names_its_target_in_a_header_is_no_larger_than_others(cumulet: Cumulet) -> None:
    request = head(
        b"POST /2015-03-31/functions HTTP/1.1",
        SIGNED % b"lambda",
        b"X-Amz-Target: AmazonSQS.ListQueues",
        length(MOST_BODY_BYTES + 1),
    )
    with RawConnection(cumulet.url) as connection:
        assert connection.send(request).answer().status == 413


def test_a_chunked_package_is_taken_up_to_its_limit(cumulet: Cumulet) -> None:
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with RawConnection(cumulet.url) as connection:
        connection.send(head(b"POST /2015-03-31/functions HTTP/1.1", SIGNED % b"lambda", b"Transfer-Encoding: chunked"))
        for _ in range(MOST_BODY_BYTES // 0x100000 + 1):
            connection.send(chunk)
        answer = connection.send(b"0\r\n\r\n").answer()

    assert (answer.status, answer.headers[b"x-amzn-errortype"]) == (400, b"SerializationException")
