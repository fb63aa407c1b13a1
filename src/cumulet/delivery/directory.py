"""The adapters that services offer, by the kind of resource."""

from __future__ import annotations

from collections.abc import Sequence

from cumulet.delivery.engine import Engine
from cumulet.delivery.logs import LogSink
from cumulet.delivery.queues import QueueSource
from cumulet.delivery.roles import RoleDirectory
from cumulet.delivery.streams import StreamSource
from cumulet.delivery.targets import Message, Refill, Target, Undeliverable
from cumulet.kernel.arns import parse_arn
from cumulet.store import Tx


class Delivery:
    """What the platform can take events from and write to. Services offer their adapters when they are made."""

    queues: QueueSource
    refill: Refill
    logs: LogSink
    roles: RoleDirectory

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.targets: dict[str, Target] = {}
        """By the service that an ARN names."""
        self.streams: dict[str, StreamSource] = {}
        """By the service that an ARN names."""

    def put(self, tx: Tx, target_arn: str, message: Message, now_ms: int) -> None:
        """Give a message to a target within the transaction of its source; raises Undeliverable."""
        arn = parse_arn(target_arn)
        target = None if arn is None else self.targets.get(arn.service)
        if arn is None or target is None:
            raise Undeliverable(f"nothing here takes messages for {target_arn}")
        target.put(tx, arn, message, now_ms)

    def put_again(
        self, tx: Tx, queue_arn: str, messages: Sequence[Message], now_ms: int
    ) -> list[tuple[Message, Undeliverable]]:
        """Give messages to a queue, in their order, also those that it has had; return what it refuses, and why."""
        arn = parse_arn(queue_arn)
        if arn is None or arn.service != "sqs":
            return [(message, Undeliverable(f"{queue_arn} is no queue")) for message in messages]
        return self.refill.put_again(tx, arn, messages, now_ms)
