"""FilterCriteria: which messages of a queue or records of a stream a function gets.

Lambda: a record must match one of the patterns. Its data (`body` of a queue's message, `data` of a Kinesis record) is
matched as JSON where a pattern looks into it, and as a string where a pattern asks for the whole; data of the other
kind does not match. Patterns that leave it alone are for the rest of the record.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from cumulet import patterns
from cumulet.services.lambda_.errors import invalid

FILTERS = 5
"""Lambda: so many filters of a mapping; a quota can make them more."""
INVALID = "Invalid filter pattern definition."


def check(texts: Sequence[str | None], most: int) -> tuple[str, ...]:
    """Return the patterns of a request; raises InvalidParameterValueException."""
    if len(texts) > most:
        # AWS documents that this is refused; its words are not known.
        raise invalid(f"Number of filters exceeds the limit of {most}.")
    for text in texts:
        try:
            patterns.compile(text or "")
        except patterns.PatternError:
            raise invalid(INVALID) from None
    return tuple(text for text in texts if text)


class _Filter:
    """One pattern, and what it asks of the data."""

    def __init__(self, text: str, data: str) -> None:
        self._pattern = patterns.compile(text)
        self._data = data
        paths = self._pattern.paths()
        wants_json = any(path.startswith(f"{data}.") for path in paths)
        wants_text = data in paths
        self._wanted: tuple[type, ...] = (object,)
        if wants_json != wants_text:
            self._wanted = (dict, list) if wants_json else (str,)

    def matches(self, event: Mapping[str, Any]) -> bool:
        return isinstance(event.get(self._data), self._wanted) and self._pattern.matches(event)


class Filters:
    """The filters of a mapping; without any everything matches."""

    def __init__(self, texts: Sequence[str], service: str) -> None:
        """`service` is that of the source's ARN."""
        data = "body" if service == "sqs" else "data"
        self._filters = [_Filter(text, data) for text in texts]

    def __bool__(self) -> bool:
        return bool(self._filters)

    def match(self, entry: Mapping[str, Any]) -> bool:
        """Return whether an entry of an event's Records is for the function."""
        if not self._filters:
            return True
        event: Mapping[str, Any] = entry
        if "kinesis" in entry:
            kinesis = entry["kinesis"]
            data = _parsed(b64decode(kinesis["data"]))
            event = {**entry, **kinesis, "data": data, "kinesis": {**kinesis, "data": data}}
        elif "body" in entry:
            event = {**entry, "body": _parsed(entry["body"])}
        return any(wanted.matches(event) for wanted in self._filters)


def _parsed(text: str | bytes) -> Any:
    """Return data that is an object or array, or else as a string."""
    try:
        parsed = orjson.loads(text)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict | list):
        return parsed
    return text if isinstance(text, str) else text.decode("utf-8", "replace")
