"""Phone numbers as SNS takes them: E.164."""

from __future__ import annotations

import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def is_phone_number(text: str) -> bool:
    """Is it a plus sign, the country and the number, 7 to 15 digits?"""
    return _E164.fullmatch(text) is not None
