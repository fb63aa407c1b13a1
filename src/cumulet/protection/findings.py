"""What was found in a payload, and the payload without it."""

import json
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from cumulet.protection.documents import Place, unescaped

_NUMBER = re.compile(r"[-+.0-9eE]*")


class Finding(NamedTuple):
    """Data of one kind: the characters from `start` up to `end` of the payload as it was given."""

    start: int
    end: int
    identifier: str
    place: Place


def mask(text: str, findings: Iterable[Finding], character: str) -> str:
    """The payload with each found character replaced by the given one.

    What is JSON stays JSON, and stays as it was elsewhere: a number that is masked becomes a string, an escape counts
    as the character that it stands for.
    """

    def masked(found: str, place: Place) -> str:
        if place is Place.TEXT:
            return character * len(found)
        return json.dumps(character)[1:-1] * len(unescaped(found))

    return _replaced(text, findings, masked)


def redact(text: str, findings: Iterable[Finding]) -> str:
    """The payload without what was found; a JSON number that is redacted becomes a string of what is left."""
    return _replaced(text, findings, lambda found, place: "")


def _replaced(text: str, findings: Iterable[Finding], replacement: Callable[[str, Place], str]) -> str:
    pieces: list[str] = []
    position = 0
    number_end = 0
    for start, end, place in _merged(findings):
        if number_end and start >= number_end:
            pieces += (text[position:number_end], '"')
            position, number_end = number_end, 0
        if place is Place.NUMBER and not number_end:
            number_start, number_end = _number_around(text, position, start)
            pieces += (text[position:number_start], '"')
            position = number_start
        pieces += (text[position:start], replacement(text[start:end], place))
        position = end
    if number_end:
        pieces += (text[position:number_end], '"')
        position = number_end
    pieces.append(text[position:])
    return "".join(pieces)


def _merged(findings: Iterable[Finding]) -> list[tuple[int, int, Place]]:
    """The parts of the payload that are found, ascending and apart."""
    parts: list[tuple[int, int, Place]] = []
    for finding in sorted(findings):
        if parts and finding.start < parts[-1][1]:
            start, end, place = parts[-1]
            parts[-1] = (start, max(end, finding.end), place)
        else:
            parts.append((finding.start, finding.end, finding.place))
    return parts


def _number_around(text: str, floor: int, start: int) -> tuple[int, int]:
    """The bounds of the JSON number that a finding is part of."""
    while start > floor and text[start - 1] in "-+.0123456789eE":
        start -= 1
    match = _NUMBER.match(text, start)
    return start, match.end() if match else start
