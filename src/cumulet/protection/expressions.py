"""Regular expressions of RE2: linear in the text, bounded in memory, the leftmost-longest match."""

from typing import Any

import re2

# The budgets of the automata; what a text doesn't need is never taken.
SET_MEMORY_BYTES = 32 << 20
EXPRESSION_MEMORY_BYTES = 4 << 20


class TooComplex(ValueError):
    """RE2 refuses the expression: its syntax, or its size in memory."""


def options(memory_bytes: int) -> Any:
    """RE2's options for texts in UTF-8."""
    chosen = re2.Options()
    chosen.max_mem = memory_bytes
    chosen.longest_match = True
    chosen.log_errors = False
    return chosen


def compiled(expression: str, memory_bytes: int = EXPRESSION_MEMORY_BYTES) -> Any:
    """The expression, to be searched for in bytes; raises TooComplex."""
    try:
        return re2.compile(expression, options(memory_bytes))
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        raise TooComplex(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from None
