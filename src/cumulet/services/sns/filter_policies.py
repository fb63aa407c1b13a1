"""Filter policies: which messages of a topic a subscription gets.

The language is that of `cumulet.patterns`, with SNS's differences:
- no `wildcard` and no `exactly`; `anything-but` takes values, `prefix` or `suffix`;
- numbers are between -1.0e9 and 1.0e9 (SNS compares five digits behind the point, we six);
- five keys at most (names of attributes; in the body only those at the top), and 150 combinations: the numbers of
  values, each times the depth of its key, multiplied, and added up over the alternatives of `$or`.
In the scope MessageAttributes a policy isn't nested; attributes of type String, Number and String.Array (each element
is a value) are compared, Binary ones are as if not there; a message without attributes matches nothing. In the scope
MessageBody a body that is no object of JSON matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from cumulet import patterns
from cumulet.patterns import Pattern, PatternError
from cumulet.patterns.json_reader import JsonReader, Token
from cumulet.services.sns.messages import MessageAttribute
from cumulet.services.sns.subscriptions import Subscription

ATTRIBUTES = "MessageAttributes"
BODY = "MessageBody"
OR = "$or"
MOST_KEYS = 5
MOST_COMBINATIONS = 150
MOST_BYTES = 256 * 1024
MOST_NUMBER = 1_000_000_000
KINDS = frozenset({"prefix", "suffix", "numeric", "anything-but", "exists", "cidr", "equals-ignore-case"})
_SOURCE = re.compile(r"\[Source: \(String\).*; (line: [0-9]+, column: [0-9]+\])", re.DOTALL)
_REDACTED = r"[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); \1"


class RefusedAttribute(ValueError):
    """A subscription's attribute that is refused; the message is what SNS says behind "Invalid parameter: "."""


class Filter(msgspec.Struct, frozen=True):
    """A compiled filter policy."""

    pattern: Pattern
    is_of_body: bool

    def matches(self, attributes: Mapping[str, MessageAttribute], body: str) -> bool:
        """Return whether a message with these attributes and this body is let through."""
        event = body_event(body) if self.is_of_body else attribute_event(attributes)
        return event is not None and self.pattern.matches(event)


def of(subscription: Subscription) -> Filter | None:
    """Return a subscription's filter, or None when it gets every message."""
    text = subscription.attributes.get("FilterPolicy")
    return compile(text, subscription.attributes.get("FilterPolicyScope", ATTRIBUTES)) if text else None


def compile(text: str, scope: str) -> Filter:
    """Compile a filter policy that was checked."""
    return Filter(patterns.compile(text), is_of_body=scope == BODY)


def check(text: str, scope: str) -> None:
    """Raise RefusedAttribute for a policy that SNS refuses in this scope (MessageAttributes or MessageBody)."""
    policy = _json(text, "FilterPolicy")
    if len(text.encode()) > MOST_BYTES:
        raise RefusedAttribute("FilterPolicy: Filter policy is too large")
    try:
        _check_language(text)
        patterns.compile(text)
    except PatternError as error:
        raise RefusedAttribute(f"FilterPolicy: {error.reason}") from None
    if scope != BODY and _is_nested(policy):
        raise RefusedAttribute("Filter policy scope MessageAttributes does not support nested filter policy")
    if len(_keys(policy)) > MOST_KEYS:
        raise RefusedAttribute(f"FilterPolicy: Filter policy can not have more than {MOST_KEYS} keys")
    if _combinations(policy, 1) > MOST_COMBINATIONS:
        raise RefusedAttribute("FilterPolicy: Filter policy is too complex")


def parsed(text: str, name: str) -> dict[str, Any]:
    """Return an attribute's object of JSON; raises RefusedAttribute in the words of SNS's parser."""
    found = _json(text, name)
    if not isinstance(found, dict):
        raise RefusedAttribute(f"{name}: failed to parse JSON.")
    return found


def _json(text: str, name: str) -> Any:
    try:
        reader = JsonReader(text)
        while reader.next() is not Token.END:
            pass
        return orjson.loads(text)
    except PatternError as error:
        reason = _SOURCE.sub(_REDACTED, error.reason)
        raise RefusedAttribute(f"{name}: failed to parse JSON. {reason}") from None
    except orjson.JSONDecodeError:
        raise RefusedAttribute(f"{name}: failed to parse JSON.") from None


