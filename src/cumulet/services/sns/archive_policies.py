"""Archive policies of topics: for how many days a FIFO topic keeps what is published.

SNS (recorded): the period is a number or the text of one, the policy is shown as it was set, and `{}` unsets it.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from cumulet.services.sns.errors import invalid

NAME = "ArchivePolicy"
PERIOD = "MessageRetentionPeriod"
DAYS = (1, 365)
"""SNS: messages are kept for 1 to 365 days."""
DAY_MS = 86_400_000


def checked(text: str) -> str:
    """Return a policy as it is kept, empty when it unsets; raises InvalidParameterException."""
    try:
        policy = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise invalid(f"{NAME}: Unable to parse JSON") from None
    if policy == {}:
        return ""
    if not isinstance(policy, dict) or PERIOD not in policy:
        raise invalid(f"{NAME}: JSON is missing required fields")
    if _days(policy[PERIOD]) is None:
        raise invalid(f"{NAME}: {PERIOD} value is invalid")
    return text


def retention_ms(attributes: Mapping[str, str]) -> int | None:
    """Return how long a topic with these attributes keeps messages, or None where it has no archive."""
    text = attributes.get(NAME)
    days = _days(orjson.loads(text)[PERIOD]) if text else None
    return None if days is None else days * DAY_MS


def _days(value: object) -> int | None:
    """Return the days of a period, None where it may not be set."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(DAYS[1])):
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and DAYS[0] <= value <= DAYS[1] else None
