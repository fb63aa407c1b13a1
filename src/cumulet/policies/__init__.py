"""Resource policies: read, compiled and evaluated as IAM does, for all services.

A service checks a policy with `read` when it is set, keeps its text, and asks `decide` who may do what. Each text is
compiled once.
"""

from cumulet.policies.asker import NO_FACTS, Asker, Facts, of_call, of_identity, of_service, request_facts
from cumulet.policies.documents import MalformedPolicy, compiled, many, read, value_text
from cumulet.policies.policy import Decision, Policy
from cumulet.policies.refusal import decide, refusal_text
from cumulet.policies.texts import Text

__all__ = [
    "NO_FACTS",
    "Asker",
    "Decision",
    "Facts",
    "MalformedPolicy",
    "Policy",
    "Text",
    "compiled",
    "decide",
    "many",
    "of_call",
    "of_identity",
    "of_service",
    "read",
    "refusal_text",
    "request_facts",
    "value_text",
]
