"""What was found in a payload, and the payload without it."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from cumulet.protection.documents import Kind, Place
from cumulet.protection.escapes import escaped, unescaped


class Finding(NamedTuple):
    """Data of one kind: the characters from `start` up to `end` of the payload as it was given."""

    start: int
    end: int
    identifier: str
    place: Place
    """The value that it is in."""


def mask(text: str, findings: Iterable[Finding], character: str) -> str:
    """The payload with each found character replaced by the given one.

    What is JSON stays JSON, and stays as it was elsewhere: a number that is masked becomes a string, an escape counts
    as the character that it stands for.
    """

    def masked(found: str, depth: int) -> str:
        for _ in range(depth):
            found = unescaped(found)
        return escaped(character, depth) * len(found)

    return _replaced(text, findings, masked)


def redact(text: str, findings: Iterable[Finding]) -> str:
    """The payload without what was found; a JSON number that is redacted becomes a string of what is left."""
    return _replaced(text, findings, lambda found, depth: "")


def _replaced(text: str, findings: Iterable[Finding], replacement: Callable[[str, int], str]) -> str:
    pieces: list[str] = []
    position = 0
    number: Place | None = None

    def copy(end: int, *then: str) -> None:
        nonlocal position
        pieces.append(text[position:end])
        pieces.extend(then)
        position = end

    for start, end, place in _merged(findings):
        if number and start >= number.end:
            copy(number.end, escaped('"', number.depth))
            number = None
        if place.kind is Kind.NUMBER and number is None:
            number = place
            copy(number.start, escaped('"', number.depth))
        # What is put into a number is in its new quotes.
        copy(start, replacement(text[start:end], place.depth + (place.kind is Kind.NUMBER)))
        position = end
    if number:
        copy(number.end, escaped('"', number.depth))
    pieces.append(text[position:])
    return "".join(pieces)


def _merged(findings: Iterable[Finding]) -> list[tuple[int, int, Place]]:
    """The parts of the payload that are found, ascending and apart."""
    parts: list[tuple[int, int, Place]] = []
    for finding in sorted(findings, key=lambda each: (each.start, each.end)):
        if parts and finding.start < parts[-1][1]:
            start, end, place = parts[-1]
            parts[-1] = (start, max(end, finding.end), place)
        else:
            parts.append((finding.start, finding.end, finding.place))
    return parts
