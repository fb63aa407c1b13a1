"""The `cumulet` command."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Annotated

import typer

from cumulet import __version__
from cumulet.cli.connection import DEFAULT_URL, EXIT_REFUSED, EXIT_USAGE, Url, ask, fail
from cumulet.cli.invoke import invoke
from cumulet.cli.logs import logs
from cumulet.kernel.config import Config, ConfigError, load_config

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
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
    host: Annotated[str | None, typer.Option(help="Address to listen on. (default 127.0.0.1)")] = None,
    port: Annotated[str | None, typer.Option(help="Port to listen on, 0 for a free one. (default 4566)")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of all state. (default ./cumulet-data)")] = None,
    auth: Annotated[
        str | None, typer.Option(help="open (believe every request) or enforce (check signatures). (default open)")
    ] = None,
    clock: Annotated[str | None, typer.Option(help="real or virtual (moved by tests). (default real)")] = None,
    durability: Annotated[
        str | None, typer.Option(help="full (survives a power cut) or relaxed (for test suites). (default full)")
    ] = None,
    log: Annotated[
        str | None, typer.Option(help="auto, pretty, json or off: one line for each request. (default auto)")
    ] = None,
    seed: Annotated[str | None, typer.Option(help="A number that makes ids repeatable, for tests.")] = None,
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
        "let_anyone_on_the_network_in": let_anyone_on_the_network_in,
    }
    try:
        config = load_config(flags)
    except ConfigError as error:
        fail(str(error), EXIT_USAGE)
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
        typer.echo(f"Cumulet {health['version']} at {url} is {health['status']}, up {health['uptime_seconds']:.0f} s")
        typer.echo(f"  services  {', '.join(health['services'])}")
        typer.echo(f"  store     {store['engine']}, durability {store['durability']}, {store['commits']} commits")
        functions = health["lambda"]
        typer.echo(f"  functions {functions['environments']} environments, isolation {functions['isolation']}")
        typer.echo(f"  clock     {platform_clock['name']}, now {platform_clock['now']}")
        typer.echo(f"  auth      {health['auth']}")
        for trouble in health["degraded"]:
            typer.echo(f"  degraded  {trouble}")
    if health["status"] != "ok":
        raise typer.Exit(EXIT_REFUSED)


app.command()(invoke)
app.command()(logs)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def _say_ready(config: Config, url: str) -> None:
    if config.auth == "open":
        auth = f"open: try  aws --endpoint-url {url} sqs list-queues"
    else:
        auth = f"enforce: the root key is in {config.data.absolute() / 'root-credentials'}"
    typer.echo(
        f"Cumulet {__version__} is ready at {url}\n"
        f"  data {config.data.absolute()}, durability {config.durability}, clock {config.clock}\n"
        f"  auth {auth}",
        err=True,
    )
