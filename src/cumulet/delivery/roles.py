"""Execution roles as the services that assume them see them."""

from __future__ import annotations

from typing import Protocol

from cumulet.kernel.arns import Arn


class RoleDirectory(Protocol):
    """The roles of the platform, by ARN."""

    async def trusts(self, role: Arn, service: str) -> bool:
        """Return whether there is such a role and its trust policy lets a service (`lambda.amazonaws.com`) assume it.

        Conditions of the policy are not evaluated.
        """
