"""`cumulet invoke`: run a function once."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cumulet.cli.connection import (
    DEFAULT_REGION,
    DEFAULT_URL,
    EXIT_REFUSED,
    EXIT_USAGE,
    Region,
    Url,
    client,
    fail,
    reaching,
)
from cumulet.cli.log_lines import styled


def invoke(
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help="A name, NAME:QUALIFIER or an ARN.")],
    event: Annotated[str, typer.Option(metavar="EVENT", help="JSON, @FILE, or - to read it from the input.")] = "{}",
    is_asynchronous: Annotated[
        bool, typer.Option("--async", help="Don't wait: the event is queued, run, and tried again if it fails.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Don't show the log.")] = False,
    url: Url = DEFAULT_URL,
    region: Region = DEFAULT_REGION,
) -> None:
    """Run a function and print its answer. Its log goes to the error output; exit code 1 means that it has failed."""
    from rich.console import Console

    payload = _payload(event)
    if is_asynchronous:
        with reaching(url):
            accepted = client("lambda", url, region).invoke(
                FunctionName=function, Payload=payload, InvocationType="Event"
            )
        typer.echo(f"accepted as {accepted['ResponseMetadata']['RequestId']}")
        return
    with reaching(url):
        answer = client("lambda", url, region).invoke(FunctionName=function, Payload=payload, LogType="Tail")
        result: bytes = answer["Payload"].read()
    if not quiet:
        errors = Console(stderr=True, highlight=False, soft_wrap=True)
        for line in base64.b64decode(answer["LogResult"]).decode("utf-8", "replace").splitlines():
            errors.print(styled(line))
    output = Console(highlight=False, soft_wrap=True)
    if output.is_terminal and _is_json(result):
        output.print_json(result.decode())
    else:
        typer.echo(result)
    if "FunctionError" in answer:
        raise typer.Exit(EXIT_REFUSED)


def _payload(event: str) -> bytes:
    """Return the event's JSON; none at all is Lambda's to judge."""
    try:
        if event == "-":
            payload = sys.stdin.buffer.read()
        else:
            payload = Path(event[1:]).read_bytes() if event.startswith("@") else event.encode()
    except OSError as error:
        fail(f"can't read the event from {event[1:]}: {error.strerror}")
    try:
        json.loads(payload or b"{}")
    except (ValueError, RecursionError) as error:
        fail(f"the event is no JSON: {error}", EXIT_USAGE)
    return payload


def _is_json(result: bytes) -> bool:
    """Whether a function's answer is JSON; a Python handler that returns bytes answers with just these."""
    try:
        json.loads(result)
    except (ValueError, RecursionError):
        return False
    return True
