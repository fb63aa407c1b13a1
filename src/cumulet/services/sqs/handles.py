"""Receipt handles: opaque texts that name one receive of one message."""

from __future__ import annotations

import binascii
import struct
from typing import NamedTuple

from cumulet.kernel.errors import AwsError
from cumulet.services.sqs.errors import ReceiptHandleIsInvalid, invalid_value

LAYOUT = struct.Struct(">3sQQQ")
MARK = b"\x01\x01\x01"
"""Makes a handle begin with AQEB, as AWS's do."""
CHECK_BYTES = 3


class HandleExpired(Exception):
    """The visibility timeout of the receive that a handle names has passed, or another receive came after it."""


class Handle(NamedTuple):
    """What a receipt handle says."""

    message_number: int
    receipt: int
    text: str


def encode(queue_id: int, message_number: int, receipt: int) -> str:
    """Return the receipt handle of one message of one receive."""
    content = LAYOUT.pack(MARK, queue_id, message_number, receipt)
    return binascii.b2a_base64(content + _check(content), newline=False).decode()


def decode(text: str, queue_id: int) -> Handle:
    """Return what a handle of this queue says; raises ReceiptHandleIsInvalid for anything else."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
        content, check = data[: LAYOUT.size], data[LAYOUT.size :]
        mark, handle_queue_id, message_number, receipt = LAYOUT.unpack(content)
    except (ValueError, struct.error):
        raise _invalid(text) from None
    if mark != MARK or check != _check(content):
        raise _invalid(text)
    if handle_queue_id != queue_id:
        raise ReceiptHandleIsInvalid(f'The receipt handle "{text}" is not valid for this queue.')
    return Handle(message_number, receipt, text)


def expired(handle: Handle) -> AwsError:
    """Return the error for a handle that has expired; a batch words it otherwise."""
    return invalid_value(handle.text, "ReceiptHandle", "The receipt handle has expired.")


def _check(content: bytes) -> bytes:
    return binascii.crc32(content).to_bytes(4, "big")[:CHECK_BYTES]


def _invalid(text: str) -> AwsError:
    return ReceiptHandleIsInvalid(f'The input receipt handle "{text}" is not a valid receipt handle.')
