"""Regular expressions between percent signs: the subset that CloudWatch Logs documents, run by RE2.

Letters, digits, the symbols `: _ # = @ / ; , -`, spaces, and the operators `^ $ ? [ ] { } | \\ * + .`; no parentheses,
nothing beyond ASCII. A line feed at the end of a message doesn't count, so `$` matches before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

SUPPORTED = re.compile(r"[A-Za-z0-9:_#=@/;,\- ^$?\[\]{}|\\*+.]")
ESCAPE = re.compile(r"\\(?:[dDsSwWtnr]|x[0-9A-Fa-f]{2}|[:_#=@/;,\-^$?\[\]{}|\\*+.])")
NO_MINIMUM = re.compile(r"(?<!\\)\{,(\d+)\}")

Regex = Callable[[str], bool]


def unsupported_in(body: str) -> str:
    """Return the first character of a regular expression that is not supported, empty when all are."""
    return next((character for character in body if not SUPPORTED.fullmatch(character)), "")


@lru_cache(maxsize=256)
def compiled(body: str) -> Regex | None:
    """Return a search for a regular expression of supported characters, None for one that can't be compiled."""
    if not body or "\\" in ESCAPE.sub("", body):
        return None
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        program = re2.compile(NO_MINIMUM.sub(r"{0,\1}", body), options)
    except re2.error:
        return None
    return lambda text: program.search(text.removesuffix("\n")) is not None
