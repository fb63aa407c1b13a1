"""The operations on how a function is kept: when its runtime is updated, and what becomes of loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulet.kernel.call import Call
from cumulet.services.lambda_ import functions, runtime_management, versions
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.errors import function_not_found, invalid
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, qualified_arn, version_number
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.runtime_management import RuntimeManagement
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t


class RuntimeOperations(LambdaBase):
    """Settings with operations of their own, which leave a function's RevisionId as it is."""

    async def put_runtime_management_config(
        self, call: Call, request: t.PutRuntimeManagementConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Set when the runtime of `$LATEST` or a version is updated."""
        key, version = self._version_of(call, request["FunctionName"], request.get("Qualifier"))
        management = runtime_management.checked(request["UpdateRuntimeOn"], request.get("RuntimeVersionArn"))

        def put(tx: Tx) -> None:
            _check_version(tx, key, version)
            runtime_management.save(tx, key, version, management)

        await self.store.transact(put)
        return _shown(key, version, management)

    async def get_runtime_management_config(
        self, call: Call, request: t.GetRuntimeManagementConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Return when the runtime of `$LATEST` or a version is updated."""
        key, version = self._version_of(call, request["FunctionName"], request.get("Qualifier"))

        def find(tx: Tx) -> RuntimeManagement:
            _check_version(tx, key, version)
            return runtime_management.find(tx, key, version)

        return _shown(key, version, await self.store.read(find))

    async def put_function_recursion_config(
        self, call: Call, request: t.PutFunctionRecursionConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Set what becomes of an invocation that is one too many in a loop."""
        key = self.locate_function(call, request["FunctionName"])
        wanted = request["RecursiveLoop"]

        def put(tx: Tx) -> Function:
            after = msgspec.structs.replace(functions.load(tx, key), recursive_loop=wanted)
            tx.after_commit(self.changed, functions.save(tx, after))
            return after

        return {"RecursiveLoop": (await self.store.transact(put)).recursive_loop}

    async def get_function_recursion_config(
        self, call: Call, request: t.GetFunctionRecursionConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Return what becomes of an invocation that is one too many in a loop."""
        return {"RecursiveLoop": (await self.known(self.locate_function(call, request["FunctionName"]))).recursive_loop}

    def _version_of(self, call: Call, name: str, qualifier: str | None) -> tuple[FunctionKey, str]:
        """Return which function and version a request names; an alias has no runtime of its own."""
        key, qualifier = self.locate(call, name, qualifier)
        version = qualifier or LATEST
        if version != LATEST and not version.isdecimal():
            raise invalid("Runtime management is for $LATEST or a published version, not for an alias.")
        return key, version


def _check_version(tx: Tx, key: FunctionKey, version: str) -> None:
    functions.load(tx, key)
    if version != LATEST:
        number = version_number(version)
        if number is None:
            raise function_not_found(qualified_arn(key, version))
        versions.load(tx, key, number)


def _shown(key: FunctionKey, version: str, management: RuntimeManagement) -> dict[str, Any]:
    answer = {"UpdateRuntimeOn": management.update_on, "FunctionArn": qualified_arn(key, version)}
    if management.runtime_version_arn is not None:
        answer["RuntimeVersionArn"] = management.runtime_version_arn
    return answer
