"""An HTTP endpoint that tests subscribe to topics."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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


def certified(folder: Path) -> Path:
    """Write a new key and a certificate for this machine that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "endpoint.pem"
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    return path


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
