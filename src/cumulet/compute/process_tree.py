"""Who has started whom, from /proc. Used by the server and by the spawner; imports the standard library only."""

from __future__ import annotations

import os


def descendants(of: int) -> set[int]:
    """Return the processes that `of` has started, directly or not, as far as they are not orphans of others."""
    found: set[int] = set()
    to_ask = [of]
    while to_ask:
        pid = to_ask.pop()
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                    children = set(map(int, file.read().split())) - found
                found |= children
                to_ask += children
        except OSError:
            continue  # it has ended
    return found
