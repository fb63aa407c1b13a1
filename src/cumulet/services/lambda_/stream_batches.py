"""Batches of a lane: gathered from a shard's records, split and tried again until they are done or given up."""

from __future__ import annotations

import msgspec

from cumulet.delivery import StreamRecord
from cumulet.services.lambda_.mappings import Settings
from cumulet.services.lambda_.queue_events import MOST_EVENT_BYTES
from cumulet.services.lambda_.stream_events import Window

FIRST_WAIT_MS = 1000
"""How long a batch waits for its first retry; twice as long for each further one,"""
LONGEST_WAIT_MS = 60_000
"""up to this. Lambda documents that it waits longer and longer."""


class Batch(msgspec.Struct):
    """Records that are processed together, and how that went."""

    records: list[StreamRecord]
    entries: list[bytes]
    """The records as JSON."""
    window: Window | None = None
    is_final: bool = False
    """Whether it is the last of its tumbling window; it has no records then."""
    retries: int = 0
    invocations: int = 0
    request_id: str = ""
    """Of the last invocation."""
    has_failed: bool = False
    """Whether the last invocation has ended with an error of the function."""
    retry_ms: int = 0
    """When it may be tried again."""

    def split(self, place: int) -> tuple[Batch, Batch]:
        """Return two batches, which inherit what has been tried."""
        return self._part(slice(None, place)), self._part(slice(place, None))

    def _part(self, part: slice) -> Batch:
        return Batch(
            self.records[part],
            self.entries[part],
            self.window,
            retries=self.retries,
            invocations=self.invocations,
            request_id=self.request_id,
            has_failed=self.has_failed,
        )

    def wait(self, now_ms: int) -> None:
        """Count a retry, and let it be made in a while."""
        self.retry_ms = now_ms + min(FIRST_WAIT_MS << min(self.retries, 16), LONGEST_WAIT_MS)
        self.retries += 1

    def too_old(self, oldest_ms: int) -> int | None:
        """Return how many records at the beginning have arrived before a time; None if nothing is so old.

        The end of a window is as old as the window's end.
        """
        if self.is_final and self.window is not None:
            return 0 if self.window.end_ms < oldest_ms else None
        for place, record in enumerate(self.records):
            if record.arrived_ms >= oldest_ms:
                return place or None
        return len(self.records)


class Gathering(msgspec.Struct):
    """What becomes the next batch."""

    settings: Settings
    window: Window | None
    """The tumbling window that is open."""
    records: list[StreamRecord] = msgspec.field(default_factory=list)
    entries: list[bytes] = msgspec.field(default_factory=list)
    size_bytes: int = 0
    since_ms: int = 0
    """When the first record came."""
    is_cut: bool = False
    """Whether the next record belongs to another batch."""

    def add(self, record: StreamRecord, text: bytes, now_ms: int) -> bool:
        """Take a record; False, and nothing is taken, when it belongs to another batch."""
        stream = self.settings.stream
        assert stream is not None
        if self.records and self.size_bytes + len(text) > MOST_EVENT_BYTES:
            self.is_cut = True
            return False
        if stream.tumbling_seconds:
            if self.window is not None and record.arrived_ms >= self.window.end_ms:
                self.is_cut = True
                return False
            if self.window is None:
                length_ms = stream.tumbling_seconds * 1000
                start_ms = record.arrived_ms // length_ms * length_ms
                self.window = Window(start_ms, start_ms + length_ms)
        if not self.records:
            self.since_ms = now_ms
        self.records.append(record)
        self.entries.append(text)
        self.size_bytes += len(text) + 1
        return True

    @property
    def is_full(self) -> bool:
        """Whether no more records fit, or none is to come."""
        return self.is_cut or len(self.records) >= self.settings.batch_size

    @property
    def due_ms(self) -> int:
        """When it becomes a batch though it is not full."""
        due_ms = self.since_ms + self.settings.window_seconds * 1000
        return due_ms if self.window is None else min(due_ms, self.window.end_ms)

    def batch(self) -> Batch:
        """Return the records as a batch."""
        return Batch(self.records, self.entries, self.window)
