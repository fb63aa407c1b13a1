"""Whom roles trust, for the services that assume them."""

from __future__ import annotations

from cumulet.kernel.arns import Arn
from cumulet.services.iam import documents, roles
from cumulet.services.iam.errors import NoSuchEntity
from cumulet.store import Store


class Trust:
    """The adapter that IAM offers to other services."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def trusts(self, role: Arn, service: str) -> bool:
        """Return whether there is such a role and its trust policy lets a service assume it."""
        _, _, name = role.resource.rpartition("/")
        try:
            found = await self._store.read(roles.load, role.account, name)
        except NoSuchEntity:
            return False
        return f"role{found.path}{found.name}" == role.resource and documents.trusts(found.trust_policy, service)
