"""What a connection may say beside well-formed requests, and what it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus, urlsplit
from xml.etree import ElementTree

import psutil
import pytest
from raw_http import LIST_QUEUES, RawConnection, exchange, form, head, json

from cumulet.gateway.body import MOST_BODY_BYTES
from cumulet.gateway.connection import MOST_HEAD_BYTES
from cumulet.kernel.clock import MACHINE
from cumulet.testing import Cumulet


@contextmanager
def busy_neighbour(cumulet: Cumulet) -> Iterator[None]:
    """Let another client send messages meanwhile; it must not notice anything."""
    sqs = cumulet.client("sqs")
    url = sqs.create_queue(QueueName="neighbour")["QueueUrl"]
    is_over = threading.Event()
    sent: list[float] = []
    failures: list[Exception] = []

    def work() -> None:
        while not is_over.is_set() or not sent:
            started = MACHINE.monotonic()
            try:
                sqs.send_message(QueueUrl=url, MessageBody="x")
            except Exception as error:
                failures.append(error)
                return
            sent.append(MACHINE.monotonic() - started)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
    assert not failures
    assert max(sent) < 2


def test_pipelined_requests_are_answered_in_order(cumulet: Cumulet) -> None:
    requests = [json(b"GetQueueUrl", b'{"QueueName": "queue-%d"}' % n) for n in range(20)]
    sqs = cumulet.client("sqs", account="000000000000")
    urls = [sqs.create_queue(QueueName=f"queue-{n}")["QueueUrl"] for n in range(20)]

    with RawConnection(cumulet.url) as connection:
        connection.send(*requests)
        answers = [connection.answer() for _ in requests]

    assert [str(answer.json()["QueueUrl"]).rpartition("/")[2] for answer in answers] == [
        url.rpartition("/")[2] for url in urls
    ]


def test_a_client_that_pipelines_without_reading_loses_nothing_and_stops_nobody(cumulet: Cumulet) -> None:
    request = form(LIST_QUEUES)
    with busy_neighbour(cumulet), RawConnection(cumulet.url) as connection:
        connection.send(request * 2000)
        statuses = [connection.answer().status for _ in range(2000)]

    assert set(statuses) == {200}


def test_a_client_that_never_reads_does_not_fill_the_memory(cumulet: Cumulet) -> None:
    assert cumulet.process is not None
    server = psutil.Process(cumulet.process.pid)
    sqs = cumulet.client("sqs")
    url = sqs.create_queue(QueueName="large", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x" * 1_000_000)
    before_bytes = server.memory_info().rss
    with busy_neighbour(cumulet), RawConnection(cumulet.url, timeout_seconds=1) as connection:
        request = json(b"ReceiveMessage", b'{"QueueUrl": "%s"}' % url.encode())
        connection.send(request * 200)
        MACHINE.pause(1)
        grown_bytes = server.memory_info().rss - before_bytes

    assert grown_bytes < 60 * 1024 * 1024


def test_http_1_0_is_answered_and_closed(cumulet: Cumulet) -> None:
    with RawConnection(cumulet.url) as connection:
        answer = connection.send(b"GET /_cumulet/health HTTP/1.0\r\n\r\n").answer()

        assert answer.status == 200
        assert connection.is_closed_by_server()


def test_a_connection_is_used_again_unless_the_client_says_close(cumulet: Cumulet) -> None:
    with RawConnection(cumulet.url) as connection:
        assert connection.send(form(LIST_QUEUES)).answer().status == 200
        assert connection.send(b"\r\n\r\n", form(LIST_QUEUES)).answer().status == 200
        assert connection.send(form(LIST_QUEUES, b"/", b"Connection: close")).answer().status == 200
        assert connection.is_closed_by_server()


def test_a_request_target_may_be_an_absolute_url(cumulet: Cumulet) -> None:
    answer = exchange(cumulet.url, form(LIST_QUEUES, b"http://sqs.us-east-1.amazonaws.com/"))

    assert (answer.status, b"ListQueuesResponse" in answer.body) == (200, True)


def test_a_wish_to_upgrade_is_ignored(cumulet: Cumulet) -> None:
    upgrade = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
    with RawConnection(cumulet.url) as connection:
        whole = connection.send(form(LIST_QUEUES, b"/", *upgrade)).answer()
        request = form(LIST_QUEUES, b"/", *upgrade)
        connection.send(request[:-5])
        split = connection.send(request[-5:]).answer()
        plain = connection.send(form(LIST_QUEUES)).answer()

    assert [answer.status for answer in (whole, split, plain)] == [200, 200, 200]


def test_thousands_of_wishes_to_upgrade_at_once_are_ignored(cumulet: Cumulet) -> None:
    request = b"GET /_cumulet/clock HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    with busy_neighbour(cumulet), RawConnection(cumulet.url) as connection:
        connection.send(request * 3000)
        statuses = [connection.answer().status for _ in range(3000)]

    assert set(statuses) == {200}


def test_a_request_that_comes_byte_by_byte_is_answered(cumulet: Cumulet) -> None:
    with RawConnection(cumulet.url) as connection:
        for byte in form(LIST_QUEUES):
            connection.send(bytes([byte]))

        assert connection.answer().status == 200


def test_a_chunked_body_is_put_together(cumulet: Cumulet) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (LIST_QUEUES[:7], LIST_QUEUES[7:])) + b"0\r\n\r\n"
    types = b"Content-Type: application/x-www-form-urlencoded"

    answer = exchange(cumulet.url, head(b"POST / HTTP/1.1", types, b"Transfer-Encoding: chunked"), chunks)

    assert answer.status == 200


def test_expect_100_continue_is_answered_before_the_body_is_sent(cumulet: Cumulet) -> None:
    request = form(LIST_QUEUES, b"/", b"Expect: 100-continue").removesuffix(LIST_QUEUES)
    with RawConnection(cumulet.url) as connection:
        assert connection.send(request).read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert connection.send(LIST_QUEUES).answer().status == 200


def test_a_body_that_would_be_too_large_is_refused_without_100_continue(cumulet: Cumulet) -> None:
    length = b"Content-Length: %d" % (MOST_BODY_BYTES + 1)
    with RawConnection(cumulet.url) as connection:
        answer = connection.send(head(b"POST / HTTP/1.1", length, b"Expect: 100-continue")).answer()

        assert answer.status == 413
        assert connection.is_closed_by_server()


def test_a_client_that_sends_a_too_large_body_reads_the_refusal(cumulet: Cumulet) -> None:
    body = b"x" * (MOST_BODY_BYTES + 1)
    with busy_neighbour(cumulet):
        answer = exchange(cumulet.url, form(body))

    assert answer.status == 413


def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(cumulet: Cumulet) -> None:
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with busy_neighbour(cumulet), RawConnection(cumulet.url) as connection:
        connection.send(head(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked"))
        for _ in range(MOST_BODY_BYTES // 0x100000 + 1):
            connection.send(chunk)

        assert connection.answer().status == 413


@pytest.mark.parametrize("size_bytes", [MOST_HEAD_BYTES + 1, 4 * MOST_HEAD_BYTES])
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_head_larger_than_64_kib_is_refused(cumulet: Cumulet, size_bytes: int, is_whole: bool) -> None:
    filler = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in range(size_bytes // 1000 + 2))
    request = b"POST / HTTP/1.1\r\nHost: x\r\n" + filler + (b"\r\n" if is_whole else b"")
    with RawConnection(cumulet.url) as connection:
        answer = connection.send(request).answer()

        assert answer.status == 431
        assert connection.is_closed_by_server()


def test_a_head_of_just_64_kib_is_read_although_a_large_body_follows(cumulet: Cumulet) -> None:
    value = b"x" * (MOST_HEAD_BYTES - 1000)
    body = LIST_QUEUES + b"&Filler=" + b"x" * 100_000

    assert exchange(cumulet.url, form(body, b"/", b"X-Large: " + value)).status == 200


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: -1",
        b"Content-Length: abc",
        b"Content-Length: 1_0",
        b"Content-Length: \xb2",
        b"Content-Length:",
        b"Content-Length: 3\r\nContent-Length: 4",
        b"Content-Length: 99999999999999999999999999",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
    ],
)
def test_a_length_that_makes_no_sense_is_a_bad_request(cumulet: Cumulet, header: bytes) -> None:
    answer = exchange(cumulet.url, head(b"POST / HTTP/1.1", header), b"abc")

    assert answer.status == 400


def test_a_length_with_thousands_of_zeros_is_refused(cumulet: Cumulet) -> None:
    answer = exchange(cumulet.url, head(b"POST / HTTP/1.1", b"Content-Length: " + b"0" * 5000 + b"3"), b"abc")

    assert answer.status == 413


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /\xc3\xa4 HTTP/1.1",
        b"GET  HTTP/1.1",
        b"GET / HTTP/9.9",
        b"CONNECT localhost:4566 HTTP/1.1",
        b"NONSENSE",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0",
    ],
)
def test_what_is_no_http_is_a_bad_request(cumulet: Cumulet, request_line: bytes) -> None:
    with RawConnection(cumulet.url) as connection:
        answer = connection.send(head(request_line)).answer()

        assert answer.status == 400
        assert connection.is_closed_by_server()


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"POST", b"OPTIONS", b"DELETE", b"PATCH"])
@pytest.mark.parametrize("path", [b"/", b"//", b"/%00", b"/%ff%fe", b"/a/b/c/d/e", b"/?x=%zz", b"/..;/", b"*"])
def test_a_path_that_means_nothing_is_not_found(cumulet: Cumulet, method: bytes, path: bytes) -> None:
    answer = exchange(cumulet.url, head(method + b" " + path + b" HTTP/1.1"))

    assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>")


def test_head_is_answered_without_a_body(cumulet: Cumulet) -> None:
    with RawConnection(cumulet.url) as connection:
        health = connection.send(head(b"HEAD /_cumulet/health HTTP/1.1")).answer(has_body=False)
        nothing = connection.send(head(b"HEAD /nothing HTTP/1.1")).answer(has_body=False)
        after = connection.send(form(LIST_QUEUES)).answer()

    assert [answer.status for answer in (health, nothing, after)] == [200, 404, 200]


def test_repeated_headers_are_joined(cumulet: Cumulet) -> None:
    target = b"X-Amz-Target: AmazonSQS.ListQueues"

    answer = exchange(cumulet.url, json(b"ListQueues", b"{}", target))

    assert answer.status == 501
    assert b"AmazonSQS" in answer.body


def test_a_client_that_goes_in_the_middle_of_a_body_leaves_nothing_behind(cumulet: Cumulet) -> None:
    sqs = cumulet.client("sqs", account="000000000000")
    url = sqs.create_queue(QueueName="truncated")["QueueUrl"]
    body = b'{"QueueUrl": "%s", "MessageBody": "whole"}' % url.encode()
    with busy_neighbour(cumulet):
        for end in range(0, len(body), 7):
            with RawConnection(cumulet.url) as connection:
                connection.send(json(b"SendMessage", body)[: end - len(body)])

    assert exchange(cumulet.url, json(b"SendMessage", body)).status == 200
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 1


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cumulet]:
    """Return a server that gives requests half a second to arrive."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CUMULET_REQUEST_DEADLINE_SECONDS", "0.5")
        with Cumulet(tmp_path_factory.mktemp("strict") / "data") as server:
            yield server


