"""The way from boxes to other machines: TCP connections, and questions to name servers.

What a box sends to another machine ends in a socket of its own network namespace that is served here (`box_network`);
it goes on from the machine's network. Works without rights, without a change of the machine's network, and without a
program that isn't there everywhere. Other protocols have no way out, nor has IPv6.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import struct
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast

SO_ORIGINAL_DST = 80
RESOLVER = Path("/etc/resolv.conf")
NO_NAME_SERVER = "127.0.0.1"
"""The resolver's own default."""
LINK_LOCAL = ipaddress.ip_network("169.254.0.0/16")
"""Where clouds tell a machine its own secrets."""
CONNECT_SECONDS = 30.0
ANSWER_SECONDS = 10.0
MOST_QUESTIONS = 256


class Relay:
    """The way out of one box."""

    def __init__(self, connections: socket.socket, names: socket.socket) -> None:
        """Both are closed by `close`."""
        self._connections = connections
        self._names = names
        self._server: asyncio.Server | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: set[_End] = set()

    async def open(self) -> None:
        """Begin to serve."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _End(self, is_accepted=True), sock=self._connections)
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Questions(self), sock=self._names)

    def close(self) -> None:
        """End everything."""
        if self._server is not None:
            self._server.close()
        else:
            self._connections.close()
        if self._transport is not None:
            self._transport.close()
        else:
            self._names.close()
        for task in self._tasks:
            task.cancel()
        for end in list(self._ends):
            end.abort()

    def begin(self, end: _End, to: tuple[str, int]) -> None:
        """Connect what has come from a box with where it was to go."""
        self._ends.add(end)
        self._spawn(self._connect(end, to))

    def forget(self, end: _End) -> None:
        """A connection has ended."""
        self._ends.discard(end)

    def ask(self, question: bytes, asker: tuple[str, int]) -> None:
        """Pass a question to the machine's name server, and its answer back; too many at once are dropped."""
        if len(self._tasks) < MOST_QUESTIONS:
            self._spawn(self._answer(question, asker))

    async def _connect(self, end: _End, to: tuple[str, int]) -> None:
        other = _End(self, is_accepted=False)
        try:
            if ipaddress.ip_address(to[0]) in LINK_LOCAL:
                raise ConnectionRefusedError
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(lambda: other, *to)
        except (OSError, TimeoutError):
            end.abort()
            return
        self._ends.add(other)
        other.join(end)
        end.join(other)

    async def _answer(self, question: bytes, asker: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        transport = None
        try:
            server = (_name_server(), 53)
            transport, _ = await loop.create_datagram_endpoint(lambda: _Answer(answer), remote_addr=server)
            transport.sendto(question)
            async with asyncio.timeout(ANSWER_SECONDS):
                data = await answer
            if self._transport is not None:
                self._transport.sendto(data, asker)
        except (OSError, TimeoutError):
            pass  # who has asked will ask again
        finally:
            if transport is not None:
                transport.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _End(asyncio.Protocol):
    """One end of a connection; what comes in goes out at the other."""

    _transport: asyncio.Transport

    def __init__(self, relay: Relay, *, is_accepted: bool) -> None:
        self._relay = relay
        self._is_accepted = is_accepted
        """Whether a box has opened it."""
        self._other: _End | None = None
        self._is_closed = False
        self._has_ended = False
        """No more comes in."""
        self._early: list[bytes] = []
        """What has come in before there is another end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        if not self._is_accepted:
            return
        accepted: socket.socket = transport.get_extra_info("socket")
        with socket.socket(fileno=os.dup(accepted.fileno())) as opened:
            data = opened.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
        port, address = struct.unpack_from(">2xH4s", data)
        self._relay.begin(self, (socket.inet_ntoa(address), port))

    def join(self, other: _End) -> None:
        """Pass on what comes in, and has come in."""
        self._other = other
        for data in self._early:
            other.write(data)
        self._early.clear()
        if self._is_closed:
            other.abort()
        elif self._has_ended:
            other.end()
        else:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Pass it on; there is little of it before there is somewhere to."""
        if self._other is not None:
            self._other.write(data)
        else:
            self._early.append(data)
            self._transport.pause_reading()

    def write(self, data: bytes) -> None:
        """Send."""
        if not self._is_closed:
            self._transport.write(data)

    def eof_received(self) -> bool:
        """Pass on that no more comes in; the other direction may go on."""
        self._has_ended = True
        if self._other is not None:
            self._other.end()
            return not self._other._has_ended
        return True

    def end(self) -> None:
        """Send no more."""
        if not self._is_closed and self._transport.can_write_eof():
            self._transport.write_eof()
            if self._has_ended:
                self._transport.close()

    def pause_writing(self) -> None:
        """More comes in at the other end than goes out here."""
        if self._other is not None and not self._other._is_closed:
            self._other._transport.pause_reading()

    def resume_writing(self) -> None:
        """It has gone out."""
        if self._other is not None and not self._other._is_closed:
            self._other._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other end too."""
        self._is_closed = True
        self._relay.forget(self)
        if self._other is not None and not self._other._is_closed:
            if exc is None:
                self._other._transport.close()
            else:
                self._other.abort()

    def abort(self) -> None:
        """End at once."""
        if not self._is_closed:
            self._transport.abort()


class _Questions(asyncio.DatagramProtocol):
    """What a box asks name servers."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A question."""
        self._relay.ask(data, addr)


class _Answer(asyncio.DatagramProtocol):
    """The answer of the machine's name server."""

    def __init__(self, answer: asyncio.Future[bytes]) -> None:
        self._answer = answer

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """It."""
        if not self._answer.done():
            self._answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """There is none."""
        if not self._answer.done():
            self._answer.set_exception(exc)


def _name_server() -> str:
    try:
        for line in RESOLVER.read_text("utf-8", "replace").splitlines():
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver":
                return words[1]
    except OSError:
        pass
    return NO_NAME_SERVER
