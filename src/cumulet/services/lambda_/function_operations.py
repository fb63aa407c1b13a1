"""The operations on functions: create, show, change, delete; their tags and reserved concurrency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cumulet.kernel.call import Call
from cumulet.services.lambda_ import configuration, function_answers, functions
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.functions import Function
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t


class FunctionOperations(LambdaBase):
    """What is done to functions as a whole."""

    async def create_function(self, call: Call, request: t.CreateFunctionRequestTypeDef) -> dict[str, Any]:
        """Make a function."""
        key, _ = self.locate(call, request["FunctionName"])
        settings = configuration.new(key.name, cast("dict[str, Any]", request))
        async with self.packages.added(cast("bytes", request["Code"]["ZipFile"])) as package:
            function = Function(
                account=key.account,
                region=key.region,
                name=key.name,
                revision=self.ids.uuid(),
                configuration=settings,
                package=package,
                tags=dict(request.get("Tags", {})),
                modified_ms=self.clock.now_ms(),
            )
            await self.store.transact(self._create, function)
        return function_answers.configuration(function) | function_answers.PENDING

    def _create(self, tx: Tx, function: Function) -> None:
        tx.after_commit(self.changed, functions.create(tx, function))

    async def get_function(self, call: Call, request: t.GetFunctionRequestTypeDef) -> dict[str, Any]:
        """Return a function's configuration, where its code is, its tags and its reserved concurrency."""
        function = await self.function(call, request["FunctionName"], request.get("Qualifier"))
        return {"Configuration": function_answers.configuration(function) | function_answers.ACTIVE}
