"""The operations on reserved concurrency, and the account's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulet.kernel.call import Call
from cumulet.services.lambda_ import functions, provisioned
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.errors import invalid
from cumulet.services.lambda_.function_code import MOST_ZIPPED_BYTES
from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.services.lambda_.provisioned import LEAST_UNRESERVED, too_little_left
from cumulet.services.lambda_.zip_files import MOST_UNZIPPED_BYTES
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t


class ConcurrencyOperations(LambdaBase):
    """How much may run at a time."""

    async def put_function_concurrency(
        self, call: Call, request: t.PutFunctionConcurrencyRequestTypeDef
    ) -> dict[str, Any]:
        """Reserve a part of the account's concurrency for a function, which then has that much and no more."""
        key = self.locate_function(call, request["FunctionName"])
        wanted = request["ReservedConcurrentExecutions"]
        await self.store.transact(self._reserve, key, wanted)
        return {"ReservedConcurrentExecutions": wanted}

    def _reserve(self, tx: Tx, key: FunctionKey, wanted: int | None) -> None:
        before = functions.load(tx, key)
        mine = provisioned.total(tx, key)
        if wanted is not None and wanted < mine:
            raise invalid(
                f" ReservedConcurrentExecutions  {wanted} should not be lower than function's total provisioned "
                f"concurrency [{mine}]."
            )
        others = functions.reserved(tx, key.account, key.region) - (before.reserved_concurrency or 0)
        others += provisioned.unreserved_total(tx, key.account, key.region)
        if before.reserved_concurrency is None:
            others -= mine
        least = min(LEAST_UNRESERVED, self.account_concurrency)
        if wanted and others + wanted > self.account_concurrency - least:
            raise too_little_left("ReservedConcurrentExecutions", least)
        after = msgspec.structs.replace(before, reserved_concurrency=wanted)
        tx.after_commit(self.changed, functions.save(tx, after))

    async def get_function_concurrency(
        self, call: Call, request: t.GetFunctionConcurrencyRequestTypeDef
    ) -> dict[str, Any]:
        """Return what is reserved for a function."""
        reserved = (await self.known(self.locate_function(call, request["FunctionName"]))).reserved_concurrency
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    async def delete_function_concurrency(self, call: Call, request: t.DeleteFunctionConcurrencyRequestTypeDef) -> None:
        """Give back what is reserved for a function."""
        await self.store.transact(self._reserve, self.locate_function(call, request["FunctionName"]), None)

    async def get_account_settings(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Return the account's limits in the region, and how much of them is used."""
        reserved = await self.store.read(functions.reserved, call.account, call.region)
        count, code_bytes = await self.store.read(functions.totals, call.account, call.region)
        return {
            "AccountLimit": {
                "TotalCodeSize": self.most_code_bytes,
                "CodeSizeUnzipped": MOST_UNZIPPED_BYTES,
                "CodeSizeZipped": MOST_ZIPPED_BYTES,
                "ConcurrentExecutions": self.account_concurrency,
                "UnreservedConcurrentExecutions": self.account_concurrency - reserved,
            },
            "AccountUsage": {"TotalCodeSize": code_bytes, "FunctionCount": count},
        }
