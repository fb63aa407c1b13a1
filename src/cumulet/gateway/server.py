"""A running platform: store, clock, services and gateway, served over HTTP until told to stop."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
import traceback
from collections.abc import Callable
from typing import Any

from cumulet.delivery import Delivery, Engine
from cumulet.gateway.app import Gateway
from cumulet.gateway.authentication import Authenticator
from cumulet.gateway.connection import Connections, Times
from cumulet.gateway.control import Control, time_to_go_on_from
from cumulet.gateway.credentials import Credentials, ensure_root_key
from cumulet.gateway.hooks import rate_quotas
from cumulet.gateway.requestlog import RequestLog
from cumulet.gateway.services import Registry, schemas
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import MACHINE, Clock, VirtualClock
from cumulet.kernel.config import Config
from cumulet.kernel.ids import Ids
from cumulet.kernel.listeners import Listeners
from cumulet.kernel.quotas import Quotas
from cumulet.kernel.telemetry import Telemetry
from cumulet.services.service import Platform
from cumulet.store.sqlite import SqliteStore

GRACEFUL_SHUTDOWN_SECONDS = 4
"""Requests in flight have so long to finish; together with closing the store, shutdown ends within 5 s."""
BACKLOG = 4096
OPEN_FILES = 65_536
GC_THRESHOLD = 20_000
"""Requests leave few cycles behind; looking for them every 700 objects, as is the default, costs 5 % of the time."""


def bind(config: Config) -> socket.socket:
    """Return a listening socket; raises OSError when the address can't be had."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((config.host, config.port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def run(config: Config, listener: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve on `listener` until SIGINT or SIGTERM; `ready` is called with the URL once requests are taken.

    Raises `cumulet.store.errors.StoreError` when the data folder can't be used, ConfigError for an unknown quota.
    """
    import uvloop

    _allow_many_connections()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(config, listener, ready))


async def _serve(config: Config, listener: socket.socket, ready: Callable[[str], None]) -> None:
    store = SqliteStore.open(config.data, schemas=schemas(), durability=config.durability)
    log = RequestLog(config.log)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: _log_failure(log, context))
    try:
        await _serve_on(config, store, log, listener, ready)
    finally:
        await store.close()
        log.flush()


async def _serve_on(
    config: Config, store: SqliteStore, log: RequestLog, listener: socket.socket, ready: Callable[[str], None]
) -> None:
    activity = Activity()
    clock: Clock = MACHINE
    if config.clock == "virtual":
        clock = VirtualClock(await store.transact(time_to_go_on_from, MACHINE.now_ms()), activity)
    telemetry = Telemetry(clock)
    ids = Ids(config.seed)
    quotas = Quotas(config.quotas)
    credentials = Credentials(store)
    delivery = Delivery(Engine(store, clock, ids, activity))
    listeners = Listeners()
    platform = Platform(
        config,
        store,
        clock,
        ids,
        activity,
        telemetry,
        quotas,
        delivery,
        credentials,
        listeners,
        _url_from_here(listener),
    )
    if config.auth == "enforce":
        await ensure_root_key(store, credentials, config.data)
    registry = Registry.of(platform)
    registry.check_quotas(config.quotas)
    control = Control(platform, store, registry.services)
    gateway = Gateway(
        registry,
        Authenticator(config.auth, credentials),
        ids,
        log,
        control,
        [rate_quotas(quotas, clock, telemetry)] if config.quotas else [],
    )
    await registry.start()
    await delivery.engine.start()
    gc.freeze()  # what is here now stays: don't look at it again with every collection
    gc.set_threshold(GC_THRESHOLD)
    gc.enable()
    loop = asyncio.get_running_loop()
    connections = Connections(gateway, loop, Times(request=config.request_deadline_seconds))
    listeners.begin(connections)
    server = await loop.create_server(connections, sock=listener, backlog=BACKLOG)
    try:
        await _stop_signal(lambda: ready(_url(listener)))
    finally:
        server.close()
        registry.stop_waiting()
        delivery.engine.close()
        await connections.close(GRACEFUL_SHUTDOWN_SECONDS)
        await activity.stop()
        await registry.stop()


async def _stop_signal(then: Callable[[], None]) -> None:
    """Return at the first SIGINT or SIGTERM; `then` is called once those are heeded."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    then()
    await stop.wait()


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _url_from_here(listener: socket.socket) -> str:
    """Return the URL for clients on this machine; what listens on all addresses also does on loopback."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _log_failure(log: RequestLog, context: dict[str, Any]) -> None:
    error = context.get("exception")
    details = {"error": "".join(traceback.format_exception(error))} if error else {}
    log.event(context["message"], **details)


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
