"""InvokeWithResponseStream: run a function and pass its answer on while it is writing it."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, cast

from cumulet.compute import CannotRun, Outcome
from cumulet.kernel.call import Call
from cumulet.services.lambda_.errors import InvalidRuntimeException
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.invoke_operations import NO_PAYLOAD, InvokeOperations
from cumulet.services.lambda_.streaming import StreamedInvocation

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

Events = AsyncGenerator[dict[str, Any], None]


class StreamOperations(InvokeOperations):
    """What runs functions whose answers stream."""

    async def invoke_with_response_stream(
        self, call: Call, request: t.InvokeWithResponseStreamRequestTypeDef
    ) -> dict[str, Any]:
        """Run a function; the answer's events are pieces of what it returns, and at last what became of it."""
        payload = cast("bytes", request.get("Payload")) or NO_PAYLOAD
        function, settings = await self.prepared(call, request, payload)
        if request.get("InvocationType") == "DryRun":
            return {"StatusCode": 204, "EventStream": _nothing()}
        invocation = self.streamed(function, payload, **settings)
        try:
            await invocation.begun()
        except CannotRun as error:
            raise InvalidRuntimeException(str(error), Type="User") from None
        return {
            "StatusCode": 200,
            "ExecutedVersion": function.version,
            "ResponseStreamContentType": invocation.content_type,
            "EventStream": _events(invocation, wants_log_tail=settings["wants_log_tail"]),
        }

    def streamed(self, function: Function, payload: bytes, **settings: Any) -> StreamedInvocation:
        """Begin to run a function; `settings` are those of `run`. Raises TooManyRequestsException."""
        give_back = self.concurrency.take(function, settings.get("qualifier"))

        async def run(invocation: StreamedInvocation) -> Outcome:
            try:
                return await self.run(function, payload, stream=invocation, **settings)
            finally:
                give_back()

        invocation = StreamedInvocation()
        name = f"a streamed invocation of {function.name}"
        self.platform.activity.spawn(name, invocation.run(run), is_awaited=True)
        return invocation


async def _events(invocation: StreamedInvocation, *, wants_log_tail: bool) -> Events:
    async for piece in invocation.pieces():
        yield {"PayloadChunk": {"Payload": piece}}
    outcome = await invocation.outcome()
    complete: dict[str, Any] = {}
    if outcome.error is not None:
        complete = {"ErrorCode": outcome.error, "ErrorDetails": outcome.payload.decode("utf-8", "replace")}
    elif outcome.payload:
        yield {"PayloadChunk": {"Payload": outcome.payload}}
    if wants_log_tail:
        complete["LogResult"] = base64.b64encode(outcome.log_tail).decode()
    yield {"InvokeComplete": complete}


async def _nothing() -> Events:
    return
    yield {}
