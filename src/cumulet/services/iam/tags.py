"""The rules for tags: those of roles and those of policies, which differ in what makes keys equal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from cumulet.services.iam.errors import InvalidInput, LimitExceeded

if TYPE_CHECKING:
    from types_boto3_iam import type_defs as t

MOST_TAGS = 50
RESERVED_PREFIX = "aws:"

Tags = dict[str, str]


class TagRules(msgspec.Struct, frozen=True):
    """What holds for the tags of one kind of thing."""

    quota: str
    """What IAM calls the limit of tags."""
    folded: Callable[[str], str]
    """Keys that are equal once folded are one key."""
    duplicates: str

    def checked(self, given: Iterable[t.TagTypeDef]) -> Tags:
        """Return the tags of a request; InvalidInput when a key comes twice or is reserved."""
        tags = {tag["Key"]: tag["Value"] for tag in given}
        keys = [self.folded(tag["Key"]) for tag in given]
        if len(set(keys)) < len(keys):
            raise InvalidInput(self.duplicates)
        if any(key.lower().startswith(RESERVED_PREFIX) for key in tags):
            # AWS documents that the prefix is reserved, but no text.
            raise InvalidInput("Tag keys that start with aws: are reserved and can't be added.")
        return tags

    def merged(self, current: Mapping[str, str], given: Mapping[str, str]) -> Tags:
        """Return the tags with `given` set; LimitExceeded when there are too many."""
        tags = {**self.without(current, given), **given}
        if len(tags) > MOST_TAGS:
            raise LimitExceeded(f"Cannot exceed quota for {self.quota}: {MOST_TAGS}")
        return tags

    def without(self, current: Mapping[str, str], keys: Iterable[str]) -> Tags:
        """Return the tags whose keys are not among `keys`."""
        gone = {self.folded(key) for key in keys}
        return {key: value for key, value in current.items() if self.folded(key) not in gone}


OF_ROLES = TagRules(
    "TagsPerRole", str.lower, "Duplicate tag keys found. Please note that Tag keys are case insensitive."
)
OF_POLICIES = TagRules("TagsPerPolicy", str, "Duplicate tag keys found.")


def shown(tags: Mapping[str, str]) -> list[t.TagTypeDef]:
    """Return tags as answers hold them, in the order in which they were set."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def listed(tags: Mapping[str, str]) -> list[t.TagTypeDef]:
    """Return tags in the order in which IAM lists them: short keys first."""
    return sorted(shown(tags), key=lambda tag: (len(tag["Key"]), tag["Key"]))
