"""The operations on aliases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from cumulet.kernel.call import Call
from cumulet.services.lambda_ import aliases, paging, provisioned
from cumulet.services.lambda_.aliases import Alias, Change
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, qualified_arn
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t


class AliasOperations(LambdaBase):
    """What is done to aliases."""

    async def create_alias(self, call: Call, request: t.CreateAliasRequestTypeDef) -> dict[str, Any]:
        """Give a version, or two by weight, a name."""
        key = self.locate_function(call, request["FunctionName"], LATEST)
        change = _change(cast("dict[str, Any]", request))
        alias = await self.store.transact(self._create_alias, key, request["Name"], change, self.ids.uuid())
        return _shown(key, alias)

    def _create_alias(self, tx: Tx, key: FunctionKey, name: str, change: Change, revision: str) -> Alias:
        alias = aliases.create(tx, key, name, change, revision)
        tx.after_commit(self.requalified, key, name)
        return alias

    async def get_alias(self, call: Call, request: t.GetAliasRequestTypeDef) -> dict[str, Any]:
        """Return an alias."""
        key = self.locate_function(call, request["FunctionName"], LATEST)
        return _shown(key, await self.store.read(aliases.load, key, request["Name"]))

    async def list_aliases(self, call: Call, request: t.ListAliasesRequestTypeDef) -> dict[str, Any]:
        """List the aliases of a function, or those whose main version is the one named."""
        key = self.locate_function(call, request["FunctionName"], LATEST)
        await self.known(key)
        page = paging.page(request.get("MaxItems"), request.get("Marker"))
        found = await self.store.read(
            aliases.after, key, page.after, page.size + 1, version=request.get("FunctionVersion")
        )
        answer = {"Aliases": [_shown(key, alias) for alias in found[: page.size]]}
        return answer | page.next_marker([alias.name for alias in found])

    async def update_alias(self, call: Call, request: t.UpdateAliasRequestTypeDef) -> dict[str, Any]:
        """Change which versions an alias stands for, or its description; what is not named stays."""
        key = self.locate_function(call, request["FunctionName"], LATEST)
        members = cast("dict[str, Any]", request)
        alias = await self.store.transact(self._update_alias, key, members, self.ids.uuid())
        return _shown(key, alias)

    def _update_alias(self, tx: Tx, key: FunctionKey, request: Mapping[str, Any], revision: str) -> Alias:
        name, known_revision = request["Name"], request.get("RevisionId")
        alias = aliases.update(tx, key, name, _change(request), known_revision=known_revision, revision=revision)
        provisioned.check_alias(tx, key, alias)
        tx.after_commit(self.requalified, key, name)
        return alias

    async def delete_alias(self, call: Call, request: t.DeleteAliasRequestTypeDef) -> None:
        """Delete an alias with its policy; to delete one that isn't there is no error."""
        key = self.locate_function(call, request["FunctionName"], LATEST)
        await self.store.transact(self._delete_alias, key, request["Name"])

    def _delete_alias(self, tx: Tx, key: FunctionKey, name: str) -> None:
        aliases.delete(tx, key, name)
        self.forget_qualifier(tx, key, name)


def _change(request: Mapping[str, Any]) -> Change:
    routing = request.get("RoutingConfig")
    return Change(
        version=request.get("FunctionVersion"),
        weights=None if routing is None else routing.get("AdditionalVersionWeights") or {},
        description=request.get("Description"),
    )


def _shown(key: FunctionKey, alias: Alias) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "AliasArn": qualified_arn(key, alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
    if alias.additional_version is not None:
        weights = {alias.additional_version: alias.additional_weight}
        answer["RoutingConfig"] = {"AdditionalVersionWeights": weights}
    return answer
