"""`cumulet data-protection test`: what a data protection policy would do to a message, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cumulet.cli.connection import EXIT_USAGE, fail

if TYPE_CHECKING:
    from cumulet.services.sns.rehearsal import Found, Rehearsal

ANYONE = "*"

data_protection = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Try data protection policies without a server."
)


@data_protection.callback()
def group() -> None:
    """Try data protection policies without a server."""


@data_protection.command()
def test(
    policy: Annotated[Path, typer.Option(metavar="FILE", help="The policy, as PutDataProtectionPolicy takes it.")],
    message: Annotated[Path, typer.Option(metavar="FILE", help="The message.")],
    publisher: Annotated[
        str | None, typer.Option(metavar="ARN", help="Who publishes: a user, a role, or an account. (default anyone)")
    ] = None,
    subscriber: Annotated[
        list[str] | None,
        typer.Option(metavar="ARN", help="Who has subscribed. (default all whom statements are about)"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Show what a policy does to a message.

    That is what it finds, what a topic accepts of the message, and what subscribers get.
    """
    from cumulet.kernel.errors import AwsError
    from cumulet.services.sns.rehearsal import rehearse

    document, published = _text(policy), _text(message)
    try:
        rehearsal = rehearse(document, published, publisher or ANYONE, subscriber or [])
    except AwsError as error:
        fail(f"{policy}: {error.message}")
    except ValueError as error:
        fail(f"{error} is no account, and no ARN of a user or a role", EXIT_USAGE)
    _print_json(rehearsal) if json else _print(rehearsal, published, publisher or ANYONE)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"can't read {path}: {getattr(error, 'strerror', None) or error}", EXIT_USAGE)


def _print(rehearsal: Rehearsal, published: str, publisher: str) -> None:
    for number, found in enumerate(rehearsal.found, 1):
        counts = ", ".join(f"{name} ({count})" for name, count in _counts(found).items()) or "nothing"
        direction = "Inbound" if found.statement.is_inbound else "Outbound"
        typer.echo(f"statement {number}  {direction:8}  {type(found.statement.operation).__name__:10}  finds {counts}")
    who = "Anyone" if publisher == ANYONE else publisher
    if rehearsal.accepted is None:
        typer.echo("Nobody can publish the message." if publisher == ANYONE else f"{who} can't publish the message.")
        return
    _print_text(f"{who} can publish the message, which the topic accepts", rehearsal.accepted, published)
    is_for_all = [delivery.principal for delivery in rehearsal.deliveries] == [ANYONE]
    everyone, nobody = ("Everyone", "Nobody") if is_for_all else ("Anyone else", "Nobody else")
    for delivery in rehearsal.deliveries:
        is_anyone = delivery.principal == ANYONE
        if delivery.text is not None:
            _print_text(f"{everyone if is_anyone else delivery.principal} gets it", delivery.text, rehearsal.accepted)
        else:
            typer.echo(f"{nobody} gets it." if is_anyone else f"{delivery.principal} doesn't get it.")


def _print_text(head: str, text: str, before: str) -> None:
    typer.echo(f"{head} as it is." if text == before else f"{head} as\n{text.rstrip()}")


def _print_json(rehearsal: Rehearsal) -> None:
    import orjson

    document = {
        "statements": [
            {
                "Sid": found.statement.sid,
                "DataDirection": "Inbound" if found.statement.is_inbound else "Outbound",
                "Operation": type(found.statement.operation).__name__,
                "dataIdentifiers": [
                    {"name": name, "count": count, "detections": _detections(found, name)}
                    for name, count in _counts(found).items()
                ],
            }
            for found in rehearsal.found
        ],
        "accepted": rehearsal.accepted,
        "deliveries": [delivery._asdict() for delivery in rehearsal.deliveries],
    }
    typer.echo(orjson.dumps(document).decode())


def _detections(found: Found, name: str) -> list[dict[str, int]]:
    """Return where one kind of data stands, as audits say it: the first character and the last, counted from 1."""
    return [{"start": one.start + 1, "end": one.end} for one in found.findings if one.identifier == name]


def _counts(found: Found) -> dict[str, int]:
    names = [finding.identifier for finding in found.findings]
    return {name: names.count(name) for name in dict.fromkeys(names)}
