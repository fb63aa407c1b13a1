"""A queue as whoever takes messages from it on its own account sees it, such as an event source mapping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from cumulet.kernel.arns import Arn


class QueueFacts(msgspec.Struct, frozen=True):
    """What matters of a queue to its consumer."""

    is_fifo: bool
    visibility_timeout_seconds: int


class QueueSource(Protocol):
    """The queues of the platform, by ARN. An ARN that names none raises LookupError, except in `watch`."""

    async def describe(self, arn: Arn) -> QueueFacts | None:
        """Return what there is to know about a queue, or None when there is none."""

    def watch(self, arn: Arn, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` whenever there may be something to receive, until the returned function is called.

        It is called within the commit or timer that makes a message visible, so that a virtual clock sees what `wake`
        spawns. A queue that is made later is watched from then on.
        """

    async def receive(self, arn: Arn, most: int) -> list[dict[str, Any]]:
        """Take up to `most` (any number) visible messages out of sight for the queue's visibility timeout.

        They look as ReceiveMessage answers them, with all attributes. On a FIFO queue, messages of one group come in
        order, and while one is in flight no other of its group does.
        """

    async def delete(self, arn: Arn, receipt_handles: Sequence[str]) -> None:
        """Delete messages that were received; what is gone already, or whose handle has expired, is passed over."""

    async def make_visible(self, arn: Arn, receipt_handles: Sequence[str], after_seconds: int = 0) -> None:
        """Let messages that were received be received again; what is gone already is passed over."""
