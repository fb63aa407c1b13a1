"""Folders that survive a power cut: an entry is on disk only when the folder that holds it has been synced."""

from __future__ import annotations

import os
from pathlib import Path


def make(folder: Path) -> None:
    """Make `folder` and its missing parents, for this user alone, durably."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
        sync(path.parent)


def sync(folder: Path) -> None:
    """Put the entries of `folder` on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
