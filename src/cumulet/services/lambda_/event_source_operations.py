"""The operations on event source mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from cumulet.kernel.arns import Arn
from cumulet.kernel.call import Call
from cumulet.services.lambda_ import checkpoints, mappings, paging, tags
from cumulet.services.lambda_.destinations import Destinations
from cumulet.services.lambda_.errors import ResourceConflictException, invalid, not_found
from cumulet.services.lambda_.filters import FILTERS
from cumulet.services.lambda_.function_names import LATEST, FunctionKey
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.mapping_answers import shown
from cumulet.services.lambda_.mapping_settings import QUEUES, new_settings, settings, source_of
from cumulet.services.lambda_.mappings import Mapping
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

MOST_ITEMS = 100
"""Lambda: a page of mappings has more than those of other lists."""
MOST_ID_DIGITS = 18
"""So many fit a BIGINT."""


class EventSourceOperations(Destinations):
    """What is done to event source mappings.

    AWS changes a mapping in the background and tells of it in State. Here a change is there when it is answered; the
    answer shows the state that AWS's does.
    """

    async def create_event_source_mapping(
        self, call: Call, request: t.CreateEventSourceMappingRequestTypeDef
    ) -> dict[str, Any]:
        """Let a function be invoked with what arrives in a queue or stream."""
        members = cast("dict[str, Any]", request)
        source = source_of(members)
        wanted = new_settings(members, source, self._most_filters)
        function, function_name = await self._target(call, request["FunctionName"])
        await self._check_source(call, source, function)
        await self._check_destination_config(call, members, function)
        mapping = await self.store.transact(
            self._create_mapping,
            Mapping(
                id=0,
                uuid=self.ids.uuid(),
                account=function.account,
                region=function.region,
                function_name=function_name,
                source_arn=str(source),
                is_enabled=request.get("Enabled", True),
                settings=wanted,
                tags=tags.merged({}, request.get("Tags", {})),
                modified_ms=self.clock.now_ms(),
            ),
        )
        return shown(mapping, "Creating")

    def _create_mapping(self, tx: Tx, mapping: Mapping) -> Mapping:
        self._check_unique(tx, mapping)
        mapping = msgspec.structs.replace(mapping, id=tx.next_id())
        mappings.put(tx, mapping)
        tx.after_commit(self.pollers.keep, mapping)
        return mapping

    async def get_event_source_mapping(
        self, call: Call, request: t.GetEventSourceMappingRequestTypeDef
    ) -> dict[str, Any]:
        """Return a mapping."""
        return shown(await self.store.read(_load, call, request["UUID"]))

    async def list_event_source_mappings(
        self, call: Call, request: t.ListEventSourceMappingsRequestTypeDef
    ) -> dict[str, Any]:
        """List the mappings of the account in the region, or those of one function or source."""
        name = request.get("FunctionName")
        page = paging.page(request.get("MaxItems"), request.get("Marker"), MOST_ITEMS)
        if page.after and (not page.after.isdecimal() or len(page.after) > MOST_ID_DIGITS):
            raise invalid("Invalid Marker")
        found = await self.store.read(
            mappings.page,
            call.account,
            call.region,
            int(page.after or 0),
            page.size + 1,
            function_name=None if name is None else _qualified(*self.locate(call, name)),
            source_arn=request.get("EventSourceArn"),
        )
        answer = {"EventSourceMappings": [shown(mapping) for mapping in found[: page.size]]}
        return answer | page.next_marker([str(mapping.id) for mapping in found])

    async def update_event_source_mapping(
        self, call: Call, request: t.UpdateEventSourceMappingRequestTypeDef
    ) -> dict[str, Any]:
        """Change a mapping's function, its batches, or whether it is enabled."""
        before = await self.store.read(_load, call, request["UUID"])
        members = cast("dict[str, Any]", request)
        source = source_of({"EventSourceArn": before.source_arn})
        settings(members, source, before.settings, self._most_filters)
        function_name = None
        if "FunctionName" in request or request.get("Enabled", before.is_enabled):
            function, function_name = await self._target(call, request.get("FunctionName", before.function_arn))
            await self._check_source(call, source, function)
            await self._check_destination_config(call, members, function)
        after = await self.store.transact(
            self._update_mapping, call, members, source, function_name, self.clock.now_ms()
        )
        if before.is_enabled == after.is_enabled:
            return shown(after, "Updating")
        return shown(after, "Enabling" if after.is_enabled else "Disabling")

    def _update_mapping(
        self, tx: Tx, call: Call, request: dict[str, Any], source: Arn, function_name: str | None, now_ms: int
    ) -> Mapping:
        before = _load(tx, call, request["UUID"])
        after = msgspec.structs.replace(
            before,
            function_name=function_name or before.function_name,
            is_enabled=request.get("Enabled", before.is_enabled),
            settings=settings(request, source, before.settings, self._most_filters),
            modified_ms=now_ms,
        )
        if after.function_name != before.function_name:
            self._check_unique(tx, after)
        mappings.change(tx, after)
        tx.after_commit(self.pollers.keep, after)
        return after

    async def delete_event_source_mapping(
        self, call: Call, request: t.DeleteEventSourceMappingRequestTypeDef
    ) -> dict[str, Any]:
        """Delete a mapping; batches that run go on."""
        return shown(await self.store.transact(self._delete_mapping, call, request["UUID"]), "Deleting")

    def _delete_mapping(self, tx: Tx, call: Call, uuid: str) -> Mapping:
        mapping = _load(tx, call, uuid)
        mappings.delete(tx, mapping)
        checkpoints.delete_all(tx, mapping.uuid)
        tx.after_commit(self.pollers.forget, mapping)
        return mapping

    async def _target(self, call: Call, name: str) -> tuple[Function, str]:
        """Return the function, version or alias that a mapping is for, and what the mapping calls it."""
        key, qualifier = self.locate(call, name)
        function = await self.directory.resolve(key, qualifier)
        if function is None:
            raise invalid("Function does not exist")
        return function, _qualified(key, qualifier)

    @property
    def _most_filters(self) -> int:
        return self.platform.quotas.limit("lambda:filters-per-mapping", FILTERS)

    async def _check_source(self, call: Call, source: Arn, function: Function) -> None:
        if source.service == QUEUES:
            await self._check_queue(call, source, function)
            return
        if self.is_enforcing and source.account != call.account:
            raise invalid(
                f"Cannot access stream {source}. Please ensure the role can perform the GetRecords, GetShardIterator, "
                f"{'DescribeStream' if source.service == 'dynamodb' else 'DescribeStream, ListShards'}, and "
                "ListStreams Actions on your stream in IAM."
            )
        streams = self.platform.delivery.streams.get(source.service)
        try:
            if streams is None or source.region != call.region:
                raise LookupError
            await streams.describe(source)
        except LookupError:
            raise invalid(f"Stream not found: {source}") from None

    async def _check_destination_config(self, call: Call, request: dict[str, Any], function: Function) -> None:
        if "DestinationConfig" in request:
            await self.check_destinations(call, function.key, request["DestinationConfig"])

    async def _check_queue(self, call: Call, source: Arn, function: Function) -> None:
        if self.is_enforcing and source.account != call.account:
            raise invalid("The provided execution role does not have permissions to call ReceiveMessage on SQS")
        queue = await self.platform.delivery.queues.describe(source) if source.region == call.region else None
        if queue is None:
            raise invalid(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
                "SQS Error Message: The specified queue does not exist."
            )
        timeout_seconds = function.configuration.timeout_seconds
        if queue.visibility_timeout_seconds < timeout_seconds:
            raise invalid(
                f"Queue visibility timeout: {queue.visibility_timeout_seconds} seconds is less than "
                f"Function timeout: {timeout_seconds} seconds"
            )

    def _check_unique(self, tx: Tx, mapping: Mapping) -> None:
        same = mappings.find_same(tx, mapping.account, mapping.region, mapping.function_name, mapping.source_arn)
        if same is not None:
            pair = f'arn (" {mapping.source_arn} ") and function (" {mapping.function_name} ")'
            is_stream = mapping.settings.stream is not None
            raise ResourceConflictException(
                f"The event source {pair} provided mapping already exists. "
                f"Please update or delete the existing mapping with UUID {same.uuid}"
                if is_stream
                else f"An event source mapping with SQS {pair} already exists. "
                f"Please update or delete the existing mapping with UUID {same.uuid}",
                Type="User",
            )


def _qualified(key: FunctionKey, qualifier: str | None) -> str:
    return key.name if qualifier in (None, LATEST) else f"{key.name}:{qualifier}"


def _load(tx: Tx, call: Call, uuid: str) -> Mapping:
    mapping = mappings.find(tx, call.account, call.region, uuid)
    if mapping is None:
        raise not_found("The resource you requested does not exist.")
    return mapping
