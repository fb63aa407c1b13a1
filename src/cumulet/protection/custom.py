"""Identifiers that a policy brings along: a name and a regular expression.

AWS: a name has 1 to 128 letters, digits, underscores and hyphens, and isn't that of a managed identifier; an expression
has 1 to 200 characters out of a fixed set, which leaves out parentheses and with them groups and lookarounds.
"""

import re

from cumulet.protection.catalogue import managed_identifier
from cumulet.protection.expressions import TooComplex, compiled
from cumulet.protection.identifier import Identifier

MAX_REGEX_CHARACTERS = 200
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_REGEX_CHARACTERS = re.compile(r"[a-zA-Z0-9_#=@/;,\- ^$?\[\]{}|\\*+.]*")
_MEMORY_BYTES = 1 << 20
# At worst, each character of a message is looked at with each of them: some seconds for one of the largest messages.
_MAX_INSTRUCTIONS = 2_000


class InvalidIdentifier(ValueError):
    """A custom identifier that AWS, or RE2, doesn't take; the argument says why."""


def custom_identifier(name: str, regex: str) -> Identifier:
    """An identifier of the caller's own; raises InvalidIdentifier."""
    if not _NAME.fullmatch(name):
        raise InvalidIdentifier("a name has 1 to 128 letters, digits, underscores and hyphens")
    if managed_identifier(name) is not None:
        raise InvalidIdentifier("the name is that of a managed data identifier")
    if not 1 <= len(regex) <= MAX_REGEX_CHARACTERS:
        raise InvalidIdentifier(f"a regular expression has 1 to {MAX_REGEX_CHARACTERS} characters")
    if not _REGEX_CHARACTERS.fullmatch(regex):
        raise InvalidIdentifier("the regular expression has characters that are not supported")
    if "\\C" in regex:
        raise InvalidIdentifier("the regular expression matches parts of characters")
    try:
        size = compiled(regex, _MEMORY_BYTES).programsize
    except TooComplex as error:
        raise InvalidIdentifier(f"the regular expression is invalid or too complex: {error}") from None
    if size > _MAX_INSTRUCTIONS:
        raise InvalidIdentifier("the regular expression is too complex")
    return Identifier(name=name, category="Custom", title="", patterns=(regex,))
