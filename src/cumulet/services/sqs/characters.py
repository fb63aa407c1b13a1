"""Which characters SQS takes, in bodies and attribute values alike."""

from __future__ import annotations

import re

from cumulet.kernel.errors import AwsError

ASCII = bytes([0x09, 0x0A, 0x0D, *range(0x20, 0x80)])
FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def check_characters(text: str, data: bytes, error: type[AwsError]) -> None:
    """Raise `error` when `text` (`data` in UTF-8) has a character outside of XML 1.0's range."""
    if data.translate(None, ASCII) if text.isascii() else FORBIDDEN.search(text):
        raise error(
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
            "#xE000 to #xFFFD | #x10000 to #x10FFFF"
        )
