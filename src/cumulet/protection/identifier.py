"""A kind of sensitive data: how it looks, what must stand near it, and which check decides.

Identifiers are data. The engine (`inspector.py`) compiles them, `docs/sensitive-data.md` is generated from them, and
each example is a test. Quantifiers of patterns with a check are bounded: what fails it is looked at once more.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

Category = Literal["Credentials", "Device", "Financial", "Health", "Personal", "Custom"]


class Identifier(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as one kind of sensitive data.

    `patterns` and `unaided` are RE2 expressions whose whole match is the data. With `keywords`, a match of `patterns`
    counts only near one of them; a match of `unaided` needs none. `check` has the last word about the matched text.
    """

    name: str
    """AWS's identifier, with the country where it has one: `Ssn-US`."""
    category: Category
    title: str
    patterns: tuple[str, ...] = ()
    unaided: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    """In lower case. A space stands for a space, a hyphen, an underscore or nothing."""
    check: Callable[[str], bool] | None = None
    is_whole: bool = False
    """What fails the check is passed over whole: a part of a longer number is none. Else the next word may begin it."""
    matches: tuple[tuple[str, str], ...] = ()
    """Texts in which it is found, each with the first thing found."""
    misses: tuple[str, ...] = ()
    """Texts in which it is not found."""
