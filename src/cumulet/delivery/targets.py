"""Where events go: resources inside of the store, and those outside of it. Each kind has one adapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import msgspec

from cumulet.delivery.deliveries import Delivery
from cumulet.delivery.retries import End, RetryPolicy, Verdict
from cumulet.kernel.arns import Arn
from cumulet.store import Tx


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a target is given."""

    id: str
    """A UUID."""
    sender_id: str
    body: str
    attributes: Mapping[str, tuple[str, str | bytes]] = MappingProxyType({})
    """By name: type (`String`, `Number`, `Binary`, each with any suffix) and value; bytes for `Binary`."""
    trace_header: str | None = None
    group_id: str | None = None
    deduplication_id: str | None = None
    source_arn: str | None = None
    """The resource for which its service itself sends, such as a topic: in enforce mode the policy of where the message
    goes must allow that service. None where a role sends."""
    role_arn: str | None = None
    """The role that sends."""


class Undeliverable(Exception):
    """A target does not take a message, now or ever; says why. Nothing was written."""


class TooLarge(Undeliverable):
    """The message is larger than the target takes."""


class Target(Protocol):
    """A kind of resource that takes a message within the transaction of its source."""

    def put(self, tx: Tx, arn: Arn, message: Message, now_ms: int) -> None:
        """Give a resource the message; raises Undeliverable."""


class Refill(Protocol):
    """The queues, as a replay fills them: in one transaction with how far it has come."""

    def put_again(
        self, tx: Tx, arn: Arn, messages: Sequence[Message], now_ms: int
    ) -> list[tuple[Message, Undeliverable]]:
        """Put messages on a queue, in their order; return what it refuses, and why.

        A FIFO queue takes them whether it has had their deduplication ids or not.
        """


class Attempt(NamedTuple):
    """One attempt, and what the target has answered, for the adapter to read again."""

    verdict: Verdict
    answer: Any = None


class Outside(Protocol):
    """A kind of target outside of the store. Deliveries to it are rows until they have come to their end."""

    async def slot(self, delivery: Delivery, wake: Callable[[], None]) -> Callable[[], None] | None:
        """Take a place for an attempt and return what gives it back.

        None where there is none; then `wake` is called when there may be one.
        """

    async def attempt(self, delivery: Delivery) -> Attempt:
        """Try to deliver. What it raises is logged, and counts as deferred."""

    def policy(self, tx: Tx, delivery: Delivery) -> RetryPolicy:
        """Return how a delivery is retried; in a transaction that may be a read."""

    def conclude(
        self, tx: Tx, delivery: Delivery, end: End, answer: Any, *, now_ms: int, new_ids: tuple[str, str]
    ) -> None:
        """Do what follows from a delivery's end, in the transaction that ends it; must not raise.

        `answer` is that of the last attempt, None where the last thing that happened was no attempt.
        """
