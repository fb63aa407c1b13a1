"""Who gets the messages of a topic: its confirmed subscriptions, in memory, found by what their filters ask for.

A policy that asks one field for certain strings alone is found by the message's value of that field; all other policies
are tried one by one. So a message costs what matches it, and not what subscribes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cumulet.patterns import Pattern
from cumulet.services.sns import filter_policies
from cumulet.services.sns.messages import MessageAttribute
from cumulet.services.sns.subscriptions import Subscription


class FilteredOut(NamedTuple):
    """How many subscriptions do not get a message, by the scope of their policies."""

    by_attributes: int
    by_body: int


class Scope:
    """The subscriptions whose policies have one scope."""

    def __init__(self) -> None:
        self.size = 0
        self._unindexed: list[tuple[Subscription, Pattern]] = []
        self._by_value: dict[str, dict[str, list[tuple[Subscription, Pattern]]]] = {}
        """By the name of a field and a value that it must have."""

    def add(self, subscription: Subscription, pattern: Pattern) -> None:
        """Let a subscription be found."""
        self.size += 1
        field = _selective_field(pattern)
        if field is None:
            self._unindexed.append((subscription, pattern))
            return
        name, values = field
        index = self._by_value.setdefault(name, {})
        for value in values:
            index.setdefault(value, []).append((subscription, pattern))

    def matching(self, event: Mapping[str, Any]) -> dict[int, Subscription]:
        """Return the subscriptions that get a message, by their ids."""
        found: dict[int, Subscription] = {}
        for subscription, pattern in self._candidates(event):
            if subscription.id not in found and pattern.matches(event):
                found[subscription.id] = subscription
        return found

    def _candidates(self, event: Mapping[str, Any]) -> Iterator[tuple[Subscription, Pattern]]:
        yield from self._unindexed
        for name, index in self._by_value.items():
            for value in _strings(event.get(name)):
                yield from index.get(value, ())


class Audience:
    """The confirmed subscriptions of a topic, as they were at one moment."""

    def __init__(self, subscriptions: Iterable[Subscription]) -> None:
        """Take a topic's subscriptions in the order of their ids."""
        self._unfiltered: list[Subscription] = []
        self._by_attributes, self._by_body = Scope(), Scope()
        self.ids: set[int] = set()
        """Of all of them."""
        self.has_envelopes = False
        """Whether any of them gets messages in an envelope."""
        for subscription in subscriptions:
            if not subscription.is_confirmed:
                continue
            self.ids.add(subscription.id)
            self.has_envelopes = self.has_envelopes or not subscription.is_raw
            policy = filter_policies.of(subscription)
            if policy is None:
                self._unfiltered.append(subscription)
            else:
                (self._by_body if policy.is_of_body else self._by_attributes).add(subscription, policy.pattern)

    def matching(
        self, attributes: Mapping[str, MessageAttribute], body: str
    ) -> tuple[Sequence[Subscription], FilteredOut]:
        """Return who gets a message, in the order of their ids, and how many do not."""
        by_attributes, by_body = self._by_attributes, self._by_body
        if not by_attributes.size and not by_body.size:
            return self._unfiltered, FilteredOut(0, 0)
        found: dict[int, Subscription] = {}
        if by_attributes.size:
            values = filter_policies.attribute_event(attributes)
            found = by_attributes.matching(values) if values is not None else found
        out_by_attributes = by_attributes.size - len(found)
        out_by_body = by_body.size
        event = filter_policies.body_event(body) if by_body.size else None
        if event is not None:
            matched = by_body.matching(event)
            out_by_body -= len(matched)
            found |= matched
        everyone = sorted([*self._unfiltered, *found.values()], key=lambda subscription: subscription.id)
        return everyone, FilteredOut(out_by_attributes, out_by_body)


def _selective_field(pattern: Pattern) -> tuple[str, frozenset[str]] | None:
    """Return a member that must have one of some strings, or None where a pattern has no such field.

    Fields with a dot in their path may be found in more than one way.
    """
    if len(pattern.branches) == 1:
        for field in pattern.branches[0].fields:
            strings = field.required_strings
            if strings is not None and "." not in field.path:
                return field.path, strings
    return None


def _strings(value: object) -> set[str]:
    """Return the strings that a field has, its lists looked through."""
    if isinstance(value, str):
        return {value}
    return {text for element in value for text in _strings(element)} if isinstance(value, list) else set()
