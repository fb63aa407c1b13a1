"""The operations on resource policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cumulet.kernel.call import Call
from cumulet.services.lambda_ import policies, revisions
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.errors import invalid, not_found, wrong_revision
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, qualified_arn
from cumulet.services.lambda_.policies import Policy, Statement
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t


class PolicyOperations(LambdaBase):
    """Who may use a function, version or alias.

    The RevisionId of a policy is that of what it belongs to, and changes with it.
    """

    async def add_permission(self, call: Call, request: t.AddPermissionRequestTypeDef) -> dict[str, Any]:
        """Add a statement to the policy of a function, version or alias."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        if qualifier == LATEST:
            raise invalid("We currently do not support adding policies for $LATEST.")
        members = cast("dict[str, Any]", request)
        new = policies.statement(members, key.region, qualified_arn(key, qualifier))
        revision = members.get("RevisionId")
        await self.store.transact(self._add_statement, key, qualifier, revision, new, self.ids.uuid())
        return {"Statement": policies.statement_text(new)}

    def _add_statement(
        self,
        tx: Tx,
        key: FunctionKey,
        qualifier: str | None,
        known_revision: str | None,
        new: Statement,
        revision: str,
    ) -> None:
        if known_revision not in (None, revisions.current(tx, key, qualifier)):
            raise wrong_revision()
        policies.add(tx, key, qualifier, new)
        self._revise(tx, key, qualifier, revision)

    async def remove_permission(self, call: Call, request: t.RemovePermissionRequestTypeDef) -> None:
        """Remove a statement from the policy of a function, version or alias."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        known_revision, sid = request.get("RevisionId"), request["StatementId"]
        await self.store.transact(self._remove_statement, key, qualifier, known_revision, sid, self.ids.uuid())

    def _remove_statement(
        self, tx: Tx, key: FunctionKey, qualifier: str | None, known_revision: str | None, sid: str, revision: str
    ) -> None:
        current = revisions.current(tx, key, qualifier)
        policies.remove(tx, key, qualifier, sid)
        if known_revision not in (None, current):
            raise wrong_revision()
        self._revise(tx, key, qualifier, revision)

    def _revise(self, tx: Tx, key: FunctionKey, qualifier: str | None, revision: str) -> None:
        function = revisions.change(tx, key, qualifier, revision)
        if function is not None:
            tx.after_commit(self.changed, function)
        else:
            tx.after_commit(self.requalified, key, qualifier)

    async def get_policy(self, call: Call, request: t.GetPolicyRequestTypeDef) -> dict[str, Any]:
        """Return the policy of a function, version or alias; raises ResourceNotFoundException where there is none."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        policy, revision = await self.store.read(_policy, key, qualifier)
        if not policy:
            raise not_found("The resource you requested does not exist.")
        return {"Policy": policies.text(policy), "RevisionId": revision}


def _policy(tx: Tx, key: FunctionKey, qualifier: str | None) -> tuple[Policy, str]:
    revision = revisions.current(tx, key, qualifier)
    return policies.find(tx, key, qualifier), revision
