"""Where the keywords are in one payload; each identifier's are looked up once."""

from cumulet.protection.documents import Value
from cumulet.protection.keywords import Keywords, Places, Words


class Surroundings:
    """What stands near the values of a payload: the payload around them, and the names that lead to them."""

    __slots__ = ("_inside", "_names", "_places", "_words")

    def __init__(self, words: Words) -> None:
        """The words around the values."""
        self._words = words
        self._places: dict[Keywords, Places] = {}
        self._names: dict[tuple[Keywords, str], bool] = {}
        self._inside: dict[tuple[Keywords, Value], Places] = {}

    def support(self, keywords: Keywords, value: Value, start: int, end: int) -> bool:
        """Whether a keyword stands near a part of the value's content, or in the names that lead to the value."""
        return (
            (value.names != "" and self._are_named(keywords, value.names))
            or self._around(keywords).near(value.position(start), value.position(end))
            or (value.is_escaped and self._within(keywords, value).near(start, end))
        )

    def _are_named(self, keywords: Keywords, names: str) -> bool:
        known = self._names.get((keywords, names))
        if known is None:
            known = self._names[keywords, names] = keywords.within(Words(names))
        return known

    def _around(self, keywords: Keywords) -> Places:
        places = self._places.get(keywords)
        if places is None:
            places = self._places[keywords] = keywords.places(self._words)
        return places

    def _within(self, keywords: Keywords, value: Value) -> Places:
        places = self._inside.get((keywords, value))
        if places is None:
            places = self._inside[keywords, value] = keywords.places(Words(value.content))
        return places
