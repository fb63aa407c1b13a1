"""`cumulet invoke`: run a function once."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Annotated

import typer

from cumulet.cli.connection import DEFAULT_REGION, DEFAULT_URL, EXIT_REFUSED, Region, Url, client, fail, reaching


def invoke(
    function: Annotated[str, typer.Argument(help="Name or ARN of the function.")],
    event: Annotated[str, typer.Option(help="JSON, @FILE, or - to read it from the input.")] = "{}",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Don't show the log.")] = False,
    url: Url = DEFAULT_URL,
    region: Region = DEFAULT_REGION,
) -> None:
    """Run a function and print its answer; its log goes to the error output. Exit code 1 when it fails."""
    payload = _payload(event)
    with reaching(url):
        answer = client("lambda", url, region).invoke(FunctionName=function, Payload=payload, LogType="Tail")
        text = answer["Payload"].read().decode()
    if not quiet:
        typer.echo(base64.b64decode(answer["LogResult"]).decode("utf-8", "replace").rstrip(), err=True)
    typer.echo(text)
    if "FunctionError" in answer:
        raise typer.Exit(EXIT_REFUSED)


def _payload(event: str) -> bytes:
    try:
        if event == "-":
            return sys.stdin.buffer.read()
        return Path(event[1:]).read_bytes() if event.startswith("@") else event.encode()
    except OSError as error:
        fail(f"can't read the event from {event[1:]}: {error.strerror}")
