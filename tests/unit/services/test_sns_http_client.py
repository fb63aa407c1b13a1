"""SNS: one POST to an endpoint that may do anything: it costs a bounded time, and leaves no connection behind."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest
import uvloop

from cumulet.kernel.clock import MACHINE
from cumulet.services.sns import http_client
from cumulet.services.sns.http_client import ANSWER_SECONDS, NoAnswer

BRIEF = 0.3
"""Seconds that endpoints have here instead of fifteen."""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LARGE = b"x" * 262_144

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Misbehaved:
    """An endpoint that does as it is told, and what it has got."""

    def __init__(self, behave: Behaviour, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self._behave, self._host, self._tls = behave, host, tls
        self.requests: list[bytes] = []
        self.unheard: list[str] = []

    def post(self, url: str = "{base}/hook", body: bytes = b"hello", within_seconds: float = BRIEF) -> int:
        """Send it something; fail when a connection is left behind, or an error that nobody has heard of."""

        async def run() -> int:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: self.unheard.append(str(context)))
            server = await asyncio.start_server(self._serve, self._host, 0, ssl=self._tls)
            async with server:
                port = server.sockets[0].getsockname()[1]
                host = f"[{self._host}]" if ":" in self._host else self._host
                base = f"{'https' if self._tls else 'http'}://{host}:{port}"
                try:
                    return await http_client.post(
                        url.format(base=base, port=port), {"X-Kind": "test"}, body, within_seconds=within_seconds
                    )
                finally:
                    for _ in range(1000):
                        if not connections_to(port):
                            break
                        await asyncio.sleep(0.005)
                    assert not connections_to(port)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                return runner.run(run())
            finally:
                assert self.unheard == []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def read(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        self.requests.append(head + await reader.readexactly(length))


def connections_to(port: int) -> int:
    """Return how many connections this process has to a port, as who has opened them."""
    return sum(len(one.raddr) == 2 and one.raddr[1] == port for one in psutil.Process().net_connections("tcp"))


def saying(*parts: bytes, pause: float = 0.0, stays: bool = False) -> Misbehaved:
    """Return an endpoint that reads the request and answers so, in pieces; it closes then unless it `stays`."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await endpoint.read(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        if stays:
            await reader.read()

    endpoint = Misbehaved(behave)
    return endpoint


