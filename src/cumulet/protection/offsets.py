"""Byte offsets into UTF-8, as indexes of characters."""

from collections.abc import Iterable


def characters(encoded: bytes, length: int, offsets: Iterable[int]) -> list[int]:
    """The index of the character at each byte offset; linear in the text.

    `offsets` ascend and fall between characters; `length` is that of the text in characters.
    """
    if length == len(encoded):
        return list(offsets)
    indexes = []
    at = index = 0
    for offset in offsets:
        index += len(encoded[at:offset].decode("utf-8", "surrogatepass"))
        at = offset
        indexes.append(index)
    return indexes
