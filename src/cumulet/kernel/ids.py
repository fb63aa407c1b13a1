"""Ids and randomness, from one source that a seed makes repeatable."""

from __future__ import annotations

import os
import random

_RANDOM_BITS = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF
_VERSION_4 = 0x00000000_0000_4000_8000_000000000000


class Ids:
    """A source of ids. Without a seed it starts from the machine's entropy; never use it for secrets."""

    def __init__(self, seed: int | None = None) -> None:
        self.random = random.Random(seed)
        self._bits = self.random.getrandbits

    def uuid(self) -> str:
        """Return a random UUID (version 4) in its usual form."""
        text = ((self._bits(128) & _RANDOM_BITS) | _VERSION_4).to_bytes(16, "big").hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def token(self) -> int:
        """Return a random number of 62 bits, which fits a BIGINT column."""
        return self._bits(62)


def secret(length_bytes: int) -> bytes:
    """Return bytes that nobody can guess, for keys; never repeatable."""
    return os.urandom(length_bytes)
