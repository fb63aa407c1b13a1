"""How requests name functions: by name, partial ARN or ARN, each with or without a qualifier."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from cumulet.kernel.arns import partition_of

LATEST = "$LATEST"
LOCATOR = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_-]+)"
    r"(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?"
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


def parse(text: str) -> Locator | None:
    """Return the parts of a name, partial ARN or ARN; None when it is none."""
    found = LOCATOR.fullmatch(text)
    return Locator(found["region"], found["account"], found["name"], found["qualifier"]) if found else None


@lru_cache(maxsize=4096)
def function_arn(account: str, region: str, name: str) -> str:
    """Return the ARN of a function, without a qualifier."""
    return f"arn:{partition_of(region)}:lambda:{region}:{account}:function:{name}"
