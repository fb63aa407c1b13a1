"""Scalars written as text: query parameters, headers, parts of a path."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cumulet.kernel.errors import AwsError
from cumulet.wire import lenient, timestamps
from cumulet.wire.shapes import Shape
from cumulet.wire.typed import FLOATS, INT_RANGES

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
BOOLEANS = {"true": True, "false": False}

Parse = Callable[[str], Any]


def parser(shape: Shape, refusal: type[AwsError]) -> Parse:
    """Return what makes a value of a text; it raises `refusal` when the text is none."""
    kind: str = shape.type_name

    def refuse(text: str) -> AwsError:
        token = "STRING_VALUE" if text else "EMPTY_VALUE"
        return refusal(lenient.WRONG_TOKEN.format(token=token, target=lenient.TARGETS[kind]))

    def integer(text: str) -> int:
        lowest, highest = INT_RANGES[kind]
        if _INTEGER.fullmatch(text) is None or not lowest <= int(text) <= highest:
            raise refuse(text)
        return int(text)

    def floating(text: str) -> float:
        if text in lenient.SPECIAL_FLOATS:
            return lenient.SPECIAL_FLOATS[text]
        if _FLOAT.fullmatch(text) is None:
            raise refuse(text)
        return float(text)

    def boolean(text: str) -> bool:
        if text.lower() not in BOOLEANS:
            raise refuse(text)
        return BOOLEANS[text.lower()]

    def blob(text: str) -> bytes:
        try:
            return lenient.decode_base64(text)
        except AwsError as error:
            raise refusal(error.message) from None

    def timestamp(text: str) -> Any:
        try:
            return timestamps.parse(text)
        except timestamps.InvalidTimestamp:
            raise refuse(text) from None

    parsers: dict[str, Parse] = {"boolean": boolean, "blob": blob, "timestamp": timestamp}
    parsers.update(dict.fromkeys(INT_RANGES, integer))
    parsers.update(dict.fromkeys(FLOATS, floating))
    return parsers.get(kind, str)
