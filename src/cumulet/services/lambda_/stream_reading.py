"""What the lanes of a mapping share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from cumulet.delivery import Message, StreamSource
from cumulet.kernel.activity import Activity
from cumulet.kernel.arns import Arn
from cumulet.kernel.clock import Clock
from cumulet.services.lambda_.batch_runner import Runner
from cumulet.services.lambda_.filters import Filters
from cumulet.services.lambda_.mappings import Mapping
from cumulet.store import Store, Tx


class Record(Protocol):
    """Counts a metric of a function."""

    def __call__(self, name: str, function_arn: str, value: float = 1) -> None:
        """Add one observation."""


class Reading(msgspec.Struct, kw_only=True):
    """A mapping, its stream, and what it takes to work."""

    mapping: Mapping
    source_arn: Arn
    source: StreamSource
    filters: Filters
    runner: Runner
    store: Store
    clock: Clock
    activity: Activity
    new_id: Callable[[], str]
    put: Callable[[Tx, str, Message, int], None]
    """Gives a message to a target in a transaction; raises Undeliverable."""
    record: Record
    lane_ended: Callable[[], None]
    """To be called when a lane is finished, or closed and idle."""
