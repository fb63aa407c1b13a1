"""Conditions: what must hold of a request, by IAM's operators.

IAM: all keys must hold, of a key's values one; of those of a negated operator none may fit. A key that the request does
not have fails, unless the operator is negated, ends in IfExists, or is qualified by ForAllValues.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

from cumulet.policies.asker import Facts
from cumulet.policies.texts import Text

Test = Callable[[Text, str, Facts], bool]
OPERATOR = re.compile(r"(?:for(all|any)values?:)?([a-z]+?)(ifexists)?", re.IGNORECASE)


class Condition(NamedTuple):
    """One key of one operator."""

    test: Test
    is_negated: bool
    key: str
    """In lower case."""
    wanted: tuple[Text, ...]
    of_values: str | None
    """`all` or `any` where a set operator says which of the request's values must hold."""
    holds_without: bool
    """IfExists: it holds where the request does not have the key."""

    def holds(self, facts: Facts) -> bool:
        """Return whether it holds of a request."""
        given = facts.get(self.key)
        if self.test is _is_absent:
            return any(_is_absent(wanted, "false" if given is not None else "true", facts) for wanted in self.wanted)
        if given is None:
            return self.holds_without or self.of_values == "all" or (self.is_negated and self.of_values is None)
        values = (given,) if isinstance(given, str) else given
        fits = [any(self.test(wanted, value, facts) for wanted in self.wanted) != self.is_negated for value in values]
        if self.of_values is None:
            return all(fits) if self.is_negated else any(fits)
        return all(fits) if self.of_values == "all" else any(fits)


def condition(operator: str, key: str, wanted: tuple[Text, ...]) -> Condition | None:
    """Return a condition, None for an operator that there is not."""
    found = OPERATOR.fullmatch(operator)
    known = TESTS.get(found[2].lower()) if found else None
    if found is None or known is None or (known.test is _is_absent and (found[1] or found[3])):
        return None
    of_values = found[1].lower() if found[1] else None
    return Condition(known.test, known.is_negated, key.lower(), wanted, of_values, found[3] is not None)


class _Operator(NamedTuple):
    test: Test
    is_negated: bool = False


def _is_absent(wanted: Text, given: str, facts: Facts) -> bool:
    return (wanted.plain(facts) or "").lower() == given


def _ignoring_case(wanted: Text, given: str, facts: Facts) -> bool:
    text = wanted.plain(facts)
    return text is not None and text.casefold() == given.casefold()


def _is_number(compare: Callable[[Decimal, Decimal], bool]) -> Test:
    def test(wanted: Text, given: str, facts: Facts) -> bool:
        left, right = _number(given), _number(wanted.plain(facts))
        return left is not None and right is not None and compare(left, right)

    return test


def _is_date(compare: Callable[[Decimal, Decimal], bool]) -> Test:
    def test(wanted: Text, given: str, facts: Facts) -> bool:
        left, right = _seconds(given), _seconds(wanted.plain(facts))
        return left is not None and right is not None and compare(left, right)

    return test


def _is_binary(wanted: Text, given: str, facts: Facts) -> bool:
    text = wanted.plain(facts)
    try:
        return text is not None and base64.b64decode(text, validate=True) == base64.b64decode(given, validate=True)
    except ValueError:
        return False


def _is_in_network(wanted: Text, given: str, facts: Facts) -> bool:
    network = _network(wanted.plain(facts) or "")
    try:
        return network is not None and ipaddress.ip_address(given) in network
    except ValueError:
        return False


@lru_cache(maxsize=256)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _number(text: str | None) -> Decimal | None:
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _seconds(text: str | None) -> Decimal | None:
    """Return a date of ISO 8601, or seconds since 1970, as seconds; without a zone it is UTC."""
    number = _number(text)
    if number is not None or text is None:
        return number
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Decimal((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _comparisons(name: str, kind: Callable[[Callable[[Decimal, Decimal], bool]], Test]) -> Mapping[str, _Operator]:
    is_equal = kind(lambda given, wanted: given == wanted)
    return {
        f"{name}equals": _Operator(is_equal),
        f"{name}notequals": _Operator(is_equal, True),
        f"{name}lessthan": _Operator(kind(lambda given, wanted: given < wanted)),
        f"{name}lessthanequals": _Operator(kind(lambda given, wanted: given <= wanted)),
        f"{name}greaterthan": _Operator(kind(lambda given, wanted: given > wanted)),
        f"{name}greaterthanequals": _Operator(kind(lambda given, wanted: given >= wanted)),
    }


TESTS: Mapping[str, _Operator] = {
    "stringequals": _Operator(Text.equals),
    "stringnotequals": _Operator(Text.equals, True),
    "stringequalsignorecase": _Operator(_ignoring_case),
    "stringnotequalsignorecase": _Operator(_ignoring_case, True),
    "stringlike": _Operator(Text.is_like),
    "stringnotlike": _Operator(Text.is_like, True),
    "arnequals": _Operator(Text.is_like_arn),  # IAM: the same as ArnLike
    "arnlike": _Operator(Text.is_like_arn),
    "arnnotequals": _Operator(Text.is_like_arn, True),
    "arnnotlike": _Operator(Text.is_like_arn, True),
    "bool": _Operator(_ignoring_case),
    "binaryequals": _Operator(_is_binary),
    "ipaddress": _Operator(_is_in_network),
    "notipaddress": _Operator(_is_in_network, True),
    "null": _Operator(_is_absent),
    **_comparisons("numeric", _is_number),
    **_comparisons("date", _is_date),
}
"""By the operator's name in lower case."""
