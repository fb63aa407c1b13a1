"""The operations on asynchronous invocation: InvokeAsync, and how its events are tried again and told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from cumulet.kernel.call import Call
from cumulet.services.lambda_ import event_invoke_configs, paging
from cumulet.services.lambda_.destinations import Destinations
from cumulet.services.lambda_.errors import PayloadTooLarge, invalid, not_found
from cumulet.services.lambda_.event_invoke_configs import EventInvokeConfig, Settings
from cumulet.services.lambda_.event_queue import MOST_EVENT_BYTES
from cumulet.services.lambda_.function_names import LATEST, FunctionKey
from cumulet.services.lambda_.payloads import check_json
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t


class AsynchronousOperations(Destinations):
    """What is accepted now and run later."""

    async def invoke_async(self, call: Call, request: t.InvokeAsyncRequestTypeDef) -> dict[str, Any]:
        """Accept an event, as Invoke does with InvocationType Event; AWS has long deprecated it."""
        payload = cast("bytes", request["InvokeArgs"])
        await self.accept_event(call, request["FunctionName"], None, payload)
        return {"Status": 202}

    async def accept_event(self, call: Call, name: str, qualifier: str | None, payload: bytes) -> None:
        """Accept an event for a function; it is on disk when this returns."""
        key, qualifier = await self.located(call, name, qualifier)
        function = await self.known(key, qualifier)
        if len(payload) > MOST_EVENT_BYTES:
            raise PayloadTooLarge(
                f"{len(payload)} byte payload is too large for the Event invocation type "
                f"(limit {MOST_EVENT_BYTES} bytes)"
            )
        check_json(payload)
        await self.event_queue.accept(
            function,
            qualifier,
            payload,
            request_id=call.request_id,
            trace_header=call.trace_header,
        )

    async def put_function_event_invoke_config(
        self, call: Call, request: t.PutFunctionEventInvokeConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Set how a function, version or alias is invoked asynchronously; what is not said is Lambda's default."""
        key, qualifier = await self._configured(call, cast("dict[str, Any]", request))
        settings = _changed(Settings(), cast("dict[str, Any]", request))
        return _shown(await self.store.transact(self._put_config, key, qualifier, settings, self.clock.now_ms()))

    def _put_config(
        self, tx: Tx, key: FunctionKey, qualifier: str, settings: Settings, now_ms: int
    ) -> EventInvokeConfig:
        config = EventInvokeConfig(
            account=key.account,
            region=key.region,
            function_name=key.name,
            qualifier=qualifier,
            settings=settings,
            modified_ms=now_ms,
        )
        event_invoke_configs.put(tx, config)
        return config

    async def update_function_event_invoke_config(
        self, call: Call, request: t.UpdateFunctionEventInvokeConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Change what is said; the rest stays."""
        members = cast("dict[str, Any]", request)
        key, qualifier = await self._configured(call, members)
        return _shown(await self.store.transact(self._update_config, key, qualifier, members, self.clock.now_ms()))

    def _update_config(
        self, tx: Tx, key: FunctionKey, qualifier: str, members: dict[str, Any], now_ms: int
    ) -> EventInvokeConfig:
        before = event_invoke_configs.load(tx, key, qualifier)
        return self._put_config(tx, key, qualifier, _changed(before.settings, members), now_ms)

    async def get_function_event_invoke_config(
        self, call: Call, request: t.GetFunctionEventInvokeConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Return what is set for a function, version or alias."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        return _shown(await self.store.read(event_invoke_configs.load, key, qualifier or LATEST))

    async def delete_function_event_invoke_config(
        self, call: Call, request: t.DeleteFunctionEventInvokeConfigRequestTypeDef
    ) -> None:
        """Return to Lambda's defaults."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        await self.store.transact(self._delete_config, key, qualifier or LATEST)

    def _delete_config(self, tx: Tx, key: FunctionKey, qualifier: str) -> None:
        event_invoke_configs.load(tx, key, qualifier)
        event_invoke_configs.forget(tx, key, qualifier)

    async def list_function_event_invoke_configs(
        self, call: Call, request: t.ListFunctionEventInvokeConfigsRequestTypeDef
    ) -> dict[str, Any]:
        """List what is set for a function, its versions and aliases."""
        key = self.locate_function(call, request["FunctionName"])
        if await self.directory.find(key) is None:
            raise _no_function()
        page = paging.page(request.get("MaxItems"), request.get("Marker"))
        found = await self.store.read(event_invoke_configs.after, key, page.after, page.size + 1)
        answer = {"FunctionEventInvokeConfigs": [_shown(config) for config in found[: page.size]]}
        return answer | page.next_marker([config.qualifier for config in found])

    async def _configured(self, call: Call, members: dict[str, Any]) -> tuple[FunctionKey, str]:
        """Return which qualifier of which function a request configures; it must exist, and its destinations too."""
        if not members.keys() & {"MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"}:
            raise invalid("You must specify at least one of error handling or destination setting.")
        key, qualifier = self.locate(call, members["FunctionName"], members.get("Qualifier"))
        if not await self.exists(key, qualifier):
            raise _no_function()
        await self.check_destinations(call, key, members.get("DestinationConfig", {}))
        return key, qualifier or LATEST


def _no_function() -> Exception:
    return not_found("The function doesn't exist.")


def _changed(before: Settings, request: dict[str, Any]) -> Settings:
    changes: dict[str, Any] = {}
    if "MaximumRetryAttempts" in request:
        changes["most_retries"] = request["MaximumRetryAttempts"]
    if "MaximumEventAgeInSeconds" in request:
        changes["most_age_seconds"] = request["MaximumEventAgeInSeconds"]
    if "DestinationConfig" in request:
        given = request["DestinationConfig"]
        changes["on_success"] = given.get("OnSuccess", {}).get("Destination") or None
        changes["on_failure"] = given.get("OnFailure", {}).get("Destination") or None
    return msgspec.structs.replace(before, **changes)


def _shown(config: EventInvokeConfig) -> dict[str, Any]:
    settings = config.settings
    answer: dict[str, Any] = {
        "LastModified": config.modified_ms / 1000,
        "FunctionArn": config.function_arn,
        "DestinationConfig": {
            "OnSuccess": {"Destination": settings.on_success} if settings.on_success else {},
            "OnFailure": {"Destination": settings.on_failure} if settings.on_failure else {},
        },
    }
    if settings.most_retries is not None:
        answer["MaximumRetryAttempts"] = settings.most_retries
    if settings.most_age_seconds is not None:
        answer["MaximumEventAgeInSeconds"] = settings.most_age_seconds
    return answer
