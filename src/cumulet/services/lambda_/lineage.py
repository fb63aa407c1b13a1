"""Recursive loops, found by the lineage in the trace header that functions pass on with what they send.

`Root=...;Parent=...;Sampled=0;Lineage=3:a87bd80c:2`: how many invocations there were since it was written first, the
function that it counts (a hash of its ARN), and how often that one has come back. AWS SDKs send the header of the event
that a function works on with every request that it makes. One function is counted, as on AWS, and another one in its
place when that does not come back: so the header stays short however many functions a loop has.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

MOST_INVOCATIONS = 16
"""Lambda: of one function in a chain of events; the next is not run."""
LONGEST_LOOP = 16
"""Of a loop through several functions. A chain that is longer without coming back begins to count anew."""
_LINEAGE = re.compile(r"(?P<invocations>[0-9]{1,5}):(?P<function>[0-9a-f]{8}):(?P<returns>[0-9]{1,3})")
_KEY = "Lineage="


class Lineage(NamedTuple):
    """What a trace header says of where an event comes from."""

    invocations: int
    function: str
    returns: int

    def __str__(self) -> str:
        return f"{self.invocations}:{self.function}:{self.returns}"


def is_exhausted(trace_header: str | None, function_arn: str) -> bool:
    """Return whether one more invocation of a function for an event would be too many."""
    lineage = _read(trace_header)
    return lineage is not None and lineage.function == _hashed(function_arn) and lineage.returns + 1 >= MOST_INVOCATIONS


def counted(trace_header: str, function_arn: str) -> str:
    """Return the trace header with an invocation of a function counted."""
    kept = [part for part in trace_header.split(";") if part and not part.startswith(_KEY)]
    return ";".join([*kept, f"{_KEY}{_next(_read(trace_header), _hashed(function_arn))}"])


def foremost(trace_headers: Iterable[str], function_arn: str) -> str | None:
    """Return the trace header for a function's batch: that of the event that has come back to it most often."""

    def order(trace_header: str) -> tuple[bool, int]:
        lineage = _read(trace_header)
        return (False, -1) if lineage is None else (lineage.function == _hashed(function_arn), lineage.returns)

    return max(trace_headers, key=order, default=None)


def _next(before: Lineage | None, function: str) -> Lineage:
    if before is None:
        return Lineage(1, function, 0)
    if before.function == function:
        return Lineage(before.invocations + 1, function, before.returns + 1)
    if before.invocations >= LONGEST_LOOP * (before.returns + 1):
        return Lineage(1, function, 0)
    return Lineage(before.invocations + 1, before.function, before.returns)


def _read(trace_header: str | None) -> Lineage | None:
    """Return the lineage in a header, None where there is none or it can't be read."""
    if trace_header is None or _KEY not in trace_header:
        return None
    for part in trace_header.split(";"):
        if part.startswith(_KEY) and (found := _LINEAGE.fullmatch(part, len(_KEY))) is not None:
            return Lineage(int(found["invocations"]), found["function"], int(found["returns"]))
    return None


@lru_cache(maxsize=4096)
def _hashed(function_arn: str) -> str:
    return hashlib.sha256(function_arn.encode()).hexdigest()[:8]
