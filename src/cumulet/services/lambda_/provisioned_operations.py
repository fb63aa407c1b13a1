"""The operations on provisioned concurrency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cumulet.kernel.call import Call
from cumulet.services.lambda_ import paging, provisioned
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.errors import ProvisionedConcurrencyConfigNotFoundException, invalid
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, qualified_arn
from cumulet.services.lambda_.provisioned import Part, Provisioned, unpublished
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

NOT_PUBLISHED = "The function resource provided must be an alias or a published version."


class ProvisionedOperations(LambdaBase):
    """Environments that are started ahead."""

    async def put_provisioned_concurrency_config(
        self, call: Call, request: t.PutProvisionedConcurrencyConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Ask for environments that are started ahead; `READY` is said when they are."""
        key, qualifier = self.locate(call, request["FunctionName"], request["Qualifier"])
        if qualifier is None or qualifier == LATEST:
            raise unpublished()
        wanted = Provisioned(qualifier, request["ProvisionedConcurrentExecutions"], self.clock.now_ms())
        parts = await self.store.transact(self._put_provisioned, key, wanted)
        return self._provisioned_answer(key, wanted, parts)

    def _put_provisioned(self, tx: Tx, key: FunctionKey, wanted: Provisioned) -> list[Part]:
        parts = provisioned.put(tx, key, wanted, self.account_concurrency)
        tx.after_commit(self.provisioning.changed, key)
        return parts

    async def get_provisioned_concurrency_config(
        self, call: Call, request: t.GetProvisionedConcurrencyConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Return what was asked for a version or alias, and what there is of it."""
        key, qualifier = self._published(call, request["FunctionName"], request["Qualifier"])
        found, parts = await self.store.read(provisioned.load, key, qualifier)
        if found is None:
            raise ProvisionedConcurrencyConfigNotFoundException(
                "No Provisioned Concurrency Config found for this function", Type="User"
            )
        return self._provisioned_answer(key, found, parts)

    async def list_provisioned_concurrency_configs(
        self, call: Call, request: t.ListProvisionedConcurrencyConfigsRequestTypeDef
    ) -> dict[str, Any]:
        """List what was asked for the versions and aliases of a function."""
        key = self.locate_function(call, request["FunctionName"], LATEST)
        page = paging.page(request.get("MaxItems"), request.get("Marker"))
        found = await self.store.read(provisioned.after, key, page.after, page.size + 1)
        listed = [
            {"FunctionArn": qualified_arn(key, each.qualifier), **self._provisioned_answer(key, each, parts)}
            for each, parts in found[: page.size]
        ]
        return {"ProvisionedConcurrencyConfigs": listed} | page.next_marker([each.qualifier for each, _ in found])

    async def delete_provisioned_concurrency_config(
        self, call: Call, request: t.DeleteProvisionedConcurrencyConfigRequestTypeDef
    ) -> None:
        """Ask for no environments ahead; it is no error if none were asked for."""
        key, qualifier = self._published(call, request["FunctionName"], request["Qualifier"])
        await self.store.transact(self._delete_provisioned, key, qualifier)

    def _delete_provisioned(self, tx: Tx, key: FunctionKey, qualifier: str) -> None:
        provisioned.delete(tx, key, qualifier)
        tx.after_commit(self.provisioning.moved, key)

    def _published(self, call: Call, name: str, given: str) -> tuple[FunctionKey, str]:
        key, qualifier = self.locate(call, name, given)
        if qualifier is None or qualifier == LATEST:
            raise invalid(NOT_PUBLISHED)
        return key, qualifier

    def _provisioned_answer(self, key: FunctionKey, asked: Provisioned, parts: Sequence[Part]) -> dict[str, Any]:
        status = self.provisioning.status(key, parts)
        return {
            "RequestedProvisionedConcurrentExecutions": asked.executions,
            "AvailableProvisionedConcurrentExecutions": status.allocated,
            "AllocatedProvisionedConcurrentExecutions": status.allocated,
            "Status": status.name,
            "StatusReason": status.reason,
            "LastModified": _written(asked.modified_ms),
        }


def _written(time_ms: int) -> str:
    """Return a time as Lambda writes this one: `2019-12-31T20:28:49+0000`."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
