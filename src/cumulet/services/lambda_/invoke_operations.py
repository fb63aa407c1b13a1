"""Invoke: run a function and wait for its answer."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, cast

import orjson

from cumulet.compute import CannotRun
from cumulet.kernel.call import Call
from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.errors import InvalidRuntimeException, RequestTooLargeException, bad_content

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

MOST_PAYLOAD_BYTES = 6_291_456
"""Lambda: of a request whose answer is waited for."""
NO_PAYLOAD = b"{}"


class InvokeOperations(LambdaBase):
    """What runs functions."""

    async def invoke(self, call: Call, request: t.InvocationRequestTypeDef) -> dict[str, Any]:
        """Run a function and return its answer, or what became of it."""
        function = await self.function(call, request["FunctionName"], request.get("Qualifier"))
        payload = cast("bytes", request.get("Payload")) or NO_PAYLOAD
        if len(payload) > MOST_PAYLOAD_BYTES:
            raise RequestTooLargeException(
                f"Request must be smaller than {MOST_PAYLOAD_BYTES} bytes for the InvokeFunction operation"
            )
        check_json(payload)
        client_context = decoded_context(request.get("ClientContext"))
        kind = request.get("InvocationType", "RequestResponse")
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            raise NotImplementedFailure("Cumulet does not implement InvocationType=Event of Invoke yet.")
        give_back = self.concurrency.take(function)
        try:
            outcome = await self.run(
                function,
                payload,
                request_id=call.request_id,
                client_context=client_context,
                trace_header=call.trace_header,
            )
        except CannotRun as error:
            raise InvalidRuntimeException(str(error), Type="User") from None
        finally:
            give_back()
        return {
            "StatusCode": 200,
            "FunctionError": outcome.error,
            "ExecutedVersion": "$LATEST",
            "LogResult": base64.b64encode(outcome.log_tail).decode() if request.get("LogType") == "Tail" else None,
            "Payload": outcome.payload,
        }


def check_json(payload: bytes) -> None:
    """Raise InvalidRequestContentException for an event that is no JSON."""
    try:
        orjson.loads(payload)
    except ValueError as error:
        if _is_json_all_the_same(payload):
            return
        raise bad_content(
            f"Could not parse request body into json: Could not parse payload into json: {error}"
        ) from None


def _is_json_all_the_same(payload: bytes) -> bool:
    """Whether it is JSON with what orjson has no Python value for: half of a surrogate pair, a number like 1e400."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(payload.decode(), parse_constant=refuse, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def decoded_context(text: str | None) -> str | None:
    """Return the client context as JSON text; raises InvalidRequestContentException for one that is not."""
    if not text:
        return None
    try:
        context = base64.b64decode(text, validate=True)
        if isinstance(orjson.loads(context), dict):
            return context.decode()
    except (ValueError, binascii.Error):
        pass
    raise bad_content("Client context must be a valid Base64-encoded JSON object.")
