"""Event streams (`application/vnd.amazon.eventstream`): an answer that is a series of framed events.

A frame: its length, the length of its headers, a CRC of these two, the headers, the payload, a CRC of all before.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from cumulet.kernel.errors import AwsError
from cumulet.wire import json_body
from cumulet.wire.shapes import Shape
from cumulet.wire.typed import STRINGS

if TYPE_CHECKING:
    from cumulet.wire.service import WireService

CONTENT_TYPE = b"application/vnd.amazon.eventstream"
STRING = 7
"""The type of a header whose value is text; all of ours are."""
PRELUDE_BYTES, CRC_BYTES = 12, 4

Payload = Callable[[Mapping[str, Any]], tuple[str, bytes]]


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one frame."""
    encoded = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", STRING, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", PRELUDE_BYTES + len(encoded) + len(payload) + CRC_BYTES, len(encoded))
    content = prelude + struct.pack(">I", zlib.crc32(prelude)) + encoded + payload
    return content + struct.pack(">I", zlib.crc32(content))


class EventWriter:
    """Writes the events of one event stream shape."""

    def __init__(self, service: WireService, shape: Shape) -> None:
        self._events = {name: _payload_of(service, event) for name, event in shape.members.items()}

    def write(self, event: Mapping[str, Any]) -> bytes:
        """Return the frame of an event: its name and its members."""
        [(name, value)] = event.items()
        content_type, payload = self._events[name](value)
        headers = {":event-type": name, ":content-type": content_type, ":message-type": "event"}
        return frame(headers, payload)

    async def frames(self, events: AsyncIterator[Mapping[str, Any]]) -> AsyncGenerator[bytes, None]:
        """Return the frames of events as they come; an AwsError ends them with the frame of an exception."""
        try:
            async for event in events:
                yield self.write(event)
        except AwsError as error:
            name = type(error).__name__
            headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
            yield frame(headers, json_body.dumps({"message": error.message}))


def _payload_of(service: WireService, event: Shape) -> Payload:
    """Return what writes the payload of an event: one member that is marked so, or all as JSON."""
    for name, member in event.members.items():
        if member.traits.get("eventpayload"):
            content_type = "text/plain" if member.type_name in STRINGS else "application/octet-stream"
            return lambda value: (content_type, _bytes(value.get(name)))
    write = json_body.encoder(service, event.members)
    return lambda value: ("application/json", write(value))


def _bytes(value: Any) -> bytes:
    return b"" if value is None else value.encode() if isinstance(value, str) else bytes(value)
