"""Replay policies of subscriptions: from when, and until when, archived messages are delivered again.

SNS (recorded): messages of the `StartingPoint` are replayed, those of the `EndingPoint` are not; both lie in the past.
AWS refuses what is before BeginningArchiveTime; here the second in which that lies may be named as a whole, so that a
script can note a time in seconds and go on.
"""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from cumulet.services.sns.archives import Archive
from cumulet.services.sns.filter_policies import RefusedAttribute
from cumulet.services.sns.replays import Span

NAME = "ReplayPolicy"
POINT_TYPE, START, END = "PointType", "StartingPoint", "EndingPoint"
TIMESTAMP = "Timestamp"


def checked(text: str) -> str:
    """Return a policy as it is kept, empty when it unsets; raises RefusedAttribute for one without the right form."""
    try:
        policy = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise RefusedAttribute(f"{NAME}: Unable to parse JSON") from None
    if policy == {}:
        return ""
    if not isinstance(policy, dict) or POINT_TYPE not in policy or START not in policy:
        raise RefusedAttribute(f"{NAME}: JSON is missing required fields")
    if policy[POINT_TYPE] != TIMESTAMP:
        raise RefusedAttribute(f"{NAME}: Invalid {POINT_TYPE}")
    return text


def span(text: str, archive: Archive | None, now_ms: int) -> Span:
    """Return what a policy of the right form asks for; raises RefusedAttribute for what can't be replayed."""
    if archive is None:
        raise RefusedAttribute(f"{NAME}: Topic does not have an ArchivePolicy")
    policy = orjson.loads(text)
    starts_ms, beginning_ms = _moment_ms(policy[START]), archive.beginning_ms(now_ms)
    if starts_ms is None or not beginning_ms - beginning_ms % 1000 <= starts_ms <= now_ms:
        raise RefusedAttribute(f"{NAME}: Invalid {START} value")
    if END not in policy:
        return Span(starts_ms, None)
    ends_ms = _moment_ms(policy[END])
    if ends_ms is None or not starts_ms <= ends_ms <= now_ms:
        raise RefusedAttribute(f"{NAME}: Invalid {END} value")
    return Span(starts_ms, ends_ms)


def _moment_ms(point: object) -> int | None:
    """Return a point's moment: ISO 8601, of UTC where it doesn't say otherwise; None where it is none."""
    if not isinstance(point, str):
        return None
    try:
        moment = datetime.fromisoformat(point)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
