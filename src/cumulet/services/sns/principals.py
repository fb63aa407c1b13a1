"""Who publishes and who has subscribed, as data protection policies speak of them.

A session of a role counts as the role: SNS shows the role's ARN as a subscription's principal, and policies name roles.
The ARN of a session has no path, so roles are compared by account and name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cumulet.kernel.arns import Arn, parse_arn

ANYONE = "*"
ACCOUNT = re.compile(r"[0-9]{12}")
ENTITY = re.compile(r"root|(?:user|role)/.+")


def of_caller(arn: str) -> str:
    """Return the principal that a caller's ARN stands for: of a role's session the role, else the caller."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "sts" or not parsed.resource.startswith("assumed-role/"):
        return arn
    return _role(parsed, parsed.resource.split("/")[1])


class Principals:
    """Those whom a statement is about: accounts, users, roles, or anyone."""

    def __init__(self, stated: Iterable[str]) -> None:
        """Take them as a policy states them; raises ValueError with the first that can't be a principal."""
        self.stated = tuple(stated)
        self._known = frozenset(_known(one) for one in self.stated)

    def include(self, principal: str) -> bool:
        """Return whether the statement is about who has this ARN; an empty one is somebody unknown."""
        if ANYONE in self._known:
            return True
        parsed = parse_arn(principal)
        return parsed is not None and not self._known.isdisjoint((parsed.account, _compared(parsed)))


def _known(stated: str) -> str:
    if stated == ANYONE or ACCOUNT.fullmatch(stated):
        return stated
    arn = parse_arn(of_caller(stated))
    if arn is None or arn.service != "iam" or not ACCOUNT.fullmatch(arn.account) or not ENTITY.fullmatch(arn.resource):
        raise ValueError(stated)
    return arn.account if arn.resource == "root" else _compared(arn)


def _compared(arn: Arn) -> str:
    """Return an ARN as it is compared: a role's without its path."""
    if arn.service == "iam" and arn.resource.startswith("role/"):
        return _role(arn, arn.resource.rsplit("/", 1)[1])
    return str(arn)


def _role(arn: Arn, name: str) -> str:
    return str(Arn(arn.partition, "iam", "", arn.account, f"role/{name}"))
