"""What PutLogEvents takes: the limits of a batch, and which of its events are too old or too new."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from cumulet.services.logs import events
from cumulet.services.logs.errors import InvalidParameterException
from cumulet.services.logs.events import LARGEST_EVENT_BYTES, NewEvent
from cumulet.services.logs.groups import DAY_MS, Group

LARGEST_BATCH_BYTES = 1_048_576
"""CloudWatch Logs: messages in UTF-8 and 26 bytes for each."""
OLDEST_MS = 14 * DAY_MS
NEWEST_MS = 2 * 3_600_000
LONGEST_SPAN_MS = DAY_MS


class Batch(NamedTuple):
    """The events of a batch that are taken, and what is said about the others."""

    events: Sequence[NewEvent]
    rejected: dict[str, int]


def checked(batch: Sequence[NewEvent], group: Group, now_ms: int) -> Batch:
    """Return a batch without its events that are too old, too new or expired; raises InvalidParameterException."""
    times = [occurred_ms for occurred_ms, _ in batch]
    if any(later < earlier for earlier, later in pairwise(times)):
        raise InvalidParameterException("Log events in a single PutLogEvents request must be in chronological order.")
    _check_sizes(batch)
    too_old = bisect_left(times, now_ms - OLDEST_MS)
    expired = bisect_left(times, group.oldest_kept_ms(now_ms))
    too_new = bisect_right(times, now_ms + NEWEST_MS)
    first = max(too_old, expired)
    taken = batch[first:too_new]
    if taken and taken[-1][0] - taken[0][0] > LONGEST_SPAN_MS:
        raise InvalidParameterException(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    rejected = {}
    if too_new < len(batch):
        rejected["tooNewLogEventStartIndex"] = too_new
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if expired:
        rejected["expiredLogEventEndIndex"] = expired
    return Batch(taken, rejected)


def _check_sizes(batch: Sequence[NewEvent]) -> None:
    sizes = [events.size_bytes(message) for _, message in batch]
    if (largest := max(sizes)) > LARGEST_EVENT_BYTES:
        raise InvalidParameterException(f"Log event too large: {largest} bytes exceeds limit of {LARGEST_EVENT_BYTES}")
    if (total := sum(sizes)) > LARGEST_BATCH_BYTES:
        raise InvalidParameterException(f"Upload too large: {total} bytes exceeds limit of {LARGEST_BATCH_BYTES}")