class TestDeadline:
    """Requests that never end arriving."""

    @pytest.mark.parametrize(
        "beginning",
        [b"P", b"POST / HT", head(b"POST / HTTP/1.1")[:-2], form(LIST_QUEUES)[:-1]],
        ids=["one byte", "request line", "head", "body"],
    )
    def test_a_request_that_stops_arriving_times_out(self, strict: Cumulet, beginning: bytes) -> None:
        with busy_neighbour(strict), RawConnection(strict.url) as connection:
            answer = connection.send(beginning).answer()

            assert answer.status == 408
            assert connection.is_closed_by_server()

    @pytest.mark.parametrize("end", [b"\r\nHost: x\r\n", b"\r\nContent-Length: 100000\r\n\r\n"], ids=["head", "body"])
    def test_a_slow_sender_times_out_although_it_never_rests(self, strict: Cumulet, end: bytes) -> None:
        is_over = threading.Event()
        with busy_neighbour(strict), RawConnection(strict.url) as connection:
            connection.send(b"POST / HTTP/1.1" + end)

            def drip() -> None:
                while not is_over.wait(0.01):
                    try:
                        connection.send(b"x")
                    except OSError:
                        return

            thread = threading.Thread(target=drip)
            thread.start()
            try:
                assert connection.answer().status == 408
            finally:
                is_over.set()
                thread.join()

    def test_the_deadline_of_a_request_starts_with_it(self, strict: Cumulet) -> None:
        with RawConnection(strict.url) as connection:
            request = form(LIST_QUEUES)
            for _ in range(5):
                connection.send(request[:20])
                MACHINE.pause(0.2)
                assert connection.send(request[20:]).answer().status == 200

    def test_an_idle_connection_has_no_deadline(self, strict: Cumulet) -> None:
        with RawConnection(strict.url) as fresh, RawConnection(strict.url) as used:
            used.send(form(LIST_QUEUES)).answer()
            MACHINE.pause(0.8)

            assert fresh.send(form(LIST_QUEUES)).answer().status == 200
            assert used.send(form(LIST_QUEUES)).answer().status == 200

    def test_half_a_request_behind_a_long_poll_does_not_spoil_its_answer(self, strict: Cumulet) -> None:
        sqs = strict.client("sqs", account="000000000000")
        url = sqs.create_queue(QueueName="poll")["QueueUrl"]
        poll = json(b"ReceiveMessage", b'{"QueueUrl": "%s", "WaitTimeSeconds": 20}' % url.encode())
        with RawConnection(strict.url) as connection:
            connection.send(poll, b"POST / HTTP/1.1\r\n")
            MACHINE.pause(3.5)  # the deadline, and then the time that refused clients have
            sqs.send_message(QueueUrl=url, MessageBody="here")

            answer = connection.answer()

            assert (answer.status, b"here" in answer.body) == (200, True)
            assert connection.is_closed_by_server()


