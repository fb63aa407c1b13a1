"""Where the programs of an environment live: its box, and the connections on which they ask for things."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from cumulet.compute.boxes import Box, Boxes, BoxSpec
from cumulet.compute.runtime_api import RuntimeConnection
from cumulet.kernel.clock import MACHINE

ROUNDS_OF_THE_LOOP = 3
"""After so many, a connection that was accepted has been made."""


class Home:
    """The box of an environment, one after the other if it is lost."""

    def __init__(self, boxes: Boxes, answer: Callable[[], RuntimeConnection], when_lost: Callable[[], None]) -> None:
        """`answer` makes the server's side of a connection; `when_lost` is called when a box has ended."""
        self.box: Box | None = None
        self.connections: set[RuntimeConnection] = set()
        self._boxes = boxes
        self._answer = answer
        self._when_lost = when_lost
        self._listener: asyncio.Server | None = None

    @property
    def is_there(self) -> bool:
        """Is there a box, as far as we have been told?"""
        return self.box is not None and not self.box.ended.done()

    @property
    def is_running(self) -> bool:
        """Is there a box, as far as the kernel knows? Its end may be noticed later."""
        return self.box is not None and self.box.is_running

    async def open(self, spec: BoxSpec) -> Box:
        """Return the box in which nothing runs, a new one if need be. Raises OSError."""
        if self.box is not None and self.is_there:
            self.box.begin_again()
            return self.box
        box = self.box = await self._boxes.open(spec)
        box.ended.add_done_callback(lambda _: self._when_lost())
        box.listener.setblocking(False)
        self._stop_listening()
        self._listener = await asyncio.get_running_loop().create_server(self._answer, sock=box.listener)
        return box

    async def clear(self) -> None:
        """End all that runs in the box, and hear nothing more of it."""
        if self.box is None:
            return
        await asyncio.shield(self.box.clear())
        with contextlib.suppress(OSError):  # in the end one that says that nobody is waiting
            while self.is_there:
                self.box.listener.accept()[0].close()
        for _ in range(ROUNDS_OF_THE_LOOP):
            await MACHINE.sleep(0)
        self._hang_up()

    def kill(self) -> None:
        """End the box."""
        if self.box is not None:
            self.box.kill()

    def close(self) -> None:
        """End everything, for good."""
        self.kill()
        self._stop_listening()
        self._hang_up()

    def thaw(self) -> None:
        """Let go on what was frozen."""
        if self.box is not None:
            self.box.thaw()

    async def connect(self, port: int) -> socket.socket:
        """Open a connection to a port inside of the box. Raises OSError."""
        if self.box is None:
            raise ConnectionError("the environment has not begun")
        connection = await self.box.new_socket()
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        except BaseException:
            connection.close()
            raise
        return connection

    def _hang_up(self) -> None:
        for connection in list(self.connections):
            connection.close()

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
