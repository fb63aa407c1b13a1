"""The operations on resource policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cumulet.kernel.call import Call
from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.lambda_ import policies, revisions
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.errors import invalid, not_found, wrong_revision
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, qualified_arn
from cumulet.services.lambda_.policies import Policy, Statement
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

NOT_FOR_LATEST = "We currently do not support adding policies for $LATEST."
NO_POLICY = "The resource you requested does not exist."


class PolicyOperations(LambdaBase):
    """Who may use a function, version or alias.

    The RevisionId of a policy is that of what it belongs to, and changes with it.
    """

    async def add_permission(self, call: Call, request: t.AddPermissionRequestTypeDef) -> dict[str, Any]:
        """Add a statement to the policy of a function, version or alias."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        if qualifier == LATEST:
            raise invalid(NOT_FOR_LATEST)
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
        return _shown(*await self.store.read(_policy, key, qualifier))

    async def get_resource_policy(self, call: Call, request: t.GetResourcePolicyRequestTypeDef) -> dict[str, Any]:
        """Return a policy, as GetPolicy does."""
        key, qualifier = self._resource(call, request["ResourceArn"])
        return _shown(*await self.store.read(_policy, key, qualifier))

    async def put_resource_policy(self, call: Call, request: t.PutResourcePolicyRequestTypeDef) -> dict[str, Any]:
        """Put a policy in the place of all that was permitted before."""
        key, qualifier = self._resource(call, request["ResourceArn"])
        if qualifier == LATEST:
            raise invalid(NOT_FOR_LATEST)
        from cumulet.services.lambda_ import policy_documents

        policy = policy_documents.statements(request["Policy"], key.region, qualified_arn(key, qualifier))
        new_revision = self.ids.uuid()
        await self.store.transact(self._replace_policy, key, qualifier, request.get("RevisionId"), policy, new_revision)
        return _shown(policy, new_revision)

    def _replace_policy(
        self,
        tx: Tx,
        key: FunctionKey,
        qualifier: str | None,
        known_revision: str | None,
        policy: Policy,
        revision: str,
    ) -> None:
        if known_revision not in (None, revisions.current(tx, key, qualifier)):
            raise wrong_revision()
        policies.replace(tx, key, qualifier, policy)
        self._revise(tx, key, qualifier, revision)

    async def delete_resource_policy(self, call: Call, request: t.DeleteResourcePolicyRequestTypeDef) -> None:
        """Take back all that was permitted; raises ResourceNotFoundException where nothing was."""
        key, qualifier = self._resource(call, request["ResourceArn"])
        await self.store.transact(self._delete_policy, key, qualifier, request.get("RevisionId"), self.ids.uuid())

    def _delete_policy(
        self, tx: Tx, key: FunctionKey, qualifier: str | None, known_revision: str | None, revision: str
    ) -> None:
        policy, current = _policy(tx, key, qualifier)
        if not policy:
            raise not_found(NO_POLICY)
        if known_revision not in (None, current):
            raise wrong_revision()
        policies.delete(tx, key, qualifier)
        self._revise(tx, key, qualifier, revision)

    def _resource(self, call: Call, arn: str) -> tuple[FunctionKey, str | None]:
        """Return which function and qualifier an ARN names; the model's pattern lets more through than there can be."""
        if ":runtime/" in arn:
            raise NotImplementedFailure(f"Cumulet does not implement {call.operation} of lambda for runtimes yet.")
        try:
            return self.locate(call, arn)
        except ValueError:
            raise not_found(NO_POLICY) from None


def _policy(tx: Tx, key: FunctionKey, qualifier: str | None) -> tuple[Policy, str]:
    revision = revisions.current(tx, key, qualifier)
    return policies.find(tx, key, qualifier), revision


def _shown(policy: Policy, revision: str) -> dict[str, Any]:
    if not policy:
        raise not_found(NO_POLICY)
    return {"Policy": policies.text(policy), "RevisionId": revision}
