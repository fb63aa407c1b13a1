"""Texts of policies, each read once. What reads and evaluates them is imported when the first one comes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulet.policies.policy import Policy

MOST_COMPILED = 1024


class MalformedPolicy(ValueError):
    """A document is no resource policy; says why."""


@lru_cache(maxsize=MOST_COMPILED)
def compiled(text: str | None) -> Policy:
    """Return the policy of a text that `read` has taken before; without one, or a statement in it, it says nothing."""
    from cumulet.policies import documents

    return documents.parsed(text or documents.EMPTY)


def read(text: str) -> Policy:
    """Return the policy of a text; raises MalformedPolicy."""
    from cumulet.policies import documents

    policy = documents.parsed(text)
    if not policy.statements:
        raise MalformedPolicy("Statement must be an object, or a list of some")
    return policy
