"""Resource policies: read, compiled and evaluated as IAM does, for all services.

A service checks a policy with `read` when it is set, keeps its text, and asks `decide` who may do what. Each text is
compiled once.
"""

from typing import TYPE_CHECKING

from cumulet.policies.asker import (
    NO_FACTS,
    Asker,
    Facts,
    of_call,
    of_identity,
    of_role,
    of_service,
    request_facts,
)
from cumulet.policies.decision import Decision
from cumulet.policies.reading import MalformedPolicy, compiled, read
from cumulet.policies.refusal import decide, refusal_text

if TYPE_CHECKING:
    from cumulet.policies.policy import Policy as Policy

__all__ = [
    "NO_FACTS",
    "Asker",
    "Decision",
    "Facts",
    "MalformedPolicy",
    "compiled",
    "decide",
    "of_call",
    "of_identity",
    "of_role",
    "of_service",
    "read",
    "refusal_text",
    "request_facts",
]
