"""What a runtime writes, cut into log events.

Output and telemetry are one pipe, so that their order is kept. Output is text; an event is a line. A record of the
runtime's logger is a frame: type, length and time, then a message of any number of lines that belong together; the
machine's time in it tells a frame from output that happens to hold the same bytes. Nothing larger than one event and
one read is ever held: longer lines and records become several events.
"""

from __future__ import annotations

from typing import NamedTuple

MARK = b"\xa5\x5a\x00"
HEAD_BYTES = 16
LARGEST_EVENT_BYTES = 256 * 1024 - 26
"""CloudWatch Logs: an event has at most 256 KiB, 26 of them for itself."""
PLAUSIBLE_MS = 3_600_000
"""A frame's time is no further than this from the time at which it is read."""


class Piece(NamedTuple):
    """An event's message, and when it was written, if that is known: milliseconds of the machine's clock."""

    message: str
    written_ms: int | None


class Output:
    """Cuts the bytes of one runtime's pipe into events."""

    def __init__(self) -> None:
        self._held = b""
        """A line that has no end yet, or the beginning of a frame's head."""
        self._frame = b""
        self._frame_left = 0
        """How many bytes of the frame's message are still to come."""
        self._frame_ms = 0

    def feed(self, data: bytes, now_ms: int) -> list[Piece]:
        """Return the events that end in `data`, which was read at `now_ms`, in their order."""
        if MARK[:1] not in data and not self._held and not self._frame_left and data.endswith(b"\n"):
            return [Piece(line + "\n", None) for line in data[:-1].decode("utf-8", "replace").split("\n")]
        pieces: list[Piece] = []
        data, self._held = self._held + data, b""
        while data:
            if self._frame_left:
                data = self._continue_frame(data, pieces)
                continue
            at = _find_head(data, now_ms)
            rest = _cut_lines(data[:at], pieces)
            data = data[at:]
            if len(data) < HEAD_BYTES:
                self._held = rest + data
                break
            if rest:
                pieces.append(Piece(_text(rest), None))
            self._frame_left = int.from_bytes(data[4:8], "big")
            self._frame_ms = int.from_bytes(data[8:16], "big") // 1000
            data = data[HEAD_BYTES:]
        return pieces

    def end(self) -> list[Piece]:
        """Return what has begun, as if it had ended."""
        pieces = []
        if self._held:
            pieces.append(Piece(_text(self._held), None))
        if self._frame:
            pieces.append(Piece(_text(self._frame), self._frame_ms))
        self._held = self._frame = b""
        self._frame_left = 0
        return pieces

    def _continue_frame(self, data: bytes, pieces: list[Piece]) -> bytes:
        """Take the part of `data` that belongs to the frame, and return the rest."""
        self._frame += data[: self._frame_left]
        rest = data[self._frame_left :]
        self._frame_left = max(0, self._frame_left - len(data))
        if not self._frame_left:
            self._frame += b"" if self._frame.endswith(b"\n") else b"\n"
        while len(self._frame) > LARGEST_EVENT_BYTES:
            start, self._frame = _split(self._frame)
            pieces.append(Piece(_text(start), self._frame_ms))
        if not self._frame_left:
            pieces.append(Piece(_text(self._frame), self._frame_ms))
            self._frame = b""
        return rest


def _find_head(data: bytes, now_ms: int) -> int:
    """Return where a frame begins, maybe only with a part of its head; the length of `data` where none does."""
    at = data.find(MARK)
    while at >= 0:
        if len(data) - at < HEAD_BYTES:
            return at
        if abs(int.from_bytes(data[at + 8 : at + 16], "big") // 1000 - now_ms) < PLAUSIBLE_MS:
            return at
        at = data.find(MARK, at + 1)
    for size in (2, 1):
        if data.endswith(MARK[:size]):
            return len(data) - size
    return len(data)


def _cut_lines(text: bytes, pieces: list[Piece]) -> bytes:
    """Append the lines of `text` to `pieces`, and return what follows the last one."""
    *lines, rest = text.split(b"\n")
    for line in lines:
        while len(line) >= LARGEST_EVENT_BYTES:
            start, line = _split(line)
            pieces.append(Piece(_text(start), None))
        pieces.append(Piece(_text(line) + "\n", None))
    while len(rest) >= LARGEST_EVENT_BYTES:
        start, rest = _split(rest)
        pieces.append(Piece(_text(start), None))
    return rest


def _split(text: bytes) -> tuple[bytes, bytes]:
    """Cut off what fits into an event, between two characters."""
    at = LARGEST_EVENT_BYTES
    while at > LARGEST_EVENT_BYTES - 4 and text[at : at + 1] and text[at] & 0xC0 == 0x80:
        at -= 1
    return text[:at], text[at:]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
