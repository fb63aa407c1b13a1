"""HTTP endpoints that are up while the server is not: what they answer, and what they have taken."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

PATHS = ("plain", "flaky", "slow", "refusing")
SLOW_SECONDS = (0.0, 0.1)


class Hooks:
    """Endpoints, by the path of their address: `flaky` fails at first, `refusing` takes nothing, `slow` takes its
    time.
    """

    def __init__(self, port: int, chance: random.Random) -> None:
        self._port = port
        self._chance = chance
        self._lock = threading.Lock()
        self.tried: dict[str, Counter[str]] = {path: Counter() for path in PATHS}
        """Bodies of messages, by path."""
        self.taken: dict[str, Counter[str]] = {path: Counter() for path in PATHS}
        self.tokens: dict[str, str] = {}
        """By path: the token of the last request for a confirmation."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}/{path}"

    def answer(self, path: str, kind: str, body: bytes) -> int:
        """Return the status of an answer."""
        if kind == "SubscriptionConfirmation":
            self.tokens[path] = orjson.loads(body)["Token"]
            return 200
        message = body.decode()
        with self._lock:
            self.tried[path][message] += 1
            is_first = self.tried[path][message] == 1
            seconds = self._chance.uniform(*SLOW_SECONDS)
        if path == "slow":
            time.sleep(seconds)
        status = {"flaky": 503 if is_first else 200, "refusing": 503}.get(path, 200)
        if status == 200:
            with self._lock:
                self.taken[path][message] += 1
        return status


@contextmanager
def serving(chance: random.Random) -> Iterator[Hooks]:
    """Serve endpoints on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = hooks.answer(self.path.strip("/"), self.headers["x-amz-sns-message-type"], body)
            try:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                self.close_connection = True  # who asked was killed

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 256

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of connections that a kill has cut."""

    with Server(("127.0.0.1", 0), Handler) as server:
        hooks = Hooks(server.server_address[1], chance)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield hooks
        finally:
            server.shutdown()
            thread.join()
