"""The values of one payload as one text, so that a pattern is looked for once and not once per value."""

from bisect import bisect_right

from cumulet.protection.documents import Value
from cumulet.protection.offsets import characters

# No managed pattern matches it, so that no match spans two values.
_BETWEEN = "\0"


class Contents:
    """The contents of the values, one after the other, in UTF-8."""

    __slots__ = ("_apart", "_length", "_starts", "encoded", "values")

    def __init__(self, values: list[Value]) -> None:
        self.values = values
        self._apart: list[Contents] | None = None
        joined = _BETWEEN.join(value.content for value in values)
        self.encoded = joined.encode("utf-8", "surrogatepass")
        self._length = len(joined)
        self._starts = []
        start = 0
        for value in values:
            self._starts.append(start)
            start += len(value.content) + 1

    def spans(self, spans: list[tuple[int, int]]) -> list[tuple[Value, int, int]]:
        """Parts of `encoded`, as characters of the values that they are in; those apart and ascending."""
        if not spans:
            return []
        edges = [edge for span in spans for edge in span]
        found = characters(self.encoded, self._length, edges)
        return [self._in_value(start, end) for start, end in zip(found[::2], found[1::2], strict=True)]

    def are_crossed(self, spans: list[tuple[int, int]]) -> bool:
        """Whether one of the parts has something of two values in it."""
        return any(self.encoded.find(b"\0", start, end) >= 0 for start, end in spans)

    def apart(self) -> "list[Contents]":
        """Each value for itself."""
        if self._apart is None:
            self._apart = [Contents([value]) for value in self.values]
        return self._apart

    def _in_value(self, start: int, end: int) -> tuple[Value, int, int]:
        index = bisect_right(self._starts, start) - 1
        first = self._starts[index]
        return self.values[index], start - first, end - first
