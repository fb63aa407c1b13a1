"""The rules for a log group's tags, beyond those of the model."""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.services.logs.errors import InvalidParameterException, TooManyTagsException
from cumulet.services.logs.groups import Group

MOST_TAGS = 50
RESERVED_PREFIX = "aws:"


def check_names(given: Mapping[str, str]) -> None:
    """Check that no tag is one of AWS's own."""
    if any(name.lower().startswith(RESERVED_PREFIX) for name in given):
        # AWS documents no text for this.
        raise InvalidParameterException("aws: prefixed tag key names are not allowed for external use.")


def merged(group: Group, given: Mapping[str, str]) -> dict[str, str]:
    """Return a group's tags with `given` set; raises TooManyTagsException."""
    tags = {**group.tags, **given}
    if len(tags) > MOST_TAGS:
        # AWS documents no text for this.
        raise TooManyTagsException("The resource has too many tags.", resourceName=group.arn)
    return tags
