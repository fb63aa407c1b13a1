"""Timestamps in three formats."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.wire.timestamps import InvalidTimestamp, epoch, format_http_date, format_iso, format_unix, parse

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# An HTTP date of an earlier year is read as one of two digits.
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))


@pytest.mark.parametrize(
    "given_value",
    [
        1767323045,
        1767323045.0,
        "1767323045",
        "1.767323045e9",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.000Z",
        "2026-01-02T04:04:05+01:00",
        "20260102T030405Z",
        "2026-01-02T03:04:05",
        "Fri, 02 Jan 2026 03:04:05 GMT",
        " 2026-01-02T03:04:05Z ",
    ],
)
def test_parse(given_value: str | float) -> None:
    assert parse(given_value) == MOMENT
    assert parse(given_value).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "x", "now", "2026-02-30T00:00:00Z", "1" * 30, "Fri, 99 Jan 2026 03:04:05 GMT", float("nan"), 1e300]
)
def test_what_is_no_timestamp(text: str | float) -> None:
    with pytest.raises(InvalidTimestamp):
        parse(text)


def test_formats() -> None:
    half = MOMENT + timedelta(milliseconds=500)
    assert (format_iso(MOMENT), format_iso(half)) == ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.500Z")
    assert format_iso(MOMENT + timedelta(microseconds=1)) == "2026-01-02T03:04:05.000001Z"
    assert format_http_date(half) == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert (format_unix(MOMENT), format_unix(half)) == ("1767323045", "1767323045.5")
    assert format_iso(1767323045) == "2026-01-02T03:04:05Z"
    assert format_iso(MOMENT.replace(tzinfo=None)) == "2026-01-02T03:04:05Z"
    assert format_iso(MOMENT.astimezone(timezone(timedelta(hours=5)))) == "2026-01-02T03:04:05Z"
    assert isinstance(epoch(MOMENT), int)


@given(MOMENTS)
def test_what_is_written_is_read(moment: datetime) -> None:
    assert parse(format_iso(moment)) == moment
    assert parse(format_http_date(moment)) == moment.replace(microsecond=0)


@given(MOMENTS.filter(lambda moment: 1900 < moment.year < 2200))
def test_seconds_since_1970_keep_microseconds(moment: datetime) -> None:
    assert parse(epoch(moment)) == moment
    assert parse(format_unix(moment)) == moment


@given(st.text() | st.integers() | st.floats())
def test_anything_is_a_timestamp_or_refused(value: str | float) -> None:
    with contextlib.suppress(InvalidTimestamp):
        assert parse(value).tzinfo is UTC
