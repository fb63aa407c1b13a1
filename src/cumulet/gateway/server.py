"""A running platform: store, clock, services and gateway, served over HTTP until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import resource
import signal
import socket
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from cumulet.gateway.app import Gateway
from cumulet.gateway.authentication import Authenticator
from cumulet.gateway.connection import Connection
from cumulet.gateway.control import Control, saved_time
from cumulet.gateway.credentials import Credentials, ensure_root_key
from cumulet.gateway.hooks import rate_quotas
from cumulet.gateway.metrics import MetricsWriter
from cumulet.gateway.requestlog import RequestLog
from cumulet.gateway.services import Registry, schemas
from cumulet.kernel.activity import Activity
from cumulet.kernel.clock import MACHINE, Clock, VirtualClock
from cumulet.kernel.config import Config
from cumulet.kernel.ids import Ids
from cumulet.kernel.quotas import Quotas
from cumulet.kernel.telemetry import Telemetry
from cumulet.services.service import Platform
from cumulet.store.sqlite import SqliteStore

KEEP_ALIVE_SECONDS = 75
GRACEFUL_SHUTDOWN_SECONDS = 4
"""Requests in flight have so long to finish; together with closing the store, shutdown ends within 5 s."""
BACKLOG = 4096
OPEN_FILES = 65_536
GC_THRESHOLD = 20_000
"""Requests leave few cycles behind; looking for them every 700 objects, as is the default, costs 5 % of the time."""


class Server(uvicorn.Server):
    """uvicorn's server, told when to stop by us and ending long polls when it does."""

    def __init__(self, config: uvicorn.Config, before_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_shutdown = before_shutdown

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM; unlike uvicorn's own way, return afterwards, so that the store is closed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Shut down soon."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what waits, let what runs finish, close all connections."""
        self._before_shutdown()
        await super().shutdown(sockets)


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

    Raises `cumulet.store.errors.StoreError` when the data folder can't be used.
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
        saved_ms = await store.read(saved_time)
        clock = VirtualClock(MACHINE.now_ms() if saved_ms is None else saved_ms, activity)
    telemetry = Telemetry(clock)
    ids = Ids(config.seed)
    quotas = Quotas(config.quotas)
    platform = Platform(config, store, clock, ids, activity, telemetry, quotas)
    credentials = Credentials(store)
    if config.auth == "enforce":
        await ensure_root_key(store, credentials, config.data)
    registry = Registry.of(platform)
    metrics = MetricsWriter(telemetry, store)
    control = Control(platform, store, metrics, list(registry.services))
    gateway = Gateway(
        registry,
        Authenticator(config.auth, credentials),
        ids,
        log,
        control,
        [rate_quotas(quotas, clock, telemetry)] if config.quotas else [],
    )
    server = Server(_uvicorn_config(gateway, config.request_deadline_seconds), registry.stop_waiting)
    for service in registry.services.values():
        await service.start()
    metrics.start()
    gc.collect()
    gc.freeze()  # what is here now stays: don't look at it again with every collection
    gc.set_threshold(GC_THRESHOLD)
    ready(_url(listener))
    try:
        await server.serve([listener])
    finally:
        await activity.stop()
        await metrics.stop()


def _uvicorn_config(gateway: Gateway, request_deadline_seconds: float) -> uvicorn.Config:
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # what fails is told by the event loop's handler
    return uvicorn.Config(
        gateway,
        http=Connection.with_deadline(request_deadline_seconds),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        backlog=BACKLOG,
    )


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _log_failure(log: RequestLog, context: dict[str, Any]) -> None:
    error = context.get("exception")
    log.event(context["message"], error="".join(traceback.format_exception(error)) if error else None)


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
