"""`cumulet logs`: what functions print."""

from __future__ import annotations

import re
from typing import Annotated

import orjson
import typer

from cumulet.cli.connection import (
    DEFAULT_REGION,
    DEFAULT_URL,
    EXIT_USAGE,
    Region,
    Url,
    ask,
    client,
    fail,
    reaching,
)
from cumulet.cli.log_lines import LogLines
from cumulet.cli.tail import FUNCTION_GROUPS, Tail, log_group_of
from cumulet.kernel.clock import MACHINE

FOLLOW_SECONDS = 0.3
SINCE = re.compile(r"([0-9]{1,9})([smhd])")
UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def logs(
    function: Annotated[
        str | None, typer.Argument(metavar="FUNCTION", help="A function or a log group; all functions without it.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show what comes, until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option(metavar="TIME", help="How far back to begin: 30s, 10m, 2h, 1d.")] = "10m",
    pattern: Annotated[str, typer.Option("--filter", metavar="PATTERN", help="A CloudWatch Logs filter pattern.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print events as they are, a line of JSON each.")] = False,
    url: Url = DEFAULT_URL,
    region: Region = DEFAULT_REGION,
) -> None:
    """Show what functions print. Times are UTC."""
    from rich.console import Console

    distance = SINCE.fullmatch(since)
    if distance is None:
        fail(f"--since must be a number with a unit, as 30s, 10m, 2h or 1d, not {since}", EXIT_USAGE)
    now_ms: int = ask(url, "/_cumulet/clock", proof="now_ms")["now_ms"]
    start_ms = max(0, now_ms - int(distance[1]) * UNIT_MS[distance[2]])
    lines = LogLines(Console(highlight=False, soft_wrap=True), names=function is None)
    with reaching(url):
        service = client("logs", url, region)
        only = None
        if function is not None and (only := log_group_of(function, service, client("lambda", url, region))) is None:
            fail(f"there is no function or log group {function} in {region}")
        tail = Tail(service, only, pattern, start_ms)
        has_shown = is_waiting = False
        while True:
            for group, event in tail.news():
                has_shown = True
                if json:
                    typer.echo(orjson.dumps({"logGroupName": group, **event}).decode())
                else:
                    lines.print(group.removeprefix(FUNCTION_GROUPS), event)
            if not has_shown and not is_waiting:
                is_waiting = True
                typer.echo(f"cumulet: nothing logged in the last {since}{', waiting' if follow else ''}", err=True)
            if not follow:
                return
            MACHINE.pause(FOLLOW_SECONDS)
