"""What a runtime identifier of AWS Lambda says: a family and a version."""

from __future__ import annotations

import re

Version = tuple[int, ...]

_IDENTIFIER = re.compile(r"([a-z]+)([\d.]*)")


def parse(identifier: str) -> tuple[str, Version]:
    """Return the family and the version: `nodejs20.x` is ("nodejs", (20,)), `provided.al2` is ("provided", ())."""
    match = _IDENTIFIER.match(identifier)
    if match is None:
        return identifier, ()
    return match[1], tuple(int(number) for number in match[2].split(".") if number)