def for_ever(part: bytes, first: bytes = b"") -> Misbehaved:
    """Return an endpoint that never stops to send."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(part)
            await writer.drain()

    return Misbehaved(behave)


def test_endpoint_has_fifteen_seconds() -> None:
    assert ANSWER_SECONDS == 15


def test_answer_is_its_status() -> None:
    endpoint = saying(b"HTTP/1.1 503 No\r\nContent-Length: 10000\r\n\r\n" + b"y" * 10_000)

    assert endpoint.post() == 503


def asking(challenge: bytes, *answers: bytes) -> Misbehaved:
    """Return an endpoint that asks the first request for a digest, and says to the next what is given."""
    asked = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nWWW-Authenticate: %s\r\nContent-Length: 0\r\n\r\n"
    left = [asked % challenge, *answers]

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await endpoint.read(reader)
        writer.write(left.pop(0))
        await writer.drain()

    endpoint = Misbehaved(behave)
    return endpoint


def test_endpoint_that_asks_for_a_digest_gets_one() -> None:
    endpoint = asking(b'Digest realm="r", nonce="n", qop="auth"', OK)

    assert endpoint.post("http://me:p%40ss@127.0.0.1:{port}/hook?a=1") == 200
    first, second = endpoint.requests
    assert b"Authorization: Basic " in first
    assert b'Authorization: Digest username="me", realm="r", nonce="n", uri="/hook?a=1", response="' in second
    assert second.endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize(
    ("url", "challenge"),
    [
        ("http://me:pw@127.0.0.1:{port}/", b'Digest realm="r"'),
        ("http://me:pw@127.0.0.1:{port}/", b"Bearer"),
        ("http://127.0.0.1:{port}/", b'Digest realm="r", nonce="n"'),
    ],
)
def test_challenge_that_can_not_be_met_is_an_answer(url: str, challenge: bytes) -> None:
    endpoint = asking(challenge)

    assert endpoint.post(url) == 401
    assert len(endpoint.requests) == 1


def test_endpoint_that_asks_again_is_not_told_again() -> None:
    again = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="r", nonce="m"\r\nContent-Length: 0\r\n\r\n'
    endpoint = asking(b'Digest realm="r", nonce="n"', again)

    assert endpoint.post("http://me:pw@127.0.0.1:{port}/") == 401
    assert len(endpoint.requests) == 2


def test_request_is_whole() -> None:
    endpoint = saying(OK)

    endpoint.post("{base}/hook?a=1#part", LARGE)

    [request] = endpoint.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?a=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nX-Kind: test\r\n" in head
    assert body == LARGE


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/größe", b"/gr%C3%B6%C3%9Fe"),
        ("/a%20b", b"/a%20b"),
        ("", b"/"),
        ("?q=ü", b"/?q=%C3%BC"),
        ('/"<>{{}}|^`', b"/%22%3C%3E%7B%7D%7C%5E%60"),
    ],
)
def test_address_is_sent_as_http_wants_it(path: str, sent: bytes) -> None:
    endpoint = saying(OK)

    endpoint.post("{base}" + path)

    assert endpoint.requests[0].split(b" ")[1] == sent


@pytest.mark.parametrize(
    "parts",
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n", OK),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK,),
        tuple(OK[index : index + 1] for index in range(len(OK))),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nUpgrade: other\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n",),
    ],
    ids=["continue", "hints", "bytes", "no length", "chunked", "upgrade offered"],
)
def test_answer_may_come_in_many_ways(parts: tuple[bytes, ...]) -> None:
    assert saying(*parts).post() == 200


def test_redirect_is_not_followed() -> None:
    endpoint = saying(b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")

    assert (endpoint.post(), len(endpoint.requests)) == (302, 1)


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", b"slow"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz"),
    ],
    ids=["hangs", "short", "no chunk"],
)
def test_status_counts_whatever_becomes_of_the_body(first: bytes, rest: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "BODY_SECONDS", 0.1)

    assert saying(first, rest, stays=True).post() == 200


def test_body_without_an_end_is_not_read_to_its_end() -> None:
    endpoint = for_ever(b"z" * 65_536, first=b"HTTP/1.1 200 OK\r\n\r\n")

    assert endpoint.post(within_seconds=5) == 200


@pytest.mark.parametrize(
    "part",
    [b"A: b\r\n" * 200, b"A" * 1000, b"Long: x\r\n" * 100],
    ids=["headers", "a header", "long headers"],
)
def test_head_without_an_end_is_given_up(part: bytes) -> None:
    with pytest.raises(NoAnswer, match=r"65,536 bytes|no answer:"):
        for_ever(part, first=b"HTTP/1.1 200 OK\r\n").post(within_seconds=5)


def test_announcements_without_an_end_are_given_up() -> None:
    with pytest.raises(NoAnswer, match="65,536 bytes"):
        for_ever(b"HTTP/1.1 100 Continue\r\n\r\n" * 100).post(within_seconds=5)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 100,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_none(garbage: bytes) -> None:
    with pytest.raises(NoAnswer, match=r"."):
        saying(garbage, stays=True).post(within_seconds=5)


@pytest.mark.parametrize("parts", [(), (b"HTTP/1.1 200 OK\r\nContent-",)], ids=["at once", "in the head"])
def test_connection_that_is_closed_early_has_no_answer(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(NoAnswer, match="closed the connection"):
        saying(*parts).post(within_seconds=5)


@pytest.mark.parametrize("part", ["a", "a=b,", "a ", '\\"', 'a="\\'])
def test_challenge_of_any_length_is_read_at_once(part: str) -> None:
    challenge = f"Digest {part * (60_000 // len(part))}".encode()
    endpoint = saying(b"HTTP/1.1 401 No\r\nWWW-Authenticate: " + challenge + b"\r\nContent-Length: 0\r\n\r\n")

    began = MACHINE.monotonic()
    assert endpoint.post("http://me:pw@127.0.0.1:{port}/", within_seconds=5) == 401
    assert MACHINE.monotonic() - began < 2


def test_connection_that_is_cut_has_no_answer() -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    with pytest.raises(NoAnswer):
        Misbehaved(behave).post(body=LARGE * 10, within_seconds=5)


@pytest.mark.parametrize("reads", [False, True], ids=["deaf", "mute"])
def test_endpoint_that_hangs_is_left_after_its_time(reads: bool) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if reads:
            await endpoint.read(reader)
        await asyncio.sleep(3)

    endpoint = Misbehaved(behave)
    began = MACHINE.monotonic()
    with pytest.raises(NoAnswer, match=r"^no answer within 0.3 seconds$"):
        endpoint.post(body=LARGE * 40)

    assert MACHINE.monotonic() - began < 2


def test_endpoint_that_drips_is_left_after_its_time() -> None:
    drops = [bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\nA: " + b"b" * 1000]

    with pytest.raises(NoAnswer, match=r"^no answer within 0.3 seconds$"):
        saying(*drops, pause=0.02).post()


def test_answer_before_the_request_was_read_counts() -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(1)

    assert Misbehaved(behave).post(body=LARGE * 40) == 413


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://[::1]:1/",
        "http://nowhere.invalid/",
        "http://" + "a" * 70 + ".example/",
        "http://bücher.invalid/",
        "http://" + "ü" * 70 + ".invalid/",
        "http://a\u2028b.invalid/",
        "http://a\x7fb.invalid/",
        "http://a..b/",
    ],
)
def test_address_where_nobody_is_has_no_answer(url: str) -> None:
    with pytest.raises(NoAnswer, match=r"."):
        saying(OK).post(url, within_seconds=5)


def test_endpoint_may_have_an_address_of_ipv6() -> None:
    endpoint = saying(OK)
    endpoint._host = "::1"

    assert endpoint.post() == 200
    assert b"\r\nHost: [::1]:" in endpoint.requests[0]


@pytest.fixture
def trust(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine trust the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    http_client._tls.cache_clear()
    yield
    http_client._tls.cache_clear()


def secured(endpoint: Misbehaved, certificate: Path) -> Misbehaved:
    endpoint._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    endpoint._tls.load_cert_chain(certificate)
    return endpoint


@pytest.mark.usefixtures("trust")
def test_endpoint_of_https_is_reached(certificate: Path) -> None:
    endpoint = secured(saying(OK, stays=True), certificate)

    assert endpoint.post(within_seconds=5) == 200


@pytest.mark.usefixtures("trust")
def test_certificate_for_another_name_is_refused(certificate: Path) -> None:
    endpoint = secured(saying(OK), certificate)

    with pytest.raises(NoAnswer, match=r"(?i)certificate"):
        endpoint.post("https://localhost:{port}/", within_seconds=5)
    assert endpoint.requests == []


def test_certificate_that_nobody_knows_is_refused(certificate: Path) -> None:
    endpoint = secured(saying(OK), certificate)

    with pytest.raises(NoAnswer, match=r"(?i)certificate"):
        endpoint.post(within_seconds=5)
    assert endpoint.requests == []


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["silent", "without TLS"])
def test_endpoint_that_speaks_no_tls_has_no_answer(first: bytes) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await asyncio.sleep(2)

    with pytest.raises(NoAnswer, match=r"."):
        Misbehaved(behave).post("https://127.0.0.1:{port}/")


@pytest.mark.usefixtures("trust")
def test_endpoint_that_speaks_tls_alone_has_no_answer_without(certificate: Path) -> None:
    with pytest.raises(NoAnswer, match=r"."):
        secured(saying(OK), certificate).post("http://127.0.0.1:{port}/", within_seconds=5)
