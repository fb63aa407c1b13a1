"""An invocation whose answer is passed on while the function is still writing it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from cumulet.compute import CannotRun, Outcome
from cumulet.kernel.errors import AwsError

MOST_WAITING = 16
"""So many pieces may wait for a slow client before the function has to."""
OCTETS = "application/octet-stream"

Run = Callable[["StreamedInvocation"], Awaitable[Outcome]]
"""Runs a function; what it streams is to be told to the invocation."""


class StreamedInvocation:
    """What comes of one invocation, piece by piece. It goes on to its end also when nobody reads any more."""

    def __init__(self) -> None:
        self.content_type = OCTETS
        self.is_streaming = False
        """Whether the function streams; known after `begun`. If not, its answer is the outcome's payload."""
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()
        self._is_abandoned = False
        loop = asyncio.get_running_loop()
        self._begun: asyncio.Future[None] = loop.create_future()
        self._outcome: asyncio.Future[Outcome] = loop.create_future()

    # What the invocation tells

    def begin(self, content_type: str) -> None:
        """The function begins to stream."""
        self.content_type = content_type or OCTETS
        self.is_streaming = True
        self._has_begun()

    def take(self, piece: bytes) -> Awaitable[None] | None:
        """The function has written something; the function waits for what is returned."""
        if self._is_abandoned:
            return None
        self._pieces.put_nowait(piece)
        if self._pieces.qsize() < MOST_WAITING:
            return None
        self._room.clear()
        return self._until_room()

    async def run(self, run: Run) -> None:
        """Run the function to its end."""
        try:
            self._outcome.set_result(await run(self))
        except (AwsError, CannotRun) as error:
            self._outcome.set_exception(error)
        except BaseException:
            self._outcome.cancel()
            raise
        finally:
            self._pieces.put_nowait(None)
            self._has_begun()

    async def _until_room(self) -> None:
        await self._room.wait()

    def _has_begun(self) -> None:
        if not self._begun.done():
            self._begun.set_result(None)

    # What the client's side asks

    async def begun(self) -> None:
        """Return once the function streams or has ended; raises AwsError or CannotRun if it can't be run."""
        await self._begun
        if not self.is_streaming:
            await self._outcome

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Return what the function streams, to its end."""
        try:
            while (piece := await self._pieces.get()) is not None:
                if self._pieces.qsize() < MOST_WAITING:
                    self._room.set()
                yield piece
        finally:
            self._is_abandoned = True
            self._room.set()

    async def outcome(self) -> Outcome:
        """Return what the invocation came to."""
        return await self._outcome
