"""A compiled policy, and what it says of a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from cumulet.policies.asker import Asker
from cumulet.policies.conditions import Condition
from cumulet.policies.decision import Decision
from cumulet.policies.globs import Glob
from cumulet.policies.principals import Principals
from cumulet.policies.texts import Text


class Statement(msgspec.Struct, frozen=True):
    """One statement; of an element and its Not, one is there."""

    is_denial: bool
    principals: Principals
    is_not_principal: bool
    actions: Sequence[Glob]
    """In lower case."""
    is_not_action: bool
    resources: Sequence[Text] | None
    """None where it has none: it is about what the policy belongs to."""
    is_not_resource: bool
    conditions: Sequence[Condition]

    def applies(self, action: str, resource: str, asker: Asker) -> bool:
        """Return whether the statement is about a request; `action` is in lower case."""
        return (
            any(glob.matches(action) for glob in self.actions) != self.is_not_action
            and self._names(asker)
            and self._covers(resource, asker)
            and all(condition.holds(asker.facts) for condition in self.conditions)
        )

    def _names(self, asker: Asker) -> bool:
        if not self.is_not_principal:
            return self.principals.include(asker)
        if self.is_denial:
            return not self.principals.except_from_denial(asker)
        return not self.principals.include(asker)

    def _covers(self, resource: str, asker: Asker) -> bool:
        if self.resources is None:
            return True
        return any(is_resource(text, resource, asker) for text in self.resources) != self.is_not_resource


class Policy(NamedTuple):
    """All statements."""

    statements: Sequence[Statement] = ()

    def decision(self, action: str, resource: str, asker: Asker) -> Decision:
        """Return what it says of an action, such as `sqs:SendMessage`, on the resource with an ARN."""
        action, said = action.lower(), Decision.SILENT
        for statement in self.statements:
            if statement.is_denial or said is Decision.SILENT:
                if not statement.applies(action, resource, asker):
                    continue
                if statement.is_denial:
                    return Decision.DENIED
                said = Decision.ALLOWED
        return said


def is_resource(text: Text, resource: str, asker: Asker) -> bool:
    """Return whether a Resource means an ARN: `*` alone means all."""
    return text.plain(asker.facts) == "*" or text.is_like_arn(resource, asker.facts)
