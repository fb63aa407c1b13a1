"""Who has started whom, from /proc. Used by the server and by the spawner; imports the standard library only."""

from __future__ import annotations

from pathlib import Path


def descendants(of: int) -> set[int]:
    """Return the processes that `of` has started, directly or not, as far as they are not orphans of others."""
    found: set[int] = set()
    to_ask = [of]
    while to_ask:
        pid = to_ask.pop()
        try:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                children = set(map(int, (thread / "children").read_bytes().split())) - found
                found |= children
                to_ask += children
        except OSError:
            continue  # it has ended
    return found
