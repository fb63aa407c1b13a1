"""JSON bodies: decoding in C with a slow path behind it, encoding with orjson.

Decoding: msgspec reads and validates; what it refuses is read again by `lenient`, as AWS's servers read it, and
checked by `constraints`. Encoding: orjson writes the result as it is. Blobs and datetimes reach it through its
`default` hook. Only results that need more than that (a member's other name, another timestamp format, a null to
drop, a NaN to spell) are converted first.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from cumulet.kernel.errors import SerializationException
from cumulet.wire import lenient, timestamps
from cumulet.wire.json_values import Finishers, WireForms
from cumulet.wire.model import nests_without_bound
from cumulet.wire.shapes import Shape

if TYPE_CHECKING:
    from cumulet.wire.service import WireService

# orjson writes 254 levels. What could never be answered again is refused when it is read.
MAX_DEPTH = 250
TOO_DEEP = "Request body is nested too deeply"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
REFUSED = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)

FastDecode = Callable[[bytes], dict[str, Any]]


def fast_decoder(
    service: WireService, name: str, members: Mapping[str, Shape], required: tuple[str, ...]
) -> FastDecode:
    """Return what decodes a body that is as the model says; raises one of `REFUSED` for every other."""
    decode: FastDecode = msgspec.json.Decoder(service.types.structure(name, members, required)).decode
    finish = service.shared(Finishers).of(members)
    if any(nests_without_bound(shape) for shape in members.values()):
        decode = _shallow(decode)
    if finish is None:
        return decode

    def decode_and_finish(body: bytes) -> dict[str, Any]:
        finished: dict[str, Any] = finish(decode(body))
        return finished

    return decode_and_finish


def _shallow(decode: FastDecode) -> FastDecode:
    def decode_shallow(body: bytes) -> dict[str, Any]:
        value = decode(body)
        refuse_depth(body, value)
        return value

    return decode_shallow


def refuse_depth(body: bytes, value: Any) -> None:
    """Raise SerializationException for a value that is nested deeper than `MAX_DEPTH`."""
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise SerializationException(TOO_DEEP)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
    return depth


def slow_decode(members: Mapping[str, Shape], body: bytes) -> dict[str, Any]:
    """Return the members of a body that msgspec refused, constraints unchecked; SerializationException if it can't."""
    value = parse(body)
    try:
        refuse_depth(body, value)
        return lenient.read_members(members, value)
    except RecursionError:
        raise SerializationException(TOO_DEEP) from None


def parse(body: bytes) -> Any:
    """Return any JSON; an empty body is an empty object. SerializationException when malformed or too deep."""
    body = body.removeprefix(BYTE_ORDER_MARK)
    if not body.strip():
        return {}
    try:
        return orjson.loads(body)
    except ValueError:
        raise SerializationException from None


def encoder(service: WireService, members: Mapping[str, Shape]) -> Callable[[Mapping[str, Any]], bytes]:
    """Return what writes a structure's members as JSON; members that are None are left out."""
    forms = service.shared(WireForms)
    to_wire = forms.members(members)
    if forms.is_needed(members):
        return lambda value: dumps(to_wire(value))

    def encode(value: Mapping[str, Any]) -> bytes:
        body = dumps(value)
        # orjson writes None and NaN as null: only then is a conversion needed.
        return dumps(to_wire(value)) if b"null" in body else body

    return encode


def dumps(value: Any) -> bytes:
    """Return JSON; blobs as base64, datetimes as seconds since 1970."""
    return orjson.dumps(value, _default, orjson.OPT_PASSTHROUGH_DATETIME)


def _default(value: Any) -> Any:
    if isinstance(value, datetime):
        return timestamps.epoch(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} is no JSON value")
