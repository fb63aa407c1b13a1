"""The operations on tags, of whatever has some."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulet.kernel.arns import Arn, parse_arn
from cumulet.kernel.call import Call
from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.lambda_ import code_signing, functions, mappings, tags
from cumulet.services.lambda_.base import LambdaBase, denied
from cumulet.services.lambda_.errors import invalid, not_found
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

Tags = dict[str, str]


class Labelled(NamedTuple):
    """Something that has tags; both functions raise ResourceNotFoundException."""

    tags: Callable[[Tx], Tags]
    change: Callable[[Tx, Tags], None]


class TagOperations(LambdaBase):
    """What functions, event source mappings and code signing configurations are labelled with."""

    async def list_tags(self, call: Call, request: t.ListTagsRequestTypeDef) -> dict[str, Any]:
        """Return the tags of a resource."""
        return {"Tags": await self.store.read(self._labelled(call, request["Resource"]).tags)}

    async def tag_resource(self, call: Call, request: t.TagResourceRequestTypeDef) -> None:
        """Set tags of a resource."""
        labelled = self._labelled(call, request["Resource"])
        if not request["Tags"]:
            raise invalid("An error occurred and the request cannot be processed.")
        await self.store.transact(_tag, labelled, request["Tags"], ())

    async def untag_resource(self, call: Call, request: t.UntagResourceRequestTypeDef) -> None:
        """Remove tags of a resource; those that aren't there are no error."""
        await self.store.transact(_tag, self._labelled(call, request["Resource"]), {}, request["TagKeys"])

    def _labelled(self, call: Call, resource: str) -> Labelled:
        """Return what an ARN names, if the caller may use it; its pattern is checked already."""
        arn = parse_arn(resource)
        assert arn is not None
        kind, _, rest = arn.resource.partition(":")
        if kind == "function":
            return self._function(call, resource)
        if kind == "event-source-mapping":
            return self._mapping(call, arn, rest)
        if kind == code_signing.KIND:
            return self._code_signing(call, arn)
        raise NotImplementedFailure(f"Cumulet does not implement {call.operation} of lambda for {kind} yet.")

    def _function(self, call: Call, resource: str) -> Labelled:
        key, qualifier = self.locate(call, resource)
        if qualifier is not None:
            raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")

        def change(tx: Tx, new: Tags) -> None:
            after = msgspec.structs.replace(functions.load(tx, key), tags=new)
            tx.after_commit(self.changed, functions.save(tx, after))

        return Labelled(lambda tx: functions.load(tx, key).tags, change)

    def _mapping(self, call: Call, arn: Arn, uuid: str) -> Labelled:
        if self.is_enforcing and arn.account != call.account:
            raise denied(call, str(arn))

        def load(tx: Tx) -> mappings.Mapping:
            mapping = mappings.find(tx, arn.account, arn.region, uuid) if arn.region == call.region else None
            if mapping is None:
                raise not_found("The resource you requested does not exist.")
            return mapping

        def change(tx: Tx, new: Tags) -> None:
            mappings.change(tx, msgspec.structs.replace(load(tx), tags=new))

        return Labelled(lambda tx: load(tx).tags, change)

    def _code_signing(self, call: Call, arn: Arn) -> Labelled:
        if self.is_enforcing and arn.account != call.account:
            raise denied(call, str(arn))

        def change(tx: Tx, new: Tags) -> None:
            code_signing.save(tx, msgspec.structs.replace(code_signing.load(tx, str(arn)), tags=new))

        return Labelled(lambda tx: code_signing.load(tx, str(arn)).tags, change)


def _tag(tx: Tx, labelled: Labelled, given: Mapping[str, str], removed: Sequence[str]) -> None:
    kept = {name: value for name, value in labelled.tags(tx).items() if name not in removed}
    labelled.change(tx, tags.merged(kept, given))