def test_a_long_poll_ends_when_its_client_goes_although_requests_wait_behind_it(cumulet: Cumulet) -> None:
    sqs = cumulet.client("sqs", account="000000000000")
    url = sqs.create_queue(QueueName="abandoned")["QueueUrl"]
    poll = json(b"ReceiveMessage", b'{"QueueUrl": "%s", "WaitTimeSeconds": 20}' % url.encode())
    with RawConnection(cumulet.url) as connection:
        connection.send(poll, form(LIST_QUEUES))
        MACHINE.pause(0.2)
    MACHINE.pause(0.2)

    sqs.send_message(QueueUrl=url, MessageBody="for somebody else")

    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b"nonsense", b'{"QueueName": "a}', b"\xff\xfe", b"[" * 100_000])
def test_malformed_json_is_a_serialization_exception(cumulet: Cumulet, body: bytes) -> None:
    answer = exchange(cumulet.url, json(b"CreateQueue", body))

    assert answer.status == 400
    assert answer.json()["__type"] == "com.amazon.coral.service#SerializationException"


@pytest.mark.parametrize(
    "text",
    [
        "tab\tand\nline feed",
        "<&>\"'",
        "]]>",
        "ä € 😀",
        "a+b c%20d&e=f;g",
        "\r\n",
    ],
)
def test_text_survives_the_query_protocol(cumulet: Cumulet, text: str) -> None:
    path = urlsplit(cumulet.client("sqs").create_queue(QueueName="encodings")["QueueUrl"]).path.encode()
    for encode in (quote, quote_plus):
        body = f"Action=SendMessage&MessageBody={encode(text, safe='')}".encode()
        assert exchange(cumulet.url, form(body, path)).status == 200
        assert exchange(cumulet.url, head(b"GET " + path + b"?" + body + b" HTTP/1.1")).status == 200

    answer = exchange(cumulet.url, form(b"Action=ReceiveMessage&MaxNumberOfMessages=10", path))

    bodies = [element.text for element in ElementTree.fromstring(answer.body).iter() if element.tag.endswith("}Body")]
    assert bodies == [text] * 4


@pytest.mark.parametrize(
    "value", [b"%00", b"%0b", b"%1f", b"%ef%bf%be", b'<b>&"', b"%26%3c", b"\xc3\xa4", b"%ff", b"\xff"]
)
def test_an_answer_is_well_formed_xml_whatever_the_action(cumulet: Cumulet, value: bytes) -> None:
    answer = exchange(cumulet.url, form(b"Version=2012-11-05&Action=" + value))

    assert answer.status == 501 or answer.status == 400
    assert ElementTree.fromstring(answer.body) is not None


def test_parameters_that_are_not_utf_8_are_refused(cumulet: Cumulet) -> None:
    answer = exchange(cumulet.url, form(LIST_QUEUES + b"&QueueNamePrefix=%ff", b"/"))

    assert answer.status == 400
    assert b"<Code>MalformedQueryString</Code>" in answer.body


def test_a_refusal_does_not_close_the_connection(cumulet: Cumulet) -> None:
    with RawConnection(cumulet.url) as connection:
        refused = connection.send(json(b"Nonsense", b"{}")).answer()
        after = connection.send(form(LIST_QUEUES)).answer()

    assert (refused.status, after.status) == (404, 200)
