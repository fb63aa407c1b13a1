"""Lines about requests and events."""

from __future__ import annotations

import asyncio
import io

import orjson
import pytest

from cumulet.gateway.requestlog import LogStyle, RequestLog


class Pipe(io.StringIO):
    """A stream whose reader may go."""

    has_reader = True

    def write(self, text: str) -> int:
        if not self.has_reader:
            raise BrokenPipeError
        return super().write(text)


def logged(style: LogStyle, stream: io.StringIO | None = None) -> str:
    """Return what a log of a style writes about one request and one event."""
    stream = stream if stream is not None else io.StringIO()

    async def write() -> None:
        log = RequestLog(style, stream)
        log.request("sqs", "SendMessage", 200, 1.234, "123456789012", "id")
        log.event("work [failed]", error='Traceback\n  "x" [/y]', task="moving")
        log.flush()

    asyncio.run(write())
    return stream.getvalue()


def test_json_lines_are_json() -> None:
    request, event = map(orjson.loads, logged("json").splitlines())

    assert {"service": "sqs", "operation": "SendMessage", "status": 200, "ms": 1.23}.items() <= request.items()
    assert {"account": "123456789012", "request_id": "id"}.items() <= request.items()
    assert (event["message"], event["error"], event["task"]) == ("work [failed]", 'Traceback\n  "x" [/y]', "moving")


def test_pretty_lines_show_what_happened() -> None:
    request, event, *details = logged("pretty").splitlines()

    assert "sqs.SendMessage" in request
    assert "200" in request
    assert "work [failed]" in event
    assert details == ["  error: Traceback", '  "x" [/y]', "  task: moving"]


def test_a_log_that_is_off_says_nothing() -> None:
    assert logged("off") == ""


def test_without_a_terminal_lines_are_json() -> None:
    assert logged("auto").startswith("{")


@pytest.mark.parametrize("style", ["json", "pretty"])
def test_a_reader_that_goes_is_no_failure(style: LogStyle) -> None:
    stream = Pipe()
    stream.has_reader = False

    assert logged(style, stream) == ""


def test_waiting_lines_are_written_soon() -> None:
    stream = io.StringIO()

    async def write() -> None:
        RequestLog("json", stream).request("sqs", "SendMessage", 200, 1, "1", "id")
        assert stream.getvalue() == ""
        await asyncio.sleep(0.2)

    asyncio.run(write())
    assert len(stream.getvalue().splitlines()) == 1
