"""Principal and NotPrincipal: whom a statement is about.

IAM: `*` is everybody, anonymous callers and services too; an account's number or root stands for all its principals; a
role stands for its sessions. Federated users and canonical user ids name nobody here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cumulet.kernel.arns import parse_arn
from cumulet.policies.asker import Asker

ACCOUNT = re.compile(r"[0-9]{12}")
KINDS = ("AWS", "Service", "Federated", "CanonicalUser")


class Principals(NamedTuple):
    """Those that an element names, by the kind of their names."""

    aws: Sequence[str] = ()
    services: Sequence[str] = ()

    @classmethod
    def of(cls, written: str | Mapping[str, Sequence[str]]) -> Principals:
        """Return those of an element that has been checked."""
        if isinstance(written, str):
            return cls((written,))
        return cls(written.get("AWS", ()), written.get("Service", ()))

    def include(self, asker: Asker) -> bool:
        """Return whether an asker is one of them, or belongs to one."""
        return (asker.service is not None and asker.service in self.services) or any(
            name == "*" or _is_of(name, asker) for name in self.aws
        )

    def except_from_denial(self, asker: Asker) -> bool:
        """Return whether Deny with NotPrincipal leaves an asker alone.

        IAM: all that a principal is must be named: its account, its user or role, its session.
        """
        if "*" in self.aws:
            return True
        if asker.service is not None:
            return asker.service in self.services
        names = list(_names(asker))
        return bool(names) and all(any(_is_named(name, wanted) for wanted in self.aws) for name in names)


def _is_of(name: str, asker: Asker) -> bool:
    if asker.account is None:
        return False
    if ACCOUNT.fullmatch(name):
        return name == asker.account
    named = parse_arn(name)
    if named is None or named.account != asker.account:
        return False
    return named.resource == "root" or any(_is_named(own, name) for own in _names(asker))


def _names(asker: Asker) -> Iterator[str]:
    """Yield what a principal is: the account's root, the role that a session is of, the principal itself."""
    if asker.account is None:
        return
    arn = parse_arn(asker.arn or "")
    yield f"arn:{arn.partition if arn else 'aws'}:iam::{asker.account}:root"
    if arn is None or arn.resource == "root":
        return
    if arn.resource.startswith("assumed-role/"):
        yield str(arn._replace(service="iam", resource=f"role/{arn.resource.split('/')[1]}"))
    yield str(arn)


def _is_named(own: str, wanted: str) -> bool:
    """Return whether a name is one of a policy; of a role's path a session tells nothing."""
    if own == wanted:
        return True
    mine, written = parse_arn(own), parse_arn(wanted)
    if mine is None:
        return False
    if written is None:
        return mine.resource == "root" and wanted == mine.account
    if mine[:4] != written[:4] or not (mine.resource.startswith("role/") and written.resource.startswith("role/")):
        return False
    return mine.resource == f"role/{written.resource.rpartition('/')[2]}"
