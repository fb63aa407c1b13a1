"""How requests name functions: by name, partial ARN or ARN, each with or without a qualifier.

A name that the model's patterns let through is always one that `parse` understands.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from cumulet.kernel.arns import partition_of
from cumulet.kernel.errors import ValidationException

LATEST = "$LATEST"
MOST_NAME_LENGTH = 64
"""Lambda: of a function's name alone; ARNs have the model's limit."""
MOST_VERSION_DIGITS = 15
"""No function ever has so many versions."""
LOCATOR = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9]):)?"
    r"(?:(?P<account>[0-9]{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_.-]+)"
    r"(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_-]+))?"
)


class FunctionKey(NamedTuple):
    """Which function."""

    account: str
    region: str
    name: str


class Locator(NamedTuple):
    """What a function's name in a request says; None where it says nothing."""

    region: str | None
    account: str | None
    name: str
    qualifier: str | None


def parse(text: str) -> Locator:
    """Return the parts of a name, partial ARN or ARN, whose pattern is checked already; ValueError for another text."""
    found = LOCATOR.fullmatch(text)
    if found is None:
        raise ValueError(f"{text} names no function")
    return Locator(found["region"], found["account"], found["name"], found["qualifier"])


def version_number(qualifier: str) -> int | None:
    """Return the number of the published version that a qualifier means; None where it can't be one."""
    if not qualifier.isdecimal() or qualifier.startswith("0") or len(qualifier) > MOST_VERSION_DIGITS:
        return None
    return int(qualifier)


def check_new(text: str) -> None:
    """Check the name that a function shall have; raises ValidationException."""
    if len(parse(text).name) > MOST_NAME_LENGTH:
        raise ValidationException(
            f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MOST_NAME_LENGTH}"
        )


@lru_cache(maxsize=4096)
def function_arn(account: str, region: str, name: str) -> str:
    """Return the ARN of a function, without a qualifier."""
    return f"arn:{partition_of(region)}:lambda:{region}:{account}:function:{name}"


def qualified_arn(key: FunctionKey, qualifier: str | None) -> str:
    """Return the ARN of a function with a qualifier, where there is one."""
    return function_arn(*key) + (f":{qualifier}" if qualifier else "")
