"""The rules for a queue's tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cumulet.services.sqs.errors import InvalidParameterValueException

MOST_TAGS = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256
RESERVED_PREFIX = "aws:"


def checked(queue_name: str, current: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the tags with `given` set; raises InvalidParameterValueException."""
    check_keys(given)
    for key, value in given.items():
        if key.lower().startswith(RESERVED_PREFIX):
            raise InvalidParameterValueException(
                "Tag keys that start with aws: are reserved for internal use and can't be added."
            )
        if len(value) > LONGEST_VALUE:
            raise InvalidParameterValueException("Tag values must be between 0 and 256 characters in length.")
    tags = {**current, **given}
    if len(tags) > MOST_TAGS:
        raise InvalidParameterValueException(f"Too many tags added for queue {queue_name}.")
    return tags


def check_keys(keys: Mapping[str, str] | Sequence[str]) -> None:
    """Check the length of tag keys."""
    if (isinstance(keys, Sequence) and not keys) or not all(1 <= len(key) <= LONGEST_KEY for key in keys):
        raise InvalidParameterValueException("Tag keys must be between 1 and 128 characters in length.")
