"""A managed policy and its versions, of an account or of AWS."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cumulet.services.iam.tags import Tags


class Policy(msgspec.Struct, frozen=True):
    """One managed policy; `account` is `aws` for one of AWS's."""

    key: str
    account: str
    path: str
    policy_id: str
    created_ms: int
    updated_ms: int
    """When its default version was last chosen."""
    description: str | None
    default_version: int
    newest_version: int
    """The highest number that was ever given: numbers are not used again."""
    tags: Tags


class Version(NamedTuple):
    """One version of a managed policy."""

    number: int
    created_ms: int
    document: str


class Usage(NamedTuple):
    """How many roles of an account a managed policy is attached to, and how many it is the boundary of."""

    attached: int
    bounding: int


class Uses(NamedTuple):
    """Which uses of a managed policy count."""

    as_permissions: bool = True
    as_boundary: bool = True

    def count(self, usage: Usage) -> int:
        """Return how many of an account's uses count."""
        return usage.attached * self.as_permissions + usage.bounding * self.as_boundary
