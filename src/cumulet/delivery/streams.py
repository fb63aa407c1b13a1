"""A stream as whoever reads it on its own account sees it, such as an event source mapping.

A position in a shard is a decimal number as text: the sequence number of the record that it is behind, or `BEGINNING`.
It stays valid for ever: what was removed from the stream meanwhile is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from cumulet.kernel.arns import Arn

Start = Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]
BEGINNING = "0"


class Shard(msgspec.Struct, frozen=True):
    """A part of a stream whose records have an order."""

    id: str
    parents: tuple[str, ...] = ()
    """The shards that it came from: their records are before its own."""


class StreamFacts(msgspec.Struct, frozen=True):
    """What matters of a stream to its consumer."""

    shards: Sequence[Shard]
    """Those that it still has, parents before their children."""
    retention_seconds: int
    """Records that are older are removed."""


class StreamRecord(msgspec.Struct, frozen=True):
    """One record."""

    sequence_number: str
    """A decimal number, greater than those of the records before it in the shard."""
    partition_key: str
    """Records with the same key keep their order."""
    arrived_ms: int
    entry: Mapping[str, Any]
    """What functions get as an entry of Records, without eventSourceARN, awsRegion and invokeIdentityArn."""


class Page(msgspec.Struct, frozen=True):
    """Records in their order."""

    records: Sequence[StreamRecord]
    is_end: bool = False
    """Nothing will ever come behind them: the shard is closed."""


class StreamSource(Protocol):
    """The streams of one service, by ARN. An ARN or shard that does not exist raises LookupError, except in `watch`."""

    async def describe(self, arn: Arn) -> StreamFacts:
        """Return what there is to know about a stream."""

    async def start(self, arn: Arn, shard_id: str, start: Start, timestamp_ms: int | None = None) -> str:
        """Return a position: before all records, behind all that there are now, or before the first of a time."""

    async def read(self, arn: Arn, shard_id: str, position: str, most: int) -> Page:
        """Return up to `most` records behind a position, fewer only where there are no more now."""

    def watch(self, arn: Arn, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` whenever there may be records or shards to read, until the returned function is called.

        It is called within the commit that makes them readable, so that a virtual clock sees what `wake` spawns. A
        stream that is made later is watched from then on.
        """
