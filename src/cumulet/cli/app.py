"""The `cumulet` command."""

from __future__ import annotations

import errno
import gc
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from cumulet import __version__
from cumulet.cli.connection import (
    DEFAULT_ACCOUNT,
    DEFAULT_REGION,
    DEFAULT_URL,
    EXIT_REFUSED,
    EXIT_USAGE,
    Url,
    ask,
    fail,
)
from cumulet.cli.data_protection import data_protection
from cumulet.cli.invoke import invoke
from cumulet.cli.logs import logs
from cumulet.cli.outbox import outbox
from cumulet.cli.simulate import simulate
from cumulet.kernel.config import Config, ConfigError, load_config

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def cumulet(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A serverless cloud that you own: the AWS wire APIs, durable, in one process."""


@app.command()
def start(
    host: Annotated[str | None, typer.Option(metavar="HOST", help="Address to listen on. (default 127.0.0.1)")] = None,
    port: Annotated[
        str | None, typer.Option(metavar="PORT", help="Port to listen on, 0 for a free one. (default 4566)")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of all state. (default ./cumulet-data)")
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="open (believe every request) or enforce (check signatures). (default open)"),
    ] = None,
    clock: Annotated[
        str | None, typer.Option(metavar="WORD", help="real or virtual (moved by tests). (default real)")
    ] = None,
    durability: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="full (survives a power cut) or relaxed (for test suites). (default full)"),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="auto, pretty, json or off: one line for each request. (default auto)"),
    ] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Makes ids repeatable, for tests. (default none)")
    ] = None,
    smtp: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Mail server. (default none: mail stays in the outbox)")
    ] = None,
    let_anyone_on_the_network_in: Annotated[
        bool | None,
        typer.Option("--let-anyone-on-the-network-in", help="Listen beyond loopback although no signature is checked."),
    ] = None,
) -> None:
    """Start Cumulet and serve until Ctrl-C. Each option can also be CUMULET_<OPTION> or a line of cumulet.toml."""
    flags = {
        "host": host,
        "port": port,
        "data": data,
        "auth": auth,
        "clock": clock,
        "durability": durability,
        "log": log,
        "seed": seed,
        "smtp": smtp,
        "let_anyone_on_the_network_in": let_anyone_on_the_network_in,
    }
    try:
        config = load_config(flags)
    except ConfigError as error:
        fail(str(error), EXIT_USAGE)
    gc.disable()  # all that is imported stays; the server begins to look for what doesn't
    from cumulet.gateway.server import bind, run
    from cumulet.kernel.errors import ServiceUnavailable
    from cumulet.store.errors import StoreError

    try:
        listener = bind(config)
    except OSError as error:
        hint = ". Is Cumulet running already?" if error.errno == errno.EADDRINUSE else ""
        fail(f"can't listen on {config.host}:{config.port}: {error.strerror}{hint}")
    try:
        run(config, listener, lambda url: _say_ready(config, url))
    except (StoreError, ServiceUnavailable) as error:
        fail(str(error))
    except ConfigError as error:
        fail(str(error), EXIT_USAGE)


@app.command()
def status(
    url: Url = DEFAULT_URL,
    json: Annotated[bool, typer.Option("--json", help="Print what the server says, unchanged.")] = False,
) -> None:
    """Show whether a server is up and what it does."""
    health = ask(url, "/_cumulet/health", proof="uptime_seconds")
    if json:
        import orjson

        typer.echo(orjson.dumps(health, option=orjson.OPT_INDENT_2).decode())
    else:
        store, platform_clock = health["store"], health["clock"]
        uptime = _duration(health["uptime_seconds"])
        typer.echo(f"Cumulet {health['version']} at {url} is {health['status']}, up {uptime}")
        typer.echo(f"  services  {', '.join(sorted(health['services']))}")
        typer.echo(
            f"  store     {store['engine']}, durability {store['durability']}, {_count(store['commits'], 'commit')}"
        )
        functions = health["lambda"]
        environments = _count(functions["environments"], "environment")
        typer.echo(f"  functions {environments}, isolation {functions['isolation']}")
        typer.echo(f"  clock     {platform_clock['name']}, now {platform_clock['now']}")
        typer.echo(f"  auth      {health['auth']}")
        for trouble in health["degraded"]:
            typer.echo(f"  degraded  {trouble}")
    if health["status"] != "ok":
        raise typer.Exit(EXIT_REFUSED)


app.command()(invoke)
app.command()(logs)
app.command()(outbox)
app.add_typer(data_protection, name="data-protection")
app.add_typer(simulate, name="simulate")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))


def _say_ready(config: Config, url: str) -> None:
    if config.auth == "open":
        auth = "open"
        key = f"AWS_ACCESS_KEY_ID={DEFAULT_ACCOUNT} AWS_SECRET_ACCESS_KEY=any"
    else:
        root_key = config.data.absolute() / "root-credentials"
        auth = f"enforce: the root key is in {root_key}"
        key = f"AWS_SHARED_CREDENTIALS_FILE={shlex.quote(str(root_key))}"
    typer.echo(
        f"Cumulet {__version__} is ready at {url}\n"
        f"  data {config.data.absolute()}, durability {config.durability}, clock {config.clock}\n"
        f"  auth {auth}\n"
        "To use it with AWS clients, type in another terminal:\n"
        f"  export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION={DEFAULT_REGION}\n"
        f"  export {key}",
        err=True,
    )
