"""Answers in pieces, on a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest

from cumulet.gateway.app import _respond
from cumulet.gateway.connection import Connections, Times
from cumulet.wire.http import HttpResponse

GET = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"


async def pieces(*parts: bytes) -> AsyncGenerator[bytes, None]:
    for part in parts:
        yield part


Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def served(answer: Callable[[], HttpResponse], client: Client) -> list[dict[str, Any]]:
    """Let a client talk to a server that gives this answer; return what the loop's exception handler was told."""
    failures: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _respond(send, answer())

    async def test() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failures.append(context))
        connections = Connections(app, loop, Times())
        server = await loop.create_server(connections, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        await client(reader, writer)
        writer.close()
        await connections.close(1.0)
        server.close()

    asyncio.run(test())
    return failures


def test_pieces_are_chunks_and_the_connection_stays() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(GET)
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"transfer-encoding: chunked\r\n" in head
            assert b"content-length" not in head
            assert await reader.readuntil(b"0\r\n\r\n") == b"3\r\none\r\n2\r\n\x00\n\r\n0\r\n\r\n"

    assert served(lambda: HttpResponse(200, stream=pieces(b"one", b"", b"\x00\n")), client) == []


def test_stream_without_a_piece_is_an_empty_answer() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GET)
        assert (await reader.readuntil(b"\r\n\r\n")).endswith(b"content-length: 0\r\n\r\n")

    assert served(lambda: HttpResponse(200, stream=pieces()), client) == []


def test_client_of_http_1_0_reads_until_the_end_of_the_connection() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
        assert b"chunked" not in head
        assert body == b"onetwo"

    assert served(lambda: HttpResponse(200, stream=pieces(b"one", b"two")), client) == []


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("is_stream", [False, True])
def test_an_answer_that_has_no_body_ends_with_its_head(status: int, is_stream: bool) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(GET)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 %d " % status)
            assert b"content-length" not in head
            assert b"transfer-encoding" not in head

    def answer() -> HttpResponse:
        return HttpResponse(status, stream=pieces(b"one", b"two")) if is_stream else HttpResponse(status, b"one")

    assert served(answer, client) == []


def test_head_gets_no_body() -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HEAD / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        assert (await reader.read(-1)).partition(b"\r\n\r\n")[2] == b""

    assert served(lambda: HttpResponse(200, stream=pieces(b"one")), client) == []


def test_failure_in_the_middle_breaks_the_connection() -> None:
    async def failing() -> AsyncGenerator[bytes, None]:
        yield b"one"
        raise ValueError("why")

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GET)
        try:
            received = await reader.read(-1)
        except ConnectionResetError:
            return
        assert not received.endswith(b"0\r\n\r\n")

    [failure] = served(lambda: HttpResponse(200, stream=failing()), client)
    assert str(failure["exception"]) == "why"


def test_producer_ends_when_the_client_goes() -> None:
    ended: list[bool] = []

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0)
        finally:
            ended.append(True)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GET)
        await reader.readuntil(b"x\r\n")
        writer.transport.abort()
        while not ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert served(lambda: HttpResponse(200, stream=endless()), client) == []
