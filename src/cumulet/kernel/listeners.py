"""Listening sockets beside the platform's first one: whoever makes one has its requests answered like all others."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

Protocols = Callable[[], asyncio.Protocol]


class Listeners:
    """What answers requests, once the platform is there."""

    def __init__(self) -> None:
        self._protocols: asyncio.Future[Protocols] = asyncio.get_running_loop().create_future()

    def begin(self, protocols: Protocols) -> None:
        """Answer from now on, each connection with a protocol of its own."""
        self._protocols.set_result(protocols)

    async def serve(self, listener: socket.socket) -> asyncio.Server:
        """Answer what connects to `listener`; to be closed by the caller."""
        protocols = await asyncio.shield(self._protocols)
        return await asyncio.get_running_loop().create_server(protocols, sock=listener)
