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
    paging,
    runtime_lifecycle,
    tags,
    versions,
)
from cumulet.services.lambda_.deployments import Deployments
from cumulet.services.lambda_.destinations import Destinations
from cumulet.services.lambda_.errors import invalid, wrong_revision
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, version_number
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.version_operations import VersionOperations, mark, marked_number, versions_from
from cumulet.services.lambda_.versions import Published, Wanted
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

Change = Callable[[Function], Function]


class FunctionOperations(Deployments, VersionOperations, Destinations):
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
        if self.blocks_deprecated_runtimes:
            runtime_lifecycle.check_create(settings.runtime, self.clock.now_ms())
        await self._check_role(settings.role_arn)
        await self.check_dead_letter_target(call, members)
        chosen = await self.chosen_layers(call, members.get("Layers", ()))
        signing = await self.chosen_signing(key, members.get("CodeSigningConfigArn"))
        new_tags = tags.merged({}, members.get("Tags", {}))
        content = function_code.zip_file(call.operation, members["Code"])
        if await self.directory.find(key) is not None:
            raise functions.name_taken(key.name)
        package = await self.packages.inspect(content)
        await self.check_size(content, chosen)
        function = Function(
            account=key.account,
            region=key.region,
            name=key.name,
            revision=self.ids.uuid(),
            deployment=self.ids.uuid(),
            configuration=msgspec.structs.replace(settings, layers=chosen),
            package=package,
            tags=new_tags,
            modified_ms=self.clock.now_ms(),
            code_signing=signing,
        )
        await self.check_signature(function)
        publishes = self.new_revisions() if members.get("Publish") else None
        with self.packages.held(chosen):
            async with self.packages.kept(package, content):
                created = await self.store.transact(self._create, function, publishes)
        return function_answers.whole(created, function_answers.PENDING)

    def _create(self, tx: Tx, function: Function, publishes: tuple[str, str] | None) -> Function:
        functions.create(tx, function)
        self.check_deployment(tx, None, function)
        functions.check_storage(tx, function.account, function.region, self.most_code_bytes)
        tx.after_commit(self.changed, function)
        if publishes is None:
            return function
        return self.publish(tx, function.key, Wanted(), publishes, function.modified_ms).version

    async def get_function(self, call: Call, request: t.GetFunctionRequestTypeDef) -> dict[str, Any]:
        """Return a function's configuration, where its code is, its tags and its reserved concurrency."""
        key, qualifier = await self.located(call, request["FunctionName"], request.get("Qualifier"))
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
        key, qualifier = await self.located(call, request["FunctionName"], request.get("Qualifier"))
        function = await self.known(key, qualifier)
        return function_answers.whole(function, function_answers.READY, qualifier)

    async def list_functions(self, call: Call, request: t.ListFunctionsRequestTypeDef) -> dict[str, Any]:
        """List the functions of the account in the region by name, with FunctionVersion `ALL` all their versions."""
        page = paging.page(request.get("MaxItems"), request.get("Marker"))
        is_qualified = request.get("FunctionVersion") == "ALL"
        if "MasterRegion" in request:
            # Lambda: only replicas of functions at the edge have a master region, and there are none.
            if not is_qualified:
                raise invalid("FunctionVersion must be ALL when MasterRegion is set.")
            return {"Functions": []}
        if is_qualified:
            name, _, number = page.after.partition(":")
            versions_of_all = await self.store.read(
                _versions_from, call.account, call.region, name, marked_number(number), page.size + 1
            )
            listed = [function_answers.listed(version, version.version) for version in versions_of_all[: page.size]]
            marks = [f"{version.name}:{mark(version)}" for version in versions_of_all]
        else:
            found = await self.store.read(functions.after, call.account, call.region, page.after, page.size + 1)
            listed = [function_answers.listed(function) for function in found[: page.size]]
            marks = [function.name for function in found]
        return {"Functions": listed} | page.next_marker(marks)

    async def delete_function(self, call: Call, request: t.DeleteFunctionRequestTypeDef) -> dict[str, Any]:
        """Delete a function with all that it has, or one version; its event source mappings stay.

        To delete a version that isn't there is no error.
        """
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        if qualifier is None:
            await self.store.transact(self._delete, key)
        elif qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        elif not qualifier.isdecimal():
            raise invalid("Deletion of aliases is not currently supported.")
        else:
            await self.store.transact(self._delete_version, key, qualifier)
        self.package_upkeep.look_later()
        return {"StatusCode": 204}

    def _delete(self, tx: Tx, key: FunctionKey) -> None:
        function = functions.delete(tx, key)
        self.forget_function(tx, key)
        tx.after_commit(self.deleted, function)

    def _delete_version(self, tx: Tx, key: FunctionKey, qualifier: str) -> None:
        functions.load(tx, key)
        number = version_number(qualifier)
        if number is not None:
            versions.delete(tx, key, number)
            self.forget_qualifier(tx, key, qualifier)

    async def update_function_code(self, call: Call, request: t.UpdateFunctionCodeRequestTypeDef) -> dict[str, Any]:
        """Replace a function's code."""
        members = cast("dict[str, Any]", request)
        configuration.refuse_unsupported(call.operation, members)
        key = self.locate_function(call, members["FunctionName"], LATEST)
        before = await self.known(key)
        revision = members.get("RevisionId")
        check_revision(before, revision)
        if self.blocks_deprecated_runtimes:
            runtime_lifecycle.check_update(before.configuration.runtime, self.clock.now_ms())
        if members.get("ImageUri"):
            raise invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
        content = function_code.zip_file(call.operation, members)
        package = await self.packages.inspect(content)
        await self.check_signature(before)
        await self.check_size(content, before.configuration.layers)
        architectures = {name: members[name] for name in ("Architectures",) if name in members}

        def change(function: Function) -> Function:
            settings = configuration.changed(function.configuration, architectures)
            return msgspec.structs.replace(function, package=package, configuration=settings)

        if members.get("DryRun"):
            return function_answers.whole(change(before), function_answers.READY)
        publishes = self.new_revisions() if members.get("Publish") else None
        async with self.packages.kept(package, content):
            if publishes is None:
                answer = function_answers.whole(await self._change(key, revision, change), function_answers.UPDATING)
            else:
                published = await self.store.transact(
                    self._save_and_publish, key, revision, change, self.ids.uuid(), self.clock.now_ms(), publishes
                )
                state = function_answers.PENDING if published.is_new else function_answers.READY
                answer = function_answers.whole(published.version, state, published.version.version)
        self.package_upkeep.look_later()
        return answer

    async def update_function_configuration(
        self, call: Call, request: t.UpdateFunctionConfigurationRequestTypeDef
    ) -> dict[str, Any]:
        """Change a function's settings; those not named stay."""
        members = cast("dict[str, Any]", request)
        configuration.refuse_unsupported(call.operation, members)
        key = self.locate_function(call, members["FunctionName"], LATEST)
        before = await self.known(key)
        if "Role" in members:
            await self._check_role(members["Role"])
        await self.check_dead_letter_target(call, members)
        chosen = await self.chosen_layers(call, members.get("Layers", ()))
        await self.check_size(before.package, chosen)
        now_ms = self.clock.now_ms()

        def change(function: Function) -> Function:
            settings = configuration.changed(function.configuration, members)
            if "Layers" in members:
                settings = msgspec.structs.replace(settings, layers=chosen)
            if self.blocks_deprecated_runtimes:
                runtime_lifecycle.check_update(settings.runtime, now_ms)
            return msgspec.structs.replace(function, configuration=settings)

        with self.packages.held(chosen):
            after = await self._change(key, members.get("RevisionId"), change)
        if "Layers" in members:
            self.package_upkeep.look_later()
        return function_answers.whole(after, function_answers.UPDATING)

    async def _check_role(self, role_arn: str) -> None:
        """In enforce mode the execution role must exist and trust Lambda; in open mode any will do."""
        role = parse_arn(role_arn)
        assert role is not None
        if self.is_enforcing and not await self.platform.delivery.roles.trusts(role, "lambda.amazonaws.com"):
            raise invalid("The role defined for the function cannot be assumed by Lambda.")

    async def _change(self, key: FunctionKey, revision: str | None, change: Change) -> Function:
        return await self.store.transact(self._save, key, revision, change, self.ids.uuid(), self.clock.now_ms())

    def _save_and_publish(
        self,
        tx: Tx,
        key: FunctionKey,
        revision: str | None,
        change: Change,
        new_revision: str,
        now_ms: int,
        publishes: tuple[str, str],
    ) -> Published:
        self._save(tx, key, revision, change, new_revision, now_ms)
        return self.publish(tx, key, Wanted(), publishes, now_ms)

    def _save(
        self, tx: Tx, key: FunctionKey, revision: str | None, change: Change, new_revision: str, now_ms: int
    ) -> Function:
        before = functions.load(tx, key)
        check_revision(before, revision)
        after = msgspec.structs.replace(
            change(before), revision=new_revision, deployment=new_revision, modified_ms=now_ms
        )
        self.check_deployment(tx, before, after)
        functions.save(tx, after)
        if after.package.size_bytes > before.package.size_bytes:
            functions.check_storage(tx, key.account, key.region, self.most_code_bytes)
        tx.after_commit(self.changed, after)
        return after


def check_revision(function: Function, revision: str | None) -> None:
    """Raise PreconditionFailedException where a request knows another revision than the present one."""
    if revision not in (None, function.revision):
        raise wrong_revision()


def _versions_from(tx: Tx, account: str, region: str, name: str, after_number: int, limit: int) -> list[Function]:
    """Return up to `limit` versions of an account's functions by name and number, behind one of `name`."""
    found: list[Function] = []
    for function in functions.since(tx, account, region, name, limit + 1):
        found += versions_from(tx, function, after_number if function.name == name else -1, limit - len(found))
        if len(found) >= limit:
            break
    return found
