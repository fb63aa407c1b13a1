"""Invoke: run a function and wait for its answer."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, cast

from cumulet.compute import CannotRun, Outcome
from cumulet.kernel.call import Call
from cumulet.services.lambda_.asynchronous_operations import AsynchronousOperations
from cumulet.services.lambda_.base import ACTIONS
from cumulet.services.lambda_.errors import InvalidRuntimeException, RequestTooLargeException
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.payloads import check_json, decoded_context

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

MOST_PAYLOAD_BYTES = 6_291_456
"""Lambda: of a request whose answer is waited for."""
NO_PAYLOAD = b"{}"


class InvokeOperations(AsynchronousOperations):
    """What runs functions."""

    async def invoke(self, call: Call, request: t.InvocationRequestTypeDef) -> dict[str, Any]:
        """Run a function and return its answer, or what became of it; with InvocationType Event, run it later."""
        payload = cast("bytes", request.get("Payload")) or NO_PAYLOAD
        kind = request.get("InvocationType", "RequestResponse")
        if kind == "Event":
            decoded_context(request.get("ClientContext"))  # Lambda: checked, but only passed on when somebody waits
            await self.accept_event(call, request["FunctionName"], request.get("Qualifier"), payload)
            return {"StatusCode": 202}
        function, settings = await self.prepared(call, request, payload)
        if kind == "DryRun":
            return {"StatusCode": 204}
        try:
            outcome = await self.invoked(function, payload, **settings)
        except CannotRun as error:
            raise InvalidRuntimeException(str(error), Type="User") from None
        return {
            "StatusCode": 200,
            "FunctionError": outcome.error,
            "ExecutedVersion": function.version,
            "LogResult": base64.b64encode(outcome.log_tail).decode() if request.get("LogType") == "Tail" else None,
            "Payload": outcome.payload,
        }

    async def prepared(self, call: Call, request: Any, payload: bytes) -> tuple[Function, dict[str, Any]]:
        """Return the function that a request is for, and the settings of `run`; raises what is wrong with either."""
        key, qualifier = await self.located(call, request["FunctionName"], request.get("Qualifier"))
        function = await self.routed(key, qualifier)
        if len(payload) > MOST_PAYLOAD_BYTES:
            operation = ACTIONS.get(call.operation, call.operation)
            raise RequestTooLargeException(
                f"Request must be smaller than {MOST_PAYLOAD_BYTES} bytes for the {operation} operation"
            )
        check_json(payload)
        return function, {
            "qualifier": qualifier,
            "request_id": call.request_id,
            "client_context": decoded_context(request.get("ClientContext")),
            "trace_header": call.trace_header,
            "wants_log_tail": request.get("LogType") == "Tail",
        }

    async def invoked(self, function: Function, payload: bytes, **settings: Any) -> Outcome:
        """Run a function where it has a slot; `settings` are those of `run`. Raises TooManyRequestsException too."""
        give_back = self.concurrency.take(function, settings.get("qualifier"))
        try:
            return await self.run(function, payload, **settings)
        finally:
            give_back()
