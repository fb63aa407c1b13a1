"""AWS STS: who is asking."""

from __future__ import annotations

from typing import Any

from cumulet.kernel.call import Call
from cumulet.services.service import Service


class Sts(Service, name="sts"):
    """The service. GetCallerIdentity alone; every client asks it."""

    async def get_caller_identity(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Return account, ARN and id of the caller."""
        identity = call.identity
        return {"Account": identity.account, "Arn": identity.principal, "UserId": identity.user_id}
