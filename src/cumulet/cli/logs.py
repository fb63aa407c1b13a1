"""`cumulet logs`: what functions print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
import typer

from cumulet.cli.connection import DEFAULT_REGION, DEFAULT_URL, Region, Url, ask, client, fail, reaching
from cumulet.kernel.clock import MACHINE

FUNCTION_GROUPS = "/aws/lambda/"
FOLLOW_SECONDS = 0.3
OVERLAP_MS = 10_000
"""How far a look goes back: what is written late is shown late, but not missed."""
SINCE = re.compile(r"(\d+)([smhd])")
UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
Event = dict[str, Any]


def logs(
    function: Annotated[str | None, typer.Argument(help="A function, or a log group (/...). All functions.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option(help="How far back to begin: 30s, 10m, 2h, 1d.")] = "10m",
    pattern: Annotated[str, typer.Option("--filter", help="A CloudWatch Logs filter pattern.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print events as they are, a line of JSON each.")] = False,
    url: Url = DEFAULT_URL,
    region: Region = DEFAULT_REGION,
) -> None:
    """Show what functions print."""
    from rich.console import Console

    distance = SINCE.fullmatch(since)
    if distance is None:
        fail(f"--since must be a number with a unit, as 30s, 10m, 2h or 1d, not {since}", 2)
    start_ms = ask(url, "/_cumulet/clock")["now_ms"] - int(distance[1]) * UNIT_MS[distance[2]]
    console = Console(highlight=False, soft_wrap=True)
    tail = Tail(client("logs", url, region), function, pattern, max(0, start_ms))
    with reaching(url):
        while True:
            for group, event in tail.news():
                if json:
                    typer.echo(orjson.dumps({"logGroupName": group, **event}).decode())
                else:
                    _show(console, group, event)
            if not follow:
                return
            MACHINE.pause(FOLLOW_SECONDS)


class Tail:
    """The events of one or several log groups that have not been shown yet."""

    def __init__(self, client: Any, function: str | None, pattern: str, start_ms: int) -> None:
        self._client = client
        self._function = function
        self._pattern = {"filterPattern": pattern} if pattern else {}
        self._start_ms = start_ms
        self._shown: dict[str, int] = {}
        """When the events that were shown happened, by their ids."""

    def news(self) -> Iterator[tuple[str, Event]]:
        """Yield new events with their groups, in the order of their time."""
        found: list[tuple[int, int, str, Event]] = []
        for group in self._groups():
            for event in self._events(group):
                if event["eventId"] not in self._shown:
                    found.append((event["timestamp"], len(found), group, event))
        for timestamp_ms, _, group, event in sorted(found, key=lambda entry: entry[:2]):
            self._shown[event["eventId"]] = timestamp_ms
            self._start_ms = max(self._start_ms, timestamp_ms - OVERLAP_MS)
            yield group, event
        self._shown = {event_id: at_ms for event_id, at_ms in self._shown.items() if at_ms >= self._start_ms}

    def _groups(self) -> list[str]:
        if self._function is not None:
            is_group = self._function.startswith("/")
            return [self._function if is_group else FUNCTION_GROUPS + self._function]
        pages = self._client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=FUNCTION_GROUPS)
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    def _events(self, group: str) -> Iterator[Event]:
        pages = self._client.get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=group, startTime=self._start_ms, **self._pattern):
            yield from page["events"]


def _show(console: Any, group: str, event: Event) -> None:
    from rich.text import Text

    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    line = Text.assemble((at, "dim"), " ", (group.removeprefix(FUNCTION_GROUPS), "cyan"), " ")
    line.append(event["message"].rstrip("\n").replace("\t", "  "))
    console.print(line)
