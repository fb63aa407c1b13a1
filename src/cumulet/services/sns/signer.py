"""A key and its certificate, and the signatures that it makes. Imported when the first is needed: it takes a while."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from cumulet.services.sns.links import CERTIFICATES

KEY_BITS = 2048
THREADS = max(1, len(os.sched_getaffinity(0)) - 1)
"""The loop has a core of its own, where there are several."""
MOST_AT_A_TIME = 8
"""So many signatures a thread makes before it tells."""
VALID_DAYS = 36_500
HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}
"""SNS: by SignatureVersion."""


class Signer:
    """Signs with the platform's one key."""

    def __init__(self, private_key: str, certificate: str) -> None:
        """Take key and certificate in PEM."""
        key = serialization.load_pem_private_key(private_key.encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self.certificate = certificate
        digest = hashlib.md5(certificate.encode(), usedforsecurity=False).hexdigest()
        self.name = f"SimpleNotificationService-{digest}.pem"
        """The certificate's file name."""
        self._waiting: deque[tuple[str, str, asyncio.Future[str]]] = deque()
        self._busy_threads = 0

    def sign(self, text: str, version: str) -> str:
        """Return a signature in base64; `version` is SNS's SignatureVersion. Takes a quarter of a millisecond."""
        return base64.b64encode(self._key.sign(text.encode(), padding.PKCS1v15(), HASHES[version])).decode()

    def sign_soon(self, text: str, version: str) -> asyncio.Future[str]:
        """Have it signed by a thread: the ciphers hold no lock, so that other cores do it and the loop goes on."""
        signature: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((text, version, signature))
        if self._busy_threads < THREADS:
            self._sign_some()
        return signature

    def _sign_some(self) -> None:
        some = [self._waiting.popleft() for _ in range(min(MOST_AT_A_TIME, len(self._waiting)))]
        self._busy_threads += 1
        texts, signatures = [one[:2] for one in some], [one[2] for one in some]
        work = asyncio.get_running_loop().run_in_executor(None, self._sign_all, texts)
        work.add_done_callback(lambda done: self._have_signed(signatures, done))

    def _sign_all(self, texts: Sequence[tuple[str, str]]) -> list[str]:
        return [self.sign(text, version) for text, version in texts]

    def _have_signed(self, signatures: Sequence[asyncio.Future[str]], done: asyncio.Future[list[str]]) -> None:
        self._busy_threads -= 1
        if self._waiting:
            self._sign_some()
        for signature, made in zip(signatures, done.result(), strict=True):
            if not signature.done():  # nobody may wait for it any more
                signature.set_result(made)

    def certificate_url(self, base_url: str) -> str:
        """Return where the certificate is."""
        return f"{base_url}{CERTIFICATES}{self.name}"


def new_pair(now_ms: int) -> tuple[str, str]:
    """Return a private key and a certificate for it that it has signed itself, in PEM."""
    key = rsa.generate_private_key(65537, KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .sign(key, hashes.SHA256())
    )
    private_key = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private_key.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()
