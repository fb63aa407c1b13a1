"""The rules for a topic's tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cumulet.services.sns.errors import TagLimitExceededException, invalid

if TYPE_CHECKING:
    from types_boto3_sns import type_defs as t

MOST_TAGS = 50
RESERVED_PREFIX = "aws:"


def given(tags: Sequence[t.TagTypeDef]) -> dict[str, str]:
    """Return the tags of a request; lengths are checked where it is decoded. SNS: no key occurs twice."""
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len(found) < len(tags):
        raise invalid("Duplicated keys are not allowed.")
    if any(key.lower().startswith(RESERVED_PREFIX) for key in found):
        raise invalid("Tag keys that start with aws: are reserved for internal use and can't be added.")
    return found


def merged(current: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return the tags with `new` set; raises TagLimitExceededException."""
    tags = {**current, **new}
    if len(tags) > MOST_TAGS:
        raise TagLimitExceededException("Could not complete request: tag quota of per resource exceeded")
    return tags
