"""`cumulet outbox`: what would have gone to telephones and mail addresses."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
import typer

from cumulet.cli.connection import DEFAULT_URL, Url, ask


def outbox(
    to: Annotated[
        str | None,
        typer.Argument(metavar="TO", help="A phone number, a mail address or the ARN of an endpoint; all without it."),
    ] = None,
    last: Annotated[int, typer.Option(metavar="NUMBER", min=1, max=1000, help="How many to show.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print messages as they are, a line of JSON each.")] = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Show what phones and mail addresses would have got. Times are UTC."""
    question: dict[str, str | int] = {"limit": last}
    if to is not None:
        question["to"] = to
    messages = ask(url, f"/_cumulet/outbox?{urlencode(question)}", proof="messages")["messages"]
    if not messages:
        typer.echo("cumulet: nothing was sent", err=True)
    for message in messages:
        typer.echo(orjson.dumps(message).decode() if json else _line(message))


def _line(message: dict[str, Any]) -> str:
    failure = f"  [not delivered: {message['failure']}]" if "failure" in message else ""
    head = f"{message['sent_at']}  {message['kind']:5}  {message['to']}  "
    if message["kind"] == "email":
        lines = [line.strip() for line in message["body"].splitlines()]
        return "\n  ".join([f"{head}{message['details']['subject']}{failure}", *filter(None, lines)])
    return f"{head}{' '.join(message['body'].split())}{failure}"
