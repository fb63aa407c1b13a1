"""The match expressions of patterns: `{"prefix": "a"}` and its like, with EventBridge's words for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from cumulet.patterns import conditions, wildcards
from cumulet.patterns.addresses import AddressError, address, block
from cumulet.patterns.conditions import MICRO, MOST_NUMBER, Condition
from cumulet.patterns.errors import PatternError
from cumulet.patterns.json_reader import JsonReader, Token

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE_KEY = "Only one key allowed in match expression"
TOO_MANY = "Too many elements in numeric expression"
TOO_COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard "
    "character"
)
LONG_NUMBER = 40
OUT_OF_RANGE = "Value must be between -5.0E9 and 5.0E9, inclusive"


class Expressions:
    """Reads the expressions of a field's list."""

    def __init__(self, reader: JsonReader, path: str) -> None:
        self._reader = reader
        self._path = path
        self._kinds: dict[str, Callable[[], Condition]] = {
            "exactly": self._exactly,
            "prefix": self._prefix,
            "suffix": self._suffix,
            "numeric": self._numeric,
            "anything-but": self._anything_but,
            "exists": self._exists,
            "cidr": self._cidr,
            "equals-ignore-case": self._ignoring_case,
            "wildcard": self._wildcard,
        }

    def scalar(self, token: Token) -> Condition:
        """Return the condition that a string, number, true, false or null means."""
        if token is Token.STRING:
            text = self._reader.text()
            found = address(text)
            return conditions.Exactly(text) if found is None else conditions.Addresses(found, found)
        if token is Token.NUMBER:
            return conditions.Number(number(self._reader.text()))
        return conditions.Constant({Token.TRUE: True, Token.FALSE: False, Token.NULL: None}[token])

    def expression(self) -> Condition:
        """Read an object that has just begun."""
        if self._reader.next() is not Token.NAME:
            self._refuse("Match expression name not found")
        kind = self._kinds.get(self._reader.name)
        if kind is None:
            self._refuse(f"Unrecognized match type {self._reader.name}")
        return kind()

    def _exactly(self) -> Condition:
        condition = conditions.Exactly(self._string("exact match pattern must be a string"))
        self._end(ONE_KEY)
        return condition

    def _prefix(self) -> Condition:
        token = self._reader.next()
        if token is Token.OBJECT:
            return conditions.Prefix(self._ignoring_case_inside("prefix"), ignores_case=True)
        condition = conditions.Prefix(self._text(token, "prefix match pattern must be a string"))
        self._end(ONE_KEY)
        return condition

    def _suffix(self) -> Condition:
        token = self._reader.next()
        if token is Token.OBJECT:
            return conditions.Suffix(self._ignoring_case_inside("suffix"), ignores_case=True)
        condition = conditions.Suffix(self._text(token, "suffix match pattern must be a string"))
        self._end(ONE_KEY)
        return condition

    def _ignoring_case_inside(self, kind: str) -> str:
        if self._reader.next() is not Token.NAME:
            self._refuse(f"{kind.capitalize()} expression name not found")
        if self._reader.name != "equals-ignore-case":
            self._refuse(f"Unsupported {kind} pattern: {self._reader.name}")
        text = self._string("equals-ignore-case match pattern must be a string")
        self._end(ONE_KEY)
        self._end(ONE_KEY)
        return conditions.folded(text)

    def _ignoring_case(self) -> Condition:
        text = self._string("equals-ignore-case match pattern must be a string")
        self._end(ONE_KEY)
        return conditions.IgnoringCase(conditions.folded(text))

    def _wildcard(self) -> Condition:
        condition = self._wildcard_of(self._string("wildcard match pattern must be a string"))
        self._end(ONE_KEY)
        return condition

    def _wildcard_of(self, text: str) -> Condition:
        try:
            parts = wildcards.parse(text)
        except wildcards.WildcardError as error:
            self._refuse(str(error))
        if wildcards.is_too_complex(parts):
            raise PatternError(TOO_COMPLEX, self._path)
        return conditions.Wildcard(parts)

    def _cidr(self) -> Condition:
        text = self._string("prefix match pattern must be a string")  # AWS's own words
        try:
            first, last = block(text)
        except AddressError as error:
            raise PatternError(str(error), self._path) from None
        self._end(ONE_KEY)
        return conditions.Addresses(first, last)

    def _exists(self) -> Condition:
        token = self._reader.next()
        if token not in (Token.TRUE, Token.FALSE):
            self._refuse("exists match pattern must be either true or false.")
        self._end(ONE_KEY)
        return conditions.Exists() if token is Token.TRUE else conditions.Missing()

    def _numeric(self) -> Condition:
        if self._reader.next() is not Token.ARRAY:
            self._refuse("Value of numeric must be an array.")
        condition = self._range()
        self._end(TOO_MANY)
        return condition

    def _range(self) -> Condition:
        token = self._reader.next()
        if token is not Token.STRING:
            self._refuse(f"Invalid member in numeric match: {self._shown(token)}")
        operator = self._reader.text()
        if operator not in ("=", "<", "<=", ">", ">="):
            self._reader.next()
            self._refuse(f"Unrecognized numeric range operator: {operator}")
        value = self._micros("equals" if operator == "=" else operator)
        token = self._reader.next()
        if token is not Token.END_ARRAY and operator in (">", ">="):
            return self._both_ends(token, value, is_bottom_open=operator == ">")
        if token is not Token.END_ARRAY:
            self._refuse(TOO_MANY)
        bottom = value if operator in ("=", ">", ">=") else -MOST_NUMBER * MICRO
        top = value if operator in ("=", "<", "<=") else MOST_NUMBER * MICRO
        return conditions.Range(bottom, operator == ">", top, operator == "<")

    def _both_ends(self, token: Token, bottom: int, *, is_bottom_open: bool) -> Condition:
        if token is not Token.STRING:
            self._refuse(f"Bad value in numeric range: {self._shown(token)}")
        operator = self._reader.text()
        if operator not in ("<", "<="):
            self._refuse(f"Bad numeric range operator: {operator}")
        top = self._micros(operator)
        if self._reader.next() is not Token.END_ARRAY:
            self._refuse("Too many terms in numeric range expression")
        if bottom >= top:
            self._refuse("Bottom must be less than top")
        return conditions.Range(bottom, is_bottom_open, top, operator == "<")

    def _micros(self, operator: str) -> int:
        if self._reader.next() is not Token.NUMBER:
            self._refuse(f"Value of {operator} must be numeric")
        value = conditions.micros(number(self._reader.text()))
        if value is None:
            self._refuse(OUT_OF_RANGE)
        return value

    def _anything_but(self) -> Condition:
        token = self._reader.next()
        kind = None
        if token is Token.OBJECT:
            if self._reader.next() is not Token.NAME:
                self._refuse("Anything-But expression name not found")
            kind = self._reader.name
            if kind not in _BUT:
                self._refuse(f"Unsupported anything-but pattern: {kind}")
            token = self._reader.next()
        if token not in (Token.ARRAY, Token.STRING, Token.NUMBER):
            self._refuse("Value of anything-but must be an array or single string/number value.")
        if kind is None:
            found = self._but_values() if token is Token.ARRAY else [self._but_value(token)]
        elif token is Token.ARRAY:
            with self._told_twice():
                found = []
                while (token := self._reader.next()) is not Token.END_ARRAY:
                    found.append(self._but(kind, token))
        else:
            found = [self._but(kind, token)]
        self._end(TOO_MANY)
        if kind is not None:
            self._end(TOO_MANY)
        return conditions.AnythingBut(tuple(found))

    def _but(self, kind: str, token: Token) -> Condition:
        text = self._text(token, _BUT[kind])
        if kind == "equals-ignore-case":
            return conditions.IgnoringCase(conditions.folded(text))
        if kind == "wildcard":
            return self._wildcard_of(text)
        if not text:
            self._refuse("Null prefix/suffix not allowed")
        return conditions.Prefix(text) if kind == "prefix" else conditions.Suffix(text)

    def _but_values(self) -> list[Condition]:
        found: list[Condition] = []
        with self._told_twice():
            while (token := self._reader.next()) is not Token.END_ARRAY:
                if token not in (Token.STRING, Token.NUMBER):
                    self._refuse("Inside anything but list, start|null|boolean is not supported.")
                found.append(self._but_value(token))
        if len({type(condition) for condition in found}) != 1:
            self._refuse(
                "Inside anything but list, either all values are number or string, mixed type is not supported"
            )
        return found

    def _but_value(self, token: Token) -> Condition:
        if token is Token.STRING:
            return conditions.Exactly(self._reader.text())
        value = number(self._reader.text())
        if conditions.micros(value) is None:
            raise PatternError(OUT_OF_RANGE, self._path)
        return conditions.Number(value)

    @contextmanager
    def _told_twice(self) -> Iterator[None]:
        """EventBridge tells the place once more for what is wrong inside a list of anything-but."""
        try:
            yield
        except PatternError as error:
            self._refuse(error.reason)

    def _string(self, otherwise: str) -> str:
        return self._text(self._reader.next(), otherwise)

    def _text(self, token: Token, otherwise: str) -> str:
        if token is not Token.STRING:
            self._refuse(otherwise)
        return self._reader.text()

    def _shown(self, token: Token) -> str:
        return self._reader.text() if token in (Token.STRING, Token.NUMBER) else token.value

    def _end(self, otherwise: str) -> None:
        if self._reader.next() is not Token.END_OBJECT:
            self._refuse(otherwise)

    def _refuse(self, message: str) -> NoReturn:
        self._reader.refuse(message, self._path)


_BUT = {
    "equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
    "prefix": "prefix/suffix match pattern must be a string",
    "suffix": "prefix/suffix match pattern must be a string",
    "wildcard": "wildcard match pattern must be a string",
}
"""What anything-but can be applied to, and what is said when its values are no strings."""


def number(text: str) -> int | float:
    """Return a JSON number; one without point or exponent is an integer, if it is not very long."""
    return int(text) if len(text) < LONG_NUMBER and text.lstrip("-").isdecimal() else float(text)
