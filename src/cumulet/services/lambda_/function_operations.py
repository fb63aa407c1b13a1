"""The operations on functions: create, show, list, change, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import msgspec

from cumulet.kernel.arns import parse_arn
from cumulet.kernel.call import Call
from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.lambda_ import (
    configuration,
    function_answers,
    function_code,
    function_names,
    functions,
    layers,
    paging,
    tags,
)
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.errors import PreconditionFailedException, invalid
from cumulet.services.lambda_.function_names import LATEST, FunctionKey
from cumulet.services.lambda_.functions import Function
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

Change = Callable[[Function], Function]


class FunctionOperations(LambdaBase):
    """What is done to functions as a whole.

    AWS creates and changes functions in the background and tells of it in State and LastUpdateStatus. Here all is done
    when it is answered; the answer shows the state that AWS's does, and whoever asks next finds the function ready.
    """

    async def create_function(self, call: Call, request: t.CreateFunctionRequestTypeDef) -> dict[str, Any]:
        """Make a function."""
        members = cast("dict[str, Any]", request)
        function_names.check_new(members["FunctionName"])
        key = self.locate_function(call, members["FunctionName"], LATEST)
        if members.get("PackageType") == "Image" or members["Code"].get("ImageUri"):
            raise NotImplementedFailure("Cumulet does not implement functions from container images yet.")
        configuration.refuse_unsupported(call.operation, members | members["Code"])
        settings = configuration.new(key.name, members)
        await self._check_role(settings.role_arn)
        layers.check(call, members.get("Layers", ()))
        new_tags = tags.merged({}, members.get("Tags", {}))
        content = function_code.zip_file(call.operation, members["Code"])
        if await self.directory.find(key) is not None:
            raise functions.name_taken(key.name)
        package = await self.packages.inspect(content)
        function = Function(
            account=key.account,
            region=key.region,
            name=key.name,
            revision=self.ids.uuid(),
            deployment=self.ids.uuid(),
            configuration=settings,
            package=package,
            tags=new_tags,
            modified_ms=self.clock.now_ms(),
        )
        async with self.packages.kept(package, content):
            await self.store.transact(self._create, function)
        return function_answers.whole(function, function_answers.PENDING)

    def _create(self, tx: Tx, function: Function) -> None:
        functions.create(tx, function)
        functions.check_storage(tx, function.account, function.region, self.most_code_bytes)
        tx.after_commit(self.changed, function)

    async def get_function(self, call: Call, request: t.GetFunctionRequestTypeDef) -> dict[str, Any]:
        """Return a function's configuration, where its code is, its tags and its reserved concurrency."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        function = await self.known(key, qualifier)
        answer: dict[str, Any] = {
            "Configuration": function_answers.whole(function, function_answers.READY, qualifier),
            "Code": {"RepositoryType": "S3", "Location": self.downloads.url(call, function.package)},
        }
        if function.tags:
            answer["Tags"] = function.tags
        if function.reserved_concurrency is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved_concurrency}
        return answer

    async def get_function_configuration(
        self, call: Call, request: t.GetFunctionConfigurationRequestTypeDef
    ) -> dict[str, Any]:
        """Return a function's configuration."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        function = await self.known(key, qualifier)
        return function_answers.whole(function, function_answers.READY, qualifier)

    async def list_functions(self, call: Call, request: t.ListFunctionsRequestTypeDef) -> dict[str, Any]:
        """List the functions of the account in the region, by name."""
        page = paging.page(request.get("MaxItems"), request.get("Marker"))
        is_qualified = request.get("FunctionVersion") == "ALL"
        if "MasterRegion" in request:
            # Lambda: only replicas of functions at the edge have a master region, and there are none.
            if not is_qualified:
                raise invalid("FunctionVersion must be ALL when MasterRegion is set.")
            return {"Functions": []}
        found = await self.store.read(functions.after, call.account, call.region, page.after, page.size + 1)
        qualifier = LATEST if is_qualified else None
        listed = [function_answers.listed(function, qualifier) for function in found[: page.size]]
        return {"Functions": listed} | page.next_marker([function.name for function in found])

    async def delete_function(self, call: Call, request: t.DeleteFunctionRequestTypeDef) -> dict[str, Any]:
        """Delete a function; its event source mappings stay. To delete a version that isn't there is no error."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        if qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        if qualifier is not None:
            await self.known(key)
        else:
            await self.store.transact(self._delete, key)
            self.package_upkeep.look_later()
        return {"StatusCode": 204}

    def _delete(self, tx: Tx, key: FunctionKey) -> None:
        tx.after_commit(self.deleted, functions.delete(tx, key))

    async def update_function_code(self, call: Call, request: t.UpdateFunctionCodeRequestTypeDef) -> dict[str, Any]:
        """Replace a function's code."""
        members = cast("dict[str, Any]", request)
        configuration.refuse_unsupported(call.operation, members)
        key = self.locate_function(call, members["FunctionName"], LATEST)
        before = await self.known(key)
        revision = members.get("RevisionId")
        check_revision(before, revision)
        if members.get("ImageUri"):
            raise invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
        content = function_code.zip_file(call.operation, members)
        package = await self.packages.inspect(content)
        architectures = {name: members[name] for name in ("Architectures",) if name in members}

        def change(function: Function) -> Function:
            settings = configuration.changed(function.configuration, architectures)
            return msgspec.structs.replace(function, package=package, configuration=settings)

        if members.get("DryRun"):
            return function_answers.whole(change(before), function_answers.READY)
        async with self.packages.kept(package, content):
            after = await self._change(key, revision, change)
        self.package_upkeep.look_later()
        return function_answers.whole(after, function_answers.UPDATING)

    async def update_function_configuration(
        self, call: Call, request: t.UpdateFunctionConfigurationRequestTypeDef
    ) -> dict[str, Any]:
        """Change a function's settings; those not named stay."""
        members = cast("dict[str, Any]", request)
        configuration.refuse_unsupported(call.operation, members)
        key = self.locate_function(call, members["FunctionName"], LATEST)
        await self.known(key)
        if "Role" in members:
            await self._check_role(members["Role"])
        layers.check(call, members.get("Layers", ()))

        def change(function: Function) -> Function:
            settings = configuration.changed(function.configuration, members)
            return msgspec.structs.replace(function, configuration=settings)

        after = await self._change(key, members.get("RevisionId"), change)
        return function_answers.whole(after, function_answers.UPDATING)

    async def _check_role(self, role_arn: str) -> None:
        """In enforce mode the execution role must exist and trust Lambda; in open mode any will do."""
        role = parse_arn(role_arn)
        assert role is not None
        if self.is_enforcing and not await self.platform.delivery.roles.trusts(role, "lambda.amazonaws.com"):
            raise invalid("The role defined for the function cannot be assumed by Lambda.")

    async def _change(self, key: FunctionKey, revision: str | None, change: Change) -> Function:
        return await self.store.transact(self._save, key, revision, change, self.ids.uuid(), self.clock.now_ms())

    def _save(
        self, tx: Tx, key: FunctionKey, revision: str | None, change: Change, new_revision: str, now_ms: int
    ) -> Function:
        before = functions.load(tx, key)
        check_revision(before, revision)
        after = msgspec.structs.replace(
            change(before), revision=new_revision, deployment=new_revision, modified_ms=now_ms
        )
        functions.save(tx, after)
        if after.package.size_bytes > before.package.size_bytes:
            functions.check_storage(tx, key.account, key.region, self.most_code_bytes)
        tx.after_commit(self.changed, after)
        return after


def check_revision(function: Function, revision: str | None) -> None:
    """Raise PreconditionFailedException where a request knows another revision than the present one."""
    if revision is not None and revision != function.revision:
        raise PreconditionFailedException(
            "The Revision Id provided does not match the latest Revision Id. "
            "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
            Type="User",
        )
