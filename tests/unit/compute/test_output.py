"""Bytes of a pipe, cut into events, however they arrive."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cumulet.compute.output import LARGEST_EVENT_BYTES, Output, Piece

NOW_MS = 1_795_000_000_000


def frame(message: str, time_ms: int = NOW_MS) -> bytes:
    data = message.encode()
    return b"\xa5\x5a\x00\x03" + len(data).to_bytes(4, "big") + (time_ms * 1000).to_bytes(8, "big") + data


def cut(chunks: list[bytes]) -> list[Piece]:
    output = Output()
    pieces = [piece for chunk in chunks for piece in output.feed(chunk, NOW_MS)]
    return pieces + output.end()


def test_lines_are_events() -> None:
    assert cut([b"one\n\ntwo\nthree"]) == [
        Piece("one\n", None),
        Piece("\n", None),
        Piece("two\n", None),
        Piece("three", None),
    ]


def test_a_frame_is_an_event_with_its_time_whatever_is_in_it() -> None:
    data = b"before\n" + frame("two\nlines\n", NOW_MS - 5) + b"between" + frame("no newline") + b"after\n"

    assert cut([data]) == [
        Piece("before\n", None),
        Piece("two\nlines\n", NOW_MS - 5),
        Piece("between", None),
        Piece("no newline\n", NOW_MS),
        Piece("after\n", None),
    ]


def test_what_only_looks_like_a_frame_is_text() -> None:
    data = b"\xa5\x5a\x00\x03\x00\x00\x00\x02" + (12345).to_bytes(8, "big") + b"ab\n"

    (piece,) = cut([data])

    assert piece.written_ms is None
    assert piece.message.endswith("ab\n")


def test_a_frame_that_is_not_finished_ends_with_the_output() -> None:
    assert cut([frame("cut off")[:-3]]) == [Piece("cut ", NOW_MS)]


@pytest.mark.parametrize("size", [LARGEST_EVENT_BYTES - 1, LARGEST_EVENT_BYTES, LARGEST_EVENT_BYTES + 1, 10**6])
def test_no_event_is_too_large_and_nothing_is_lost(size: int) -> None:
    text = "ü" * (size // 2) + "x" * (size % 2)

    for data in (text.encode() + b"\n", frame(text)):
        pieces = cut([data[start : start + 65536] for start in range(0, len(data), 65536)])

        assert "".join(piece.message for piece in pieces) == text + "\n"
        assert max(len(piece.message.encode()) for piece in pieces) <= LARGEST_EVENT_BYTES


texts = st.text(st.sampled_from("aü\n\u2028Z\x00\x0b"), max_size=8)


@given(
    st.lists(st.one_of(texts.map(str.encode), texts.filter(bool).map(frame), st.just(b"\xa5\x5a\x00")), max_size=8),
    st.lists(st.integers(1, 40), max_size=30),
)
@example([b"\xa5\x5a\x00", b"\xc3\xa5Z\x00"], [1])
def test_events_do_not_depend_on_how_the_bytes_arrive(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    chunks, start = [], 0
    for size in cuts:
        chunks.append(data[start : start + size])
        start += size
    chunks.append(data[start:])

    assert cut([chunk for chunk in chunks if chunk]) == cut([data] if data else [])


@given(st.binary(max_size=300))
def test_any_bytes_make_events(data: bytes) -> None:
    pieces = cut([data])

    assert "".join(piece.message for piece in pieces) == data.decode("utf-8", "replace") or b"\xa5\x5a" in data
