"""The rules for tags; the patterns of keys and values are in the service's model."""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.services.lambda_.errors import invalid

MOST_TAGS = 50
RESERVED_PREFIX = "aws:"


def merged(current: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the tags with `given` set; raises InvalidParameterValueException."""
    if any(key.lower().startswith(RESERVED_PREFIX) for key in given):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")
    tags = {**current, **given}
    if len(tags) > MOST_TAGS:
        raise invalid("Number of tags exceeds resource tag limit.")
    return tags
