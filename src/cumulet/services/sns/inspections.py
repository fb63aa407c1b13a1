"""Where messages are looked at for sensitive data: at once where that is cheap, in a thread where it isn't.

A policy's own expressions may take seconds for one message. RE2 lets others run meanwhile, so nothing else stands
still, and what takes longer than that is denied: nobody knows what is in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from cumulet.protection import TooExpensive, Work
from cumulet.services.sns.data_protection import Denied
from cumulet.services.sns.topics import Topic

T = TypeVar("T")

SMALL_CHARACTERS = 8_192
"""What is larger is looked at in a thread, which takes 0.1 ms more."""
SHORT_SECONDS, LONG_SECONDS = 0.01, 2.0
"""Of a processor. AWS's own identifiers don't count: all of them take 0.3 s for the worst of messages."""
WITHIN_TRANSACTION_SECONDS = 0.1
AT_ONCE = 2


class Inspections:
    """Looks at messages, at few at once."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)

    async def run(self, topic: Topic, characters: int, look: Callable[[Work], T]) -> T:
        """Return what `look` does; it may run twice, and in a thread. Raises Denied where it takes too long."""
        if characters <= SMALL_CHARACTERS:
            try:
                return look(Work(SHORT_SECONDS))
            except TooExpensive:
                pass  # once more, with more time
        async with self._places:
            return await asyncio.to_thread(_look, topic, LONG_SECONDS, look)

    def run_at_once(self, topic: Topic, look: Callable[[Work], T]) -> T:
        """Return what `look` does; raises Denied where it takes too long for a transaction."""
        return _look(topic, WITHIN_TRANSACTION_SECONDS, look)


def _look(topic: Topic, seconds: float, look: Callable[[Work], T]) -> T:
    try:
        return look(Work(seconds))
    except TooExpensive:
        raise Denied(f"The data protection policy of {topic.arn} takes too long to look at this message") from None
