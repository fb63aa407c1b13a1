"""The operations on tags of functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cumulet.kernel.arns import parse_arn
from cumulet.kernel.call import Call
from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.lambda_ import functions, tags
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.errors import invalid
from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t


class TagOperations(LambdaBase):
    """What functions are labelled with."""

    async def list_tags(self, call: Call, request: t.ListTagsRequestTypeDef) -> dict[str, Any]:
        """Return a function's tags."""
        return {"Tags": (await self.known(self._tagged(call, request["Resource"]))).tags}

    async def tag_resource(self, call: Call, request: t.TagResourceRequestTypeDef) -> None:
        """Set tags of a function."""
        key = self._tagged(call, request["Resource"])
        if not request["Tags"]:
            raise invalid("An error occurred and the request cannot be processed.")
        await self.store.transact(self._tag, key, request["Tags"], ())

    async def untag_resource(self, call: Call, request: t.UntagResourceRequestTypeDef) -> None:
        """Remove tags of a function; those that aren't there are no error."""
        key = self._tagged(call, request["Resource"])
        await self.store.transact(self._tag, key, {}, request["TagKeys"])

    def _tag(self, tx: Tx, key: FunctionKey, given: Mapping[str, str], removed: Sequence[str]) -> None:
        before = functions.load(tx, key)
        kept = {name: value for name, value in before.tags.items() if name not in removed}
        after = msgspec.structs.replace(before, tags=tags.merged(kept, given))
        tx.after_commit(self.changed, functions.save(tx, after))

    def _tagged(self, call: Call, resource: str) -> FunctionKey:
        """Return the function that an ARN names; its pattern is checked already."""
        arn = parse_arn(resource)
        assert arn is not None
        if not arn.resource.startswith("function:"):
            kind = arn.resource.partition(":")[0]
            raise NotImplementedFailure(f"Cumulet does not implement {call.operation} of lambda for {kind} yet.")
        key, qualifier = self.locate(call, resource)
        if qualifier is not None:
            raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
        return key
