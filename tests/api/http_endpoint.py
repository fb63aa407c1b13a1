"""An HTTP endpoint that tests subscribe to topics."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

FAIL = 500


class Post(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: str

    @property
    def kind(self) -> str:
        return self.headers["x-amz-sns-message-type"]

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document


class Endpoint:
    """What has come, and what is answered."""

    def __init__(self, scheme: str, port: int) -> None:
        self.url = f"{scheme}://127.0.0.1:{port}/hook"
        self.posts: list[Post] = []
        self.statuses: list[int] = []
        """Of the next notifications; 200 when they are used up, or always the last one where that is `stays`."""
        self.stays = False
        self.is_silent = False
        """Whether connections are closed without an answer."""
        self._arrived = threading.Condition()

    def answer(self, *statuses: int, stays: bool = False) -> None:
        """Let the next notifications be answered so."""
        self.statuses, self.stays = list(statuses), stays

    def take(self, post: Post) -> int:
        with self._arrived:
            self.posts.append(post)
            self._arrived.notify_all()
            if post.kind != "Notification" or not self.statuses:
                return 200
            return self.statuses[0] if self.stays and len(self.statuses) == 1 else self.statuses.pop(0)

    def wait_for(self, count: int, kind: str = "Notification") -> Sequence[Post]:
        """Return the requests of a kind when there are so many."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.of(kind)) >= count, 20), f"{len(self.of(kind))} have come"
            return self.of(kind)

    def of(self, kind: str = "Notification") -> list[Post]:
        """Return the requests of a kind until now."""
        return [post for post in self.posts if post.kind == kind]


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Endpoint]:
    """Serve an endpoint on a free port, over TLS where there is a certificate (with its key, in PEM)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = endpoint.take(Post(self.path, headers, body))
            if endpoint.is_silent:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 256

    with Server(("127.0.0.1", 0), Handler) as server:
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        endpoint = Endpoint("http" if certificate is None else "https", server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()
