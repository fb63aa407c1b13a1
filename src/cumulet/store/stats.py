"""What the store counts about itself, for the health page and the benchmarks."""

from __future__ import annotations

from collections import deque

import msgspec


class StoreStats(msgspec.Struct, frozen=True):
    """Counters since the start; times in milliseconds, percentiles over the last 512 commits."""

    commits: int
    operations: int
    failed_commits: int
    wal_bytes: int
    commit_ms_last: float
    commit_ms_p50: float
    commit_ms_p99: float
    checkpoints: int
    checkpoint_pause_ms_max: float


class Meter:
    """Collects the numbers of `StoreStats` at next to no cost."""

    def __init__(self) -> None:
        self.commits = 0
        self.operations = 0
        self.failed_commits = 0
        self.wal_bytes = 0
        self.commit_seconds: deque[float] = deque([0.0], maxlen=512)
        self.checkpoints = 0
        self.checkpoint_pause_seconds_max = 0.0

    def stats(self) -> StoreStats:
        """Return the numbers as they are now."""
        ordered = sorted(self.commit_seconds)
        return StoreStats(
            commits=self.commits,
            operations=self.operations,
            failed_commits=self.failed_commits,
            wal_bytes=self.wal_bytes,
            commit_ms_last=self.commit_seconds[-1] * 1000,
            commit_ms_p50=ordered[len(ordered) // 2] * 1000,
            commit_ms_p99=ordered[len(ordered) * 99 // 100] * 1000,
            checkpoints=self.checkpoints,
            checkpoint_pause_ms_max=self.checkpoint_pause_seconds_max * 1000,
        )
