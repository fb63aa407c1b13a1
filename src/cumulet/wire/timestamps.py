"""Timestamps in AWS's three formats, each with fractions and time zones as clients write them.

Decoding gives aware UTC `datetime`s. Encoding takes a `datetime` (a naive one is UTC) or a number of seconds
since 1970.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNIX = "unixtimestamp"
ISO = "iso8601"
HTTP_DATE = "rfc822"

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class InvalidTimestamp(ValueError):
    """The value is no timestamp in any format, or outside the years 1 to 9999."""


def normalized(format_name: str) -> str:
    """Return one of `UNIX`, `ISO`, `HTTP_DATE` for a model's `timestampFormat`."""
    return format_name.lower()


def from_epoch(seconds: float) -> datetime:
    """Return the moment `seconds` after 1970, to the microsecond."""
    try:
        return EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise InvalidTimestamp(seconds) from None


def parse(value: str | float) -> datetime:
    """Return the moment that a number or text in any of the three formats names."""
    if not isinstance(value, str):
        return from_epoch(value)
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return from_epoch(float(text) if any(c in text for c in ".eE") else int(text[:24]))
    try:
        return moment(parsedate_to_datetime(text) if text[:1].isalpha() else datetime.fromisoformat(text))
    except (ValueError, TypeError, OverflowError, IndexError):
        raise InvalidTimestamp(value) from None


def epoch(value: datetime | float) -> float:
    """Return seconds since 1970, an int when there is no fraction."""
    if not isinstance(value, datetime):
        return value
    since = (value if value.tzinfo else value.replace(tzinfo=UTC)) - EPOCH
    whole = since.days * 86400 + since.seconds
    return (whole * 1_000_000 + since.microseconds) / 1_000_000 if since.microseconds else whole


def moment(value: datetime | float) -> datetime:
    """Return the value as an aware UTC datetime."""
    if not isinstance(value, datetime):
        return from_epoch(value)
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def format_iso(value: datetime | float) -> str:
    """Return `2026-01-31T12:00:00Z`; with milliseconds or microseconds when there are any."""
    when = moment(value)
    if not when.microsecond:
        return f"{when:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")
    timespec = "microseconds" if when.microsecond % 1000 else "milliseconds"
    return when.replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def format_http_date(value: datetime | float) -> str:
    """Return `Sat, 31 Jan 2026 12:00:00 GMT`, in whole seconds."""
    return format_datetime(moment(value).replace(microsecond=0), usegmt=True)


def format_unix(value: datetime | float) -> str:
    """Return seconds since 1970 as text."""
    seconds = epoch(value)
    return str(int(seconds)) if math.floor(seconds) == seconds else repr(seconds)


FORMATTERS = {UNIX: format_unix, ISO: format_iso, HTTP_DATE: format_http_date}
