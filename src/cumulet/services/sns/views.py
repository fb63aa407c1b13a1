"""A message as each of those who subscribe may see it, where a data protection policy has statements for deliveries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from cumulet.services.sns.data_protection import Denied
from cumulet.services.sns.envelope import Envelope
from cumulet.services.sns.messages import Message
from cumulet.services.sns.subscriptions import Subscription

if TYPE_CHECKING:
    from cumulet.protection import Work
    from cumulet.services.sns.guards import Guard, Rule


class View(NamedTuple):
    """A message, and what wraps it."""

    message: Message
    envelope: Envelope


class Views:
    """The views of one message, made once for each principal's rules and each text."""

    def __init__(self, guard: Guard, whole: View) -> None:
        """`whole` is what those get whom no rule is about."""
        self._guard = guard
        self._whole = whole
        self._rules: dict[str, tuple[Rule, ...]] = {}
        """By principal."""
        self._views: dict[tuple[tuple[Rule, ...], str], View | None] = {}
        """By rules and protocol; None where nobody may see it."""

    def make(self, recipients: Iterable[Subscription], work: Work) -> None:
        """Make and sign what the recipients may see; to be done before they get it. Raises TooExpensive."""
        for subscription in recipients:
            view = self._made(subscription, work)
            if view is not None and view is not self._whole and not subscription.is_raw:
                view.envelope.sign([subscription.protocol])

    def of(self, subscription: Subscription) -> View:
        """Return what one of the recipients may see; raises Denied, also for what was not made."""
        rules = self._rules_for(subscription)
        view = self._views.get((rules, subscription.protocol)) if rules else self._whole
        if view is None:
            raise Denied(
                f"The topic's data protection policy prohibits this message from being delivered to {subscription.arn}"
            )
        return view

    def _rules_for(self, subscription: Subscription) -> tuple[Rule, ...]:
        rules = self._rules.get(subscription.principal)
        if rules is None:
            rules = self._rules[subscription.principal] = self._guard.rules_for(subscription.principal)
        return rules

    def _made(self, subscription: Subscription, work: Work) -> View | None:
        rules = self._rules_for(subscription)
        if not rules:
            return self._whole
        key = rules, subscription.protocol
        if key not in self._views:
            message = self._guard.shown(rules, self._whole.message, subscription.protocol, work)
            self._views[key] = None if message is None else View(message, self._whole.envelope.around(message))
        return self._views[key]
