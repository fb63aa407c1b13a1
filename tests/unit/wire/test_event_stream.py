"""Event streams, read by botocore's own parser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from botocore.eventstream import EventStreamBuffer

from cumulet.kernel.errors import AwsError
from cumulet.wire.http import HttpResponse
from cumulet.wire.service import load


class TooManyRequestsException(AwsError):
    status = 429


async def of(*events: Mapping[str, Any]) -> AsyncGenerator[Mapping[str, Any], None]:
    for event in events:
        yield event


def frames(response: HttpResponse) -> list[tuple[dict[str, str], bytes]]:
    """What a client reads of a response, byte by byte as a slow network brings it."""

    async def gather() -> bytes:
        assert response.stream is not None
        return b"".join([piece async for piece in response.stream])

    buffer = EventStreamBuffer()
    found = []
    for byte in asyncio.run(gather()):
        buffer.add_data(bytes([byte]))
        found += [(message.headers, message.payload) for message in buffer]
    return found


def encoded(events: AsyncGenerator[Mapping[str, Any], None]) -> HttpResponse:
    operation = load("lambda").operation("InvokeWithResponseStream")
    return operation.encode("rest-json", {"StatusCode": 200, "ExecutedVersion": "3", "EventStream": events}, "id")


def test_events_become_frames_with_their_payload_or_their_members() -> None:
    response = encoded(of({"PayloadChunk": {"Payload": b"\x00one"}}, {"InvokeComplete": {"ErrorCode": "Unhandled"}}))

    assert (b"content-type", b"application/vnd.amazon.eventstream") in response.headers
    assert (b"x-amz-executed-version", b"3") in response.headers
    assert frames(response) == [
        (
            {
                ":event-type": "PayloadChunk",
                ":content-type": "application/octet-stream",
                ":message-type": "event",
            },
            b"\x00one",
        ),
        (
            {":event-type": "InvokeComplete", ":content-type": "application/json", ":message-type": "event"},
            b'{"ErrorCode":"Unhandled"}',
        ),
    ]


def test_error_in_the_middle_is_the_last_frame() -> None:
    async def failing() -> AsyncGenerator[Mapping[str, Any], None]:
        yield {"PayloadChunk": {"Payload": b""}}
        raise TooManyRequestsException("Rate Exceeded.")

    [_, (headers, payload)] = frames(encoded(failing()))

    assert headers[":message-type"] == "exception"
    assert headers[":exception-type"] == "TooManyRequestsException"
    assert payload == b'{"message":"Rate Exceeded."}'
