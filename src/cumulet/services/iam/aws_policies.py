"""The managed policies of AWS that serverless templates name: the same for every account, never in the store.

`aws_policies.json` holds the default version of each, in the order in which AWS made them and lists them. Versions
before the default one do not exist here, ids are made from the names (AWS's own are of no use to anyone), and
ReadOnlyAccess is abridged: the reading operations of forty services.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from functools import cache
from pkgutil import get_data

import msgspec

from cumulet.services.iam.names import AWS, ID_LENGTH, POLICY_ID
from cumulet.services.iam.policy import Policy, Version


class AwsPolicy(msgspec.Struct, frozen=True):
    """One policy of AWS, as the file has it."""

    name: str
    path: str
    version: int
    created: datetime
    updated: datetime
    document: msgspec.Raw

    @property
    def policy(self) -> Policy:
        """The policy as those of accounts are."""
        return Policy(
            key=f"{AWS}:policy{self.path}{self.name}",
            account=AWS,
            path=self.path,
            policy_id=_id(self.name),
            created_ms=_milliseconds(self.created),
            updated_ms=_milliseconds(self.updated),
            description=None,
            default_version=self.version,
            newest_version=self.version,
            tags={},
        )

    @property
    def only_version(self) -> Version:
        """The default version."""
        return Version(self.version, _milliseconds(self.updated), bytes(self.document).decode())


@cache
def every() -> dict[str, AwsPolicy]:
    """Return all policies of AWS by their keys."""
    text = get_data(__package__, "aws_policies.json") or b""
    return {found.policy.key: found for found in msgspec.json.decode(text, type=list[AwsPolicy])}


def _id(name: str) -> str:
    return (POLICY_ID + base64.b32encode(hashlib.sha256(name.encode()).digest()).decode())[:ID_LENGTH]


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp()) * 1000