def attribute_event(attributes: Mapping[str, MessageAttribute]) -> dict[str, Any] | None:
    """Return a message's attributes as filters in the scope MessageAttributes see them, or None if nothing can match.

    SNS: a message without attributes matches no filter, `exists` false neither; a String.Array that is no JSON keeps a
    message from all who filter by attributes, whichever they ask for.
    """
    if not attributes:
        return None
    event: dict[str, Any] = {}
    for name, (kind, value) in attributes.items():
        if isinstance(value, bytes):
            continue
        try:
            event[name] = _attribute_value(kind, value)
        except orjson.JSONDecodeError:
            return None
    return event


def body_event(body: str) -> dict[str, Any] | None:
    """Return a message's body as filters in the scope MessageBody see it, or None if nothing can match it."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _attribute_value(kind: str, text: str) -> object:
    """Return what an attribute is compared as; raises JSONDecodeError for an array that is no JSON."""
    if kind == "String.Array":
        elements = orjson.loads(text)
        return elements if isinstance(elements, list) else text
    if kind.startswith("Number"):
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return _number(text)
        if isinstance(value, int | float):
            return value
    return text


def _number(text: str) -> float | str:
    """Return a number that JSON has no form for (`+1`, `.5`, `007`), or the text that is none."""
    try:
        return float(text)
    except ValueError:
        return text


def _is_nested(policy: dict[str, Any]) -> bool:
    return any(
        any(isinstance(entry, dict) and _is_nested(entry) for entry in value)
        if name == OR and isinstance(value, list)
        else isinstance(value, dict)
        for name, value in policy.items()
    )


def _keys(policy: dict[str, Any]) -> set[str]:
    """Return the names at the top, those in alternatives included."""
    found: set[str] = set()
    for name, value in policy.items():
        if _is_or(name, value):
            found.update(*(_keys(entry) for entry in value))
        else:
            found.add(name)
    return found


def _combinations(policy: dict[str, Any], depth: int) -> int:
    product = 1
    for name, value in policy.items():
        if _is_or(name, value):
            product *= sum(_combinations(entry, depth) for entry in value)
        elif isinstance(value, dict):
            product *= _combinations(value, depth + 1)
        else:
            product *= len(value) * depth
    return product


def _is_or(name: str, value: object) -> bool:
    return name == OR and isinstance(value, list) and len(value) > 1 and all(isinstance(entry, dict) for entry in value)


def _check_language(text: str) -> None:
    """Raise PatternError for what is in the language of patterns and not in that of filter policies."""
    reader = JsonReader(text)
    if reader.next() is not Token.OBJECT:
        reader.refuse("Filter is not an object")
    opened: list[Token | None] = [Token.OBJECT]
    """What is open: an object, a field's list, or None for alternatives."""
    name = ""
    while (token := reader.next()) is not Token.END:
        if token in (Token.END_ARRAY, Token.END_OBJECT):
            opened.pop()
        elif opened[-1] is None and token is not Token.OBJECT:
            reader.refuse("Only JSON object is allowed in array of $or relationship.")
        elif token is Token.NAME:
            name = reader.name
        elif token is Token.ARRAY:
            opened.append(None if name == OR else token)
        elif token is Token.OBJECT and opened[-1] is Token.ARRAY:
            _check_expression(reader)
        elif token is Token.OBJECT:
            opened.append(token)


def _check_expression(reader: JsonReader) -> None:
    """Read the expression that has begun, to its end."""
    depth, kind = 1, ""
    while depth:
        token = reader.next()
        if token is Token.NAME:
            kind = _checked_kind(reader, kind, depth)
            token = reader.next()
            values = (Token.STRING, Token.OBJECT) if depth == 1 else (Token.STRING,)
            if kind in ("prefix", "suffix") and token not in values:
                reader.refuse(f"{kind} match pattern must be a string")
        if token is Token.NUMBER and abs(float(reader.text())) > MOST_NUMBER:
            reader.refuse("Value must be between -1.0E9 and 1.0E9, inclusive")
        if token in (Token.OBJECT, Token.ARRAY):
            depth += 1
        elif token in (Token.END_OBJECT, Token.END_ARRAY):
            depth -= 1


def _checked_kind(reader: JsonReader, outer: str, depth: int) -> str:
    """Return the kind of match that has just been named, inside of an outer one where it isn't the first."""
    if depth == 1 and reader.name not in KINDS:
        reader.refuse(f"Unrecognized match type {reader.name}")
    if depth > 1 and outer == "anything-but" and reader.name not in ("prefix", "suffix"):
        reader.refuse(f"Unsupported anything-but pattern: {reader.name}")
    return reader.name
