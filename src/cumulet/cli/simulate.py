"""`cumulet simulate`: what AWS would do, computed, without a server."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from cumulet.cli.connection import EXIT_USAGE, fail

OVER = re.compile(r"([1-9][0-9]{0,3})m")
RULES = ("current", "2021")

simulate = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Compute what AWS would do, without running anything."
)


@simulate.command()
def scaling(
    requests: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, max=1_000_000, help="How many requests there are.")
    ] = 10_000,
    over: Annotated[
        str, typer.Option(metavar="TIME", help="Over how many minutes. Each minute's come at once.")
    ] = "1m",
    provisioned: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, help="Provisioned concurrency of the function.")
    ] = 0,
    limit: Annotated[int, typer.Option(metavar="NUMBER", min=1, help="The account's concurrent executions.")] = 10_000,
    rule: Annotated[
        str, typer.Option(metavar="WORD", help="current: 1,000 more every 10 s. 2021: a burst, then more each minute.")
    ] = "current",
    burst: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, help="Of the rule of 2021: the region's burst.")
    ] = 3000,
    per_minute: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, help="Of the rule of 2021: environments more each minute.")
    ] = 500,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON array with an object for each minute.")] = False,
) -> None:
    """Show how a function scales.

    That is which requests are served by what, and which are throttled (429).
    """
    import asyncio

    from cumulet.services.lambda_ import simulation
    from cumulet.services.lambda_.scaling import CURRENT, rule_of_2021

    minutes = OVER.fullmatch(over)
    if minutes is None:
        fail(f"--over must be a number of minutes from 1m to 9999m, not {over}", EXIT_USAGE)
    if rule not in RULES:
        fail(f"--rule must be one of {', '.join(RULES)}, not {rule}", EXIT_USAGE)
    if provisioned > limit:
        fail("--provisioned can't be more than --limit", EXIT_USAGE)
    found = asyncio.run(
        simulation.simulate(
            simulation.spread(requests, int(minutes[1])),
            account_limit=limit,
            provisioned=provisioned,
            rule=CURRENT if rule == "current" else rule_of_2021(burst, per_minute),
        )
    )
    if json:
        import orjson

        typer.echo(orjson.dumps([minute._asdict() for minute in found]).decode())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("minute", *(name.replace("_", " ") for name in found[0]._fields))
    for column in table.columns:
        column.justify = "right"
    for number, minute in enumerate(found, 1):
        table.add_row(str(number), *(f"{count:,}" for count in minute._asdict().values()))
    table.add_section()
    table.add_row("all", *(f"{sum(column):,}" for column in zip(*found, strict=True)))
    Console(highlight=False).print(table)
