"""Events and client contexts as requests give them."""

from __future__ import annotations

import base64
import binascii
import json

import orjson

from cumulet.services.lambda_.errors import bad_content

MOST_CONTEXT_BYTES = 3583
"""Lambda: of a client context, as it is sent."""


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
    """Return the client context as JSON text; raises InvalidRequestContentException for one that is none, or long."""
    if not text:
        return None
    if len(text) > MOST_CONTEXT_BYTES:
        # AWS documents the limit; its words are not known.
        raise bad_content(f"Client context must have {MOST_CONTEXT_BYTES} bytes in base64 at most.")
    try:
        context = base64.b64decode(text, validate=True)
        if isinstance(orjson.loads(context), dict):
            return context.decode()
    except (ValueError, binascii.Error):
        pass
    raise bad_content("Client context must be a valid Base64-encoded JSON object.")
